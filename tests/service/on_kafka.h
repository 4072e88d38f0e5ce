// kappa/tests/service/on_kafka.h: the program on an empty broker.
#pragma once

#include "kappa/tests/log/kafka_fixture.h"
#include "kappa/tests/service/program.h"

namespace kappa::cli {

/// An empty broker, and a directory whose commands use it.
struct OnKafka {
  testkit::KafkaFixture broker;
  Place place;
  OnKafka();
};

/// Settings of every command there: the shortest session that brokers allow, and members that leave when they end, so
/// that no test waits for another's.
inline constexpr const char* kKafkaConf = "kafka.session.timeout.ms = 6000\ngroup.membership = dynamic\n";

/// Key, value, timestamp and the user's headers, partition after partition: what must be equal.
[[nodiscard]] std::vector<std::string> published(const Place& place, const std::string& topic);

}  // namespace kappa::cli
