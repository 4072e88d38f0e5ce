// kappa/bench/latency/open_loop.h: records that are due at fixed times, sent to Kafka and their results read again.
//
// Threads:  feed() and collect() each run on one of their own; Schedule and Keys are not changed meanwhile.
// Owns:     the topics of a run, deleted with RunTopics.
// Errors:   throws std::runtime_error with what librdkafka says.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kappa::bench {

/// Record i is due at start + i / rate, whether or not the one before was sent in time.
struct Schedule {
  std::int64_t rate = 20'000;
  std::int64_t keys = 1'000;  // record i has key i % keys
  std::int64_t warm_us = 0;   // records due earlier than so long after the start are not measured
  std::int64_t total_us = 0;  // nor is any sent at or after this
  std::int64_t start_us = 0;  // in epoch microseconds, a multiple of the window
  std::chrono::steady_clock::time_point start;

  [[nodiscard]] std::int64_t records() const { return total_us * rate / 1'000'000; }
  [[nodiscard]] std::int64_t due_us(std::int64_t record) const { return start_us + record * 1'000'000 / rate; }
  [[nodiscard]] bool is_measured(std::int64_t due) const {
    return due >= start_us + warm_us && due < start_us + total_us;
  }
  [[nodiscard]] std::int64_t now_us() const;
};

inline constexpr std::int32_t kPartitions = 4;
[[nodiscard]] std::int32_t partition_of_key(std::int64_t key);

/// Two topics of kPartitions partitions, made anew.
class RunTopics {
 public:
  RunTopics(std::string brokers, const std::string& name);
  ~RunTopics();
  RunTopics(const RunTopics&) = delete;
  RunTopics& operator=(const RunTopics&) = delete;
  const std::string input, output;

 private:
  std::string brokers_;
};

/// Sends all records; how late each was handed to the client, in microseconds.
std::vector<std::int64_t> feed(const std::string& brokers, const std::string& topic, const Schedule& schedule);

struct Result {
  std::int64_t key = 0, due_us = 0;
};
struct Collecting {
  std::string brokers, topic;
  std::int64_t expected = 0;                            // measured results after which it is done
  std::function<std::int64_t(const Result&)> cause_us;  // when the record that caused a result was due
  std::chrono::seconds patience{15};                    // after the end of the schedule
};
/// The time from cause to reading, in microseconds, of each measured result.
std::vector<std::int64_t> collect(const Collecting& what, const Schedule& schedule);

}  // namespace kappa::bench
