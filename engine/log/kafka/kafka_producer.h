// kappa/engine/log/kafka/kafka_producer.h: one transactional producer.
//
// A transaction begins with the first append() after a commit, and its records are on their way from then on; commit()
// adds the positions and ends it. Opening a producer fences older ones of its id and ends their open transaction.
//
// Threads:  belongs to one thread.
// Owns:     its connections; records are copied.
// Errors:   LogUnavailable where its transaction is lost and a new producer may go on; `failed` where a newer one of
// its
//           id has fenced it; `refused` for what cannot be written.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "kappa/engine/log/kafka/cluster.h"
#include "kappa/engine/log/kafka/membership.h"
#include "kappa/engine/log/kafka/sender.h"
#include "kappa/engine/log/kafka/transactions.h"

namespace kappa::detail {

class KafkaProducer : public Producer {
 public:
  /// Commits positions as `member`, which is borrowed and may be null.
  KafkaProducer(KafkaClient& client, KafkaCluster& cluster, std::string transactional_id,
                const KafkaMembership* member);
  ~KafkaProducer() override;

  void append(const TopicPartition& to, std::span<const OutRecord> records) override;
  [[nodiscard]] std::int64_t pending_bytes() const override { return pending_bytes_; }
  [[nodiscard]] CommitOutcome commit(const std::string& group, std::span<const Position> positions) override;
  void abort() override;

 private:
  [[nodiscard]] KafkaHandle make_handle(KafkaClient& client);
  void begin();
  [[noreturn]] void fail_append(const TopicPartition& to, const OutRecord& record, rd_kafka_resp_err_t code);
  void note_committed();
  CallResult send_positions(const std::string& group, std::span<const Position> positions);
  void fail_if_hopeless() const;
  static void on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);
  struct Sent {
    std::string group;
    std::span<const Position> positions;
  };
  CallResult ask_cause();
  CommitOutcome give_up(CallResult result, const Sent& sent = {});
  void refuse_denied(rd_kafka_resp_err_t code, const Sent& sent) const;
  [[noreturn]] void fail_fenced();
  void check_usable() const;

  KafkaCluster& cluster_;
  const KafkaMembership* member_;
  std::shared_ptr<KafkaMessages> messages_;
  std::string id_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<KafkaTransactions> transactions_;
  std::unique_ptr<KafkaSender> sender_;
  /// What delivery reports say of a partition.
  struct Delivered {
    std::int64_t last = -1;                                    // offset
    rd_kafka_resp_err_t failure = RD_KAFKA_RESP_ERR_NO_ERROR;  // the first one
  };
  using Written = std::map<TopicPartition, Delivered>;  // shared with the calls (transactions.h)
  std::shared_ptr<Written> written_ = std::make_shared<Written>();
  std::int64_t pending_bytes_ = 0;
  bool open_ = false;                   // a transaction has begun
  std::vector<TopicPartition> unseen_;  // committed to, and perhaps not visible yet
  std::string dead_;                    // why it is of no use any more
};

}  // namespace kappa::detail
