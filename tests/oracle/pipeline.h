// tests/oracle/pipeline.h: what a windowed aggregation over JSON topics must publish, recomputed by brute force.
//
// The family: one or more source topics with a key, values and an event time; an optional filter `column >= constant`;
// tumbling (or session) windows per key; an optional repartition in front of them; one sink.
//
// Threads:  values; share nothing.
// Errors:   std::runtime_error for a description or a dump that makes no sense.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kappa/tests/oracle/time.h"

namespace oracle {

/// A record as `kappa log read` prints it.
struct Record {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0, timestamp_ms = 0;
  std::optional<std::string> key, value;  // null where null; a value that is not UTF-8 is left empty
  std::map<std::string, std::string> headers;
};
[[nodiscard]] Record parse_record(const std::string& line);

enum class ColumnType : std::uint8_t { bigint, float64, text, timestamp };

struct Source {
  std::string name, topic;
  std::int32_t partitions = 1;
  std::int64_t out_of_orderness_us = 0, max_future_us = 3'600'000'000;
};

struct Aggregate {
  std::string function;  // count, sum, min, max, avg, count_distinct
  int column = -1;       // -1: count(*)
  std::string name;
};

enum class Ends : std::uint8_t { until_end, close };

struct Pipeline {
  std::vector<Source> sources;  // by name: so inputs are numbered
  std::vector<std::pair<std::string, ColumnType>> columns;
  int event_time = 0, key = 0;
  std::int64_t timestamp_unit_us = 1000;
  int filter_column = -1;
  std::int64_t filter_least = 0;
  bool filter_before_merge = false;
  WindowSpec window;
  std::vector<Aggregate> aggregates;
  std::int32_t repartition = 0;      // partitions behind it; 0: there is none
  bool upstream_per_source = false;  // the sources meet behind the repartition only
  std::string sink;
  Ends ends = Ends::until_end;
  std::int64_t from_us = kNever, to_us = kForever;  // of the results that are published
};
/// tests/oracle/README.md describes the fields.
[[nodiscard]] Pipeline parse_pipeline(const std::string& json);

struct SinkRecord {
  std::int32_t partition = 0;
  std::string key, value;
  std::int64_t timestamp_ms = 0;
  bool operator==(const SinkRecord&) const = default;
};

struct Place {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

/// read = processed + filtered + late + dead + held.
struct Counts {
  std::int64_t read = 0, processed = 0, filtered = 0, late = 0, dead = 0, held = 0;
};

struct Expected {
  std::vector<SinkRecord> sink;  // partition after partition, each in order
  std::vector<Place> late;       // each partition's in the order of its offsets
  std::vector<std::pair<Place, std::string>> dead;
  std::map<std::pair<std::string, std::int32_t>, Counts> counts;
  std::int64_t open_windows = 0;
};

/// `reading` draws the order in which a task's inputs are read; nothing that is expected may depend on it.
[[nodiscard]] Expected expect(const Pipeline& pipeline, const std::vector<Record>& records, std::uint64_t reading = 0);

/// The row of a record (without progress), or why it is a dead letter.
[[nodiscard]] std::variant<Row, std::string> decode(const Pipeline& pipeline, const Source& source,
                                                    const Record& record);
[[nodiscard]] SinkRecord encode(const Pipeline& pipeline, const Closed& window, std::int32_t partition);
[[nodiscard]] std::string key_text(const Value& value);
/// Where Kafka's Java producer places a key; 0 for a null one.
[[nodiscard]] std::int32_t place(const Value& key, std::int32_t partitions);
[[nodiscard]] std::string timestamp_text(std::int64_t us);

}  // namespace oracle
