// kappa/engine/log/kafka/membership.h: a place in a Kafka consumer group.
//
// The group only shares out partitions: records come by readers, which are told where to begin
// (docs/decisions/0007-how-kafka-is-read.md). So the consumer behind it never fetches. Assignment is `range`, which
// keeps partitions of equal number together, and eager: librdkafka 2.0's cooperative one loses assignments.
//
// Threads:  belongs to one thread; commit() and metadata() from any.
// Owns:     the consumer. The destructor leaves the group, unless the member is static.
// Errors:   kappa::Error failed where the membership has ended for good (another process has taken its static name),
//           refused where the group or its topics may not be used.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <span>

#include "kappa/engine/log/kafka/client.h"
#include "kappa/engine/log/kafka/news.h"
#include "kappa/engine/log/kafka/positions.h"

namespace kappa::detail {

class KafkaMembership : public Membership {
 public:
  using Metadata = std::shared_ptr<const rd_kafka_consumer_group_metadata_t>;

  KafkaMembership(KafkaClient& client, KafkaNews& news, const GroupMember& member);
  ~KafkaMembership() override;

  [[nodiscard]] GroupChange poll() override;
  void release() override;
  [[nodiscard]] std::chrono::milliseconds session() const override { return session_; }
  [[nodiscard]] bool is_at_least_once() const { return at_least_once_; }
  /// Positions without a transaction. Throws LogUnavailable where they were not taken.
  void commit(std::span<const Position> positions) const;
  /// As which member, of which generation, positions are committed; null while nothing is assigned.
  [[nodiscard]] Metadata metadata() const;

 private:
  GroupChange on_rebalance(rd_kafka_event_t& event);
  GroupChange on_assigned(const rd_kafka_topic_partition_list_t& list);
  void refuse_denied(rd_kafka_resp_err_t code, const std::string& what) const;
  void on_error(rd_kafka_resp_err_t code, const std::string& reason);
  void answer(const rd_kafka_topic_partition_list_t* partitions);
  void set_metadata(Metadata metadata);

  KafkaMessages& messages_;
  std::string group_;
  std::set<std::string> topics_;
  bool at_least_once_;
  std::chrono::milliseconds session_;
  KafkaHandle handle_;
  KafkaQueue queue_;
  mutable std::mutex mutex_;
  Metadata metadata_;  // guarded by mutex_
};

}  // namespace kappa::detail
