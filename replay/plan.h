// kappa/replay/plan.h: what a replay would read, where it would begin and end, and what it would publish; read-only.
//
// Threads:  one.
// Errors:   Error{refused} for a replay that cannot be right: records that are gone, a time after the log's end, sinks
// that an
//           upsert would double.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/run.h"

namespace kappa {

enum class ReplayOutput : std::uint8_t { topic, upsert, none };
[[nodiscard]] std::string to_string(ReplayOutput output);
[[nodiscard]] ReplayOutput parse_replay_output(const std::string& text);

struct ReplaySpec {
  std::string name;          // [A-Za-z0-9._-]{1,50}
  std::int64_t from_us = 0;  // results whose event time lies in [from, to)
  std::int64_t to_us = kForever;
  ReplayOutput output = ReplayOutput::topic;
};

/// What is read of one source partition.
struct PlannedPartition {
  TopicPartition at;
  std::int64_t log_start = 0, start = 0, end = 0;
  std::int64_t decisions_max = 0;
  std::int64_t first_timestamp_ms = -1;  // of the record at `start`, -1 where none
  std::int64_t records = 0, bytes = 0;
};

struct PlannedSink {
  std::string node, topic;  // topic: what the replay writes; empty for output none
  bool exists = false;
};

struct ReplayPlan {
  ReplaySpec spec;
  std::int64_t horizon_us = 0;  // kForever: unbounded
  std::vector<PlannedPartition> partitions;
  std::vector<PlannedSink> sinks;
  std::map<TaskId, std::string> checkpoints;  // tasks that begin at a checkpoint of live
  std::vector<std::string> notes;             // why it begins where it begins
  std::int64_t records = 0, bytes = 0;
};

/// Error{usage} unless the name is one that directories and topics can carry.
void check_replay_name(const std::string& name);

/// `state` holds live's checkpoints (or is null: cold). Freezes the ends.
[[nodiscard]] ReplayPlan plan_replay(const Graph& graph, Log& log, StateStore* state, const ReplaySpec& spec);

/// For people; times in RFC 3339.
[[nodiscard]] std::string describe(const ReplayPlan& plan);
[[nodiscard]] std::string to_json(const ReplayPlan& plan);
[[nodiscard]] ReplayPlan parse_replay_plan(const std::string& json, const std::string& place);

}  // namespace kappa
