// kappa/tests/log/kafka_fixture.h: a real broker, started by CTest (tests/kafka), emptied for each test.
//
// Threads:  one.
// Errors:   std::runtime_error where the broker does not do what it is asked to; no broker is a failure, never a skip.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/log/kafka/kafka_log.h"
#include "kappa/tests/log/log_contract.h"

namespace kappa::testkit {

/// KAPPA_TEST_BROKER: host:port.
[[nodiscard]] std::string broker();
void delete_topics(const std::vector<std::string>& names);
/// Waits until their last members have gone: those that died, for the end of their sessions.
void delete_groups(const std::vector<std::string>& names);
/// As kafka-consumer-groups --reset-offsets does: the position is another one, and its metadata empty.
void reset_position(const std::string& group, const TopicPartition& at, std::int64_t offset);
/// As kafka-consumer-groups --delete-offsets does.
void delete_position(const std::string& group, const TopicPartition& at);
/// As kafka-topics --alter --partitions does.
void add_partitions(const std::string& topic, int total);
/// Removes the records in front of `before`, as retention does.
void delete_records(const TopicPartition& at, std::int64_t before);
/// Makes a topic of one partition with settings of its own.
void create_topic(const std::string& name, const std::map<std::string, std::string>& settings);

/// As long as it lives, everything is allowed with topics whose names begin so, but to see their settings.
class HiddenSettings {
 public:
  explicit HiddenSettings(const std::string& prefix);
  ~HiddenSettings();
  HiddenSettings(const HiddenSettings&) = delete;
  HiddenSettings& operator=(const HiddenSettings&) = delete;
};

/// A transactional producer without kappa around it, so that it can stay in the middle of a transaction.
class BareProducer {
 public:
  explicit BareProducer(const std::string& transactional_id, int transaction_timeout_ms = 60'000);
  ~BareProducer();
  BareProducer(const BareProducer&) = delete;
  BareProducer& operator=(const BareProducer&) = delete;

  void begin();
  /// Returns once the broker has it.
  void produce(const TopicPartition& at, const std::string& value, std::int64_t timestamp_ms = 1000);
  void send_position(const std::string& group, const Position& position);
  /// Empty, or what librdkafka says.
  [[nodiscard]] std::string commit();
  [[nodiscard]] std::string abort();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

struct KafkaFixture {
  KafkaFixture();
  TopicPartition at{"bids", 0};

  [[nodiscard]] std::unique_ptr<KafkaLog> open(std::function<void(const std::string&)> message = nullptr) const;
  [[nodiscard]] LogFactory factory() const {
    return {[this] { return std::unique_ptr<Log>(open()); }, 1};
  }
};

}  // namespace kappa::testkit
