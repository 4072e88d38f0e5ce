// kappa/engine/log/kafka/sender.h: puts records into the queue of a librdkafka producer, and waits where it is full.
//
// librdkafka cannot write the timestamp 0 (it takes the clock's instead), so the first millisecond of 1970 is written
// as the second.
//
// Threads:  one, the producer's.
// Owns:     what it keeps of topics; borrows the handle, which outlives it.
// Errors:   LogUnavailable where nobody leads a topic; refused for a topic that does not exist.
#pragma once

#include <map>
#include <string>

#include "kappa/engine/log/kafka/cluster.h"

namespace kappa::detail {

class KafkaSender {
 public:
  /// `full_max`: how long one record may wait for room.
  KafkaSender(KafkaCluster& cluster, rd_kafka_t* handle, std::chrono::milliseconds full_max)
      : cluster_(cluster), handle_(handle), full_max_(full_max) {}

  /// Asks who leads the partitions in front of the first record, which would be sent a second late otherwise.
  [[nodiscard]] rd_kafka_topic_t* topic(const TopicPartition& to);
  /// Copies the record; its delivery report gets `opaque`.
  [[nodiscard]] rd_kafka_resp_err_t send(rd_kafka_topic_t* topic, std::int32_t partition, const OutRecord& record,
                                         void* opaque);

 private:
  KafkaCluster& cluster_;
  rd_kafka_t* handle_;
  std::chrono::milliseconds full_max_;
  std::map<std::string, KafkaTopic> topics_;
};

[[nodiscard]] inline std::int64_t bytes_of(const OutRecord& record) {
  return static_cast<std::int64_t>(record.key.size() + record.value.size());
}
/// Trying again does not help: the brokers will never take such a record.
[[nodiscard]] bool is_hopeless(rd_kafka_resp_err_t code);
[[noreturn]] void fail_hopeless(const std::string& where, rd_kafka_resp_err_t code);
/// Throws: `failed` for a record that is too large for the client, else LogUnavailable.
[[noreturn]] void fail_send(const TopicPartition& to, const OutRecord& record, rd_kafka_resp_err_t code);

}  // namespace kappa::detail
