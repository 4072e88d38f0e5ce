// kappa/engine/decisions.h: progress raised by the engine, made a record of the log before it has an effect (design:
// section 6).
//
// A decision says: before the first record of `source`-`partition` at or after `offset`, the progress is at least
// `progress`. It lies in the same partition of "<application>-decisions", committed with its first effect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa {

struct Decision {
  std::string source;  // topic
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t number = 0;    // counts from 1 per source partition; 0: a start, which raises nothing
  std::int64_t progress = 0;  // µs
  std::string cause;          // "idle", "close", start_cause()
  bool operator==(const Decision&) const = default;
};
/// Of a decision that says where the application first began to read, where others may remove its positions. All of
/// them lie in partition 0, so that no other has to be read for them.
[[nodiscard]] std::string start_cause(const std::string& group);

[[nodiscard]] std::string to_json(const Decision& decision);
/// Throws Error{failed} naming the place if the record is not a decision.
[[nodiscard]] Decision parse_decision(std::string_view json, const std::string& place);

/// All decisions in `topic`-`partition` up to its end now, in order; none if the topic does not exist.
[[nodiscard]] std::vector<Decision> read_decisions(Log& log, const std::string& topic, std::int32_t partition);
struct GroupStart {
  std::string group;
  std::vector<Position> positions;
  bool at_least_once = false;
  std::int64_t wall_ms = 0;
};
/// The first commit of a group: its positions, and a decision that says where it began, which stays if others remove
/// the positions. Without transactions the positions go first: a decision alone would refuse every start from then on.
[[nodiscard]] CommitOutcome commit_starts(Producer& producer, const std::string& decisions_topic,
                                          const GroupStart& start);
void append_decision(Producer& producer, const std::string& topic, const Decision& decision, std::int64_t wall_ms);

}  // namespace kappa
