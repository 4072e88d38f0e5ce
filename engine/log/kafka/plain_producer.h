// kappa/engine/log/kafka/plain_producer.h: a producer without transactions, for results as early as possible.
//
// What is appended is sent at once, in order and without gaps (an idempotent producer); a commit waits until all of it
// is acknowledged and then commits the positions as the group's member. A process that dies in between, or a commit
// that fails, leaves results that the next owner publishes again: at least once.
//
// Threads:  belongs to one thread.
// Owns:     its connections; records are copied.
// Errors:   LogUnavailable where records or positions were not taken.
#pragma once

#include "kappa/engine/log/kafka/membership.h"
#include "kappa/engine/log/kafka/sender.h"

namespace kappa::detail {

struct DeliveryFailure {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string topic;
};

class KafkaPlainProducer : public Producer {
 public:
  /// `member` is borrowed.
  KafkaPlainProducer(KafkaClient& client, KafkaCluster& cluster, const KafkaMembership& member);

  void append(const TopicPartition& to, std::span<const OutRecord> records) override;
  [[nodiscard]] std::int64_t pending_bytes() const override { return pending_bytes_; }
  [[nodiscard]] CommitOutcome commit(const std::string& group, std::span<const Position> positions) override;
  void settle() override;
  /// Too late: what was appended is on its way.
  void abort() override { pending_bytes_ = 0; }

 private:
  const KafkaMembership& member_;
  std::chrono::milliseconds timeout_;
  DeliveryFailure failure_;  // the first one; set by delivery reports, in this thread
  KafkaHandle handle_;       // ends in front of what its reports are written to
  KafkaSender sender_;
  std::int64_t pending_bytes_ = 0;
};

}  // namespace kappa::detail
