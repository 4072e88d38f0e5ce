// kappa/engine/log/kafka/cluster.h: what is asked of the brokers outside reading and writing records: topics, offsets,
// positions of groups.
//
// Threads:  safe from any thread.
// Owns:     one handle, whose connections no fetch holds up.
// Errors:   kappa::Error: refused for what does not exist or is not allowed, failed where no answer comes in time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/log/kafka/client.h"

namespace kappa::detail {

class KafkaCluster {
 public:
  /// Refused if no broker answers within the client's connect_timeout.
  explicit KafkaCluster(KafkaClient& client);

  [[nodiscard]] std::vector<TopicInfo> topics();
  [[nodiscard]] std::optional<TopicInfo> topic(const std::string& name);
  void create_topic(const std::string& name, std::int32_t partitions);
  /// None where the user may not see them.
  [[nodiscard]] std::optional<std::map<std::string, std::string>> topic_settings(const std::string& name);

  /// Refused if there is no such topic or partition. Topics once seen are not asked for again.
  void check_exists(const TopicPartition& at);
  struct Offsets {
    std::int64_t start = 0, end = 0;  // end: the last stable offset
  };
  /// Waits, a few seconds at most, until the end has passed what note_committed() told.
  [[nodiscard]] Offsets offsets(const TopicPartition& at);
  /// A commit ends when it is decided; the brokers move the ends of its partitions a moment later. So that the end that
  /// is asked for after a commit of this log holds it, the producer tells what it has written.
  void note_committed(const TopicPartition& at, std::int64_t end);
  /// The first offset whose timestamp is ≥ `timestamp_ms`, markers of transactions included, which carry the time at
  /// which they were written; no record in front of it has such a timestamp.
  [[nodiscard]] std::optional<std::int64_t> offset_at(const TopicPartition& at, std::int64_t timestamp_ms);

  [[nodiscard]] std::map<TopicPartition, Position> committed(const std::string& group);
  void forget_group(const std::string& group);

 private:
  class Deadline;
  [[nodiscard]] bool is_there(const TopicPartition& at);
  KafkaMetadata metadata(const char* topic, std::chrono::milliseconds timeout);
  void connect();
  void wait_until_led(const std::string& name, std::int32_t partitions);
  void pause();
  bool is_behind(const TopicPartition& at, std::int64_t end);
  KafkaPartitions all_partitions();
  std::shared_ptr<rd_kafka_t> handle_of(const std::string& group);
  void forget_handle_of(const std::string& group);
  KafkaEvent answer(rd_kafka_queue_t* queue, const std::string& what);
  KafkaAdminOptions admin_options(rd_kafka_admin_op_t op);
  rd_kafka_resp_err_t try_create(const std::string& name, std::int32_t partitions, bool future_timestamps,
                                 std::string& problem);
  rd_kafka_resp_err_t try_committed(const std::string& group, std::map<TopicPartition, Position>& positions);

  KafkaClient& client_;
  KafkaHandle handle_;
  std::mutex mutex_;
  // Shared, since one may be replaced while another thread asks with it. Guarded by mutex_.
  std::map<std::string, std::shared_ptr<rd_kafka_t>> group_handles_;
  std::map<std::string, std::int32_t> partitions_;       // of topics seen; guarded by mutex_
  std::map<TopicPartition, std::int64_t> committed_to_;  // not yet seen at the end; guarded by mutex_
};

}  // namespace kappa::detail
