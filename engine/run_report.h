// kappa/engine/run_report.h: what a run's tasks did so far and where they stand.
//
// Threads:  plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kappa/engine/log.h"
#include "kappa/engine/operator.h"
#include "kappa/engine/state_store.h"

namespace kappa {

/// Where each record of a source partition went (law L4).
struct SourceCounters {
  bool repartition = false;
  std::int64_t read = 0, rows = 0, dead = 0,
               muted = 0;  // read = rows + dead; muted counts those of `read` below mute_until
};

/// One input partition of a task: what was read of it, and where the task stands in it.
struct SourceReport : SourceCounters {
  std::int64_t position = 0;       // offset; the next one to be read
  std::int64_t progress = kNever;  // µs
};

struct NodeReport {
  std::string node;
  NodeCounters counters;
};

/// What a sink topic's partition received from this task.
struct SinkTotals {
  std::int64_t records = 0;
  std::uint64_t digest = 0;  // XXH3 chained over (key, value, timestamp), in order
};

struct TaskReport {
  TaskId task;
  bool muted = false;  // still on its way to what is committed
  std::map<TopicPartition, SourceReport> sources;
  std::vector<NodeReport> nodes;
  std::map<std::string, SinkTotals> sinks;  // by topic
  OpenWindows open;
  std::int64_t held_rows = 0;
  std::int64_t skipped = 0;
  std::int64_t state_bytes = 0;
  std::int64_t released = kNever;
  std::string held_by;  // the input with the least progress, where rows are held or windows open
};

}  // namespace kappa
