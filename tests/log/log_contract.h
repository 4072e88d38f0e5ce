// kappa/tests/log/log_contract.h: what every implementation of engine/log.h must do, as tests over a factory.
//
// A test program calls each check inside a TEST_CASE of its own, for each implementation it has.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa::testkit {

/// Opens one log, which is empty at first, as often as wanted.
struct LogFactory {
  std::function<std::unique_ptr<Log>()> open;
  /// Offsets that a commit takes in each partition beside its records (Kafka: its marker).
  std::int64_t gap = 0;
};

// Each uses SECTIONs, and needs an empty log for every one of them.
void check_log_topics(const LogFactory& factory);
void check_log_records(const LogFactory& factory);
void check_log_headers(const LogFactory& factory);
void check_log_commits(const LogFactory& factory);
void check_log_locks(const LogFactory& factory);
void check_log_times(const LogFactory& factory);
void check_log_waiting(const LogFactory& factory);

struct PlainRecord {
  std::int64_t offset = 0, timestamp_ms = 0;
  std::string key, value;
  bool key_is_null = false, value_is_null = false;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const PlainRecord&) const = default;
};

/// All records from `from` to the end that the log has now, read in blocks of `records_max`.
[[nodiscard]] std::vector<PlainRecord> read_all(Log& log, const TopicPartition& at, std::int64_t from = 0,
                                                std::int64_t records_max = 4096);
/// One commit of values (keys: "k" + value) with timestamps first_ms, first_ms + 1, …
void produce(Log& log, const TopicPartition& at, const std::vector<std::string>& values, std::int64_t first_ms = 1000);
[[nodiscard]] std::vector<std::string> values_of(const std::vector<PlainRecord>& records);

}  // namespace kappa::testkit
