// kappa/engine/commit_metadata.h: the string that a commit keeps beside each position (docs/FORMAT.md, "Commit
// metadata").
//
// "k1 seq=12 start=0 progress=1357038000000000 released=… decision=0 state=0123456789abcdef last=1041:1357038000123:…
// crc=1a2b3c4d": ASCII, well below Kafka's 4096.
//
// Errors:   parse refuses what kappa did not write (an offset reset by a tool leaves it empty), naming the partition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kappa/engine/log.h"

namespace kappa {

/// Which record lies at an offset: so that it is seen where another one lies there later.
struct RecordMark {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::uint32_t hash = 0;  // of key and value
  bool operator==(const RecordMark&) const = default;
};
[[nodiscard]] RecordMark mark_of(const RecordView& record);

struct CommitMetadata {
  std::int64_t sequence = 0;
  std::int64_t start = 0;     // the first offset that the application ever read here: a cold start goes no further back
  std::int64_t progress = 0;  // µs, of this input
  std::int64_t released = 0;  // µs, of the task: what has left the merge
  std::int64_t decision = 0;  // number of the last decision applied to this input
  std::string state;          // 16 hex digits over the fingerprints of the stage's stateful nodes
  std::optional<RecordMark> last{};  // the last record read in front of the position; none: none was, or before 0.1
  bool operator==(const CommitMetadata&) const = default;
};

[[nodiscard]] std::string to_string(const CommitMetadata& metadata);
[[nodiscard]] CommitMetadata parse_commit_metadata(const Position& position);

}  // namespace kappa
