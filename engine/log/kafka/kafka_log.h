// kappa/engine/log/kafka/kafka_log.h: the log of an Apache Kafka cluster, by librdkafka.
//
// Readers see committed records only. Partitions are read by assignment; groups only share them out (join_group). On
// one machine lock_group() keeps a second run of a name out; elsewhere a newer producer of an id fences the older.
// Offsets have gaps (control records of transactions, aborted ones). bytes_between() is an estimate from a sample.
//
// Threads:  as Log: the log from any thread, a reader or producer from one. `message` is called from any thread, one
//           call at a time.
// Owns:     connections and threads of librdkafka.
// Errors:   as Log. Refused if no broker answers within `connect_timeout`; the message names the addresses.
// Example:  auto log = kappa::open_kafka_log({.bootstrap_servers = "127.0.0.1:9092"});
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kappa/engine/log.h"

namespace kappa {

struct KafkaLogOptions {
  std::string bootstrap_servers;
  /// librdkafka's settings by their own names, such as "security.protocol"; see check_kafka_setting().
  std::map<std::string, std::string> client;
  /// Of topics that are created; -1: the brokers' default.
  int replication_factor = -1;
  std::chrono::milliseconds connect_timeout{10'000};
  /// Where lock_group() keeps its files, against a second process on this machine; empty: this process only.
  std::filesystem::path lock_directory;
  /// Lines for people: what librdkafka warns of, why a transaction was aborted.
  std::function<void(const std::string&)> message;
};

/// How large a producer makes its batches, unless "batch.size" says otherwise: below the topics' usual bound
/// (max.message.bytes).
inline constexpr std::int64_t kKafkaBatchBytes = 1'000'000;

class KafkaLog : public Log {
 public:
  /// Settings of a topic as the brokers have them, such as "cleanup.policy"; none where the user may not see them
  /// (DESCRIBE_CONFIGS).
  [[nodiscard]] virtual std::optional<std::map<std::string, std::string>> topic_settings(const std::string& name) = 0;
};

[[nodiscard]] std::unique_ptr<KafkaLog> open_kafka_log(KafkaLogOptions options);

/// Error{usage} unless the setting may be given by users: some of librdkafka's load code, run commands, or break what
/// kappa promises. `where` is named in the message.
void check_kafka_setting(const std::string& name, const std::string& where);
/// The value must not be shown.
[[nodiscard]] bool is_kafka_secret(const std::string& name);

}  // namespace kappa
