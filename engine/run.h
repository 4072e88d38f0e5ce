// kappa/engine/run.h: one execution of a graph: start state, start positions, mute-until positions, ends, output
// policy.
//
// Live, catch-up, crash recovery and replay are the same loop with other bounds (law L1). run_graph() checks everything
// that can be checked before it writes anything (law L7), then works until the ends are reached or `stop` is asked for.
//
// Threads:  run_graph() owns its worker threads and joins them; callbacks come from any of them, one at a time.
// Errors:   Error{refused} before anything is written; Error{failed} afterwards, with nothing half published.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "kappa/engine/clock.h"
#include "kappa/engine/metrics.h"
#include "kappa/engine/task.h"

namespace kappa {

struct StartPolicy {
  enum class Kind : std::uint8_t { earliest, latest, time } kind = Kind::earliest;
  std::int64_t time_ms = 0;
};

/// Start and end of one input partition, fixed beforehand (replay).
struct FixedRange {
  std::int64_t start = 0, end = 0;
  std::int64_t decisions_max = 0;         // number of live's last decision when the end was frozen
  std::int64_t stop_progress = kForever;  // µs; ends earlier where the progress has reached this
};

struct RunOptions {
  int workers = 1;
  std::int64_t batch_rows = kBatchRows;
  std::chrono::milliseconds commit_interval{100};
  std::int64_t commit_records = 0;  // 0: no limit
  std::int64_t commit_bytes = 64LL << 20;
  std::chrono::milliseconds checkpoint_interval{10'000};  // 0: none, not even at the end
  StartPolicy start;
  bool until_end = false;
  bool close = false;  // implies until_end
  bool rebuild = false;
  std::string run;  // name of a run other than live; empty: live
  /// Where the log has groups: results are visible at once, and come again where a commit fails or the process dies.
  bool at_least_once = false;
  /// Of this process among those of the application, where the log shares out partitions; [A-Za-z0-9._-].
  std::string instance = "1";
  /// An instance that comes back within its session keeps its partitions, and nobody takes them over meanwhile.
  bool static_membership = true;
  OutputPolicy policy;
  std::string late_topic, dead_letter_topic;  // empty: "<application>-late", "<application>-dead-letters"
  ErrorsPolicy errors = ErrorsPolicy::dead_letter;
  /// Replay: ranges of all source partitions; the positions of a resumed replay win over `start`.
  std::map<TopicPartition, FixedRange> ranges;
  /// Replay from checkpoints of live, by task: used where the run has no positions of its own; `ranges` hold the cold
  /// start.
  std::map<TaskId, std::string> initial_checkpoints;
  std::int64_t rate = 0;  // records per second over all tasks; 0: no limit
  /// A run other than live waits while live is at work and more records behind than this; 0: never.
  std::int64_t live_lag_max = 0;
  const Clock* clock = &system_clock();
  /// Lines for people: where a start begins, which checkpoint was used, what was damaged.
  std::function<void(const std::string&)> message;
  /// About twice a second: records read so far and, where ends are known, the number to read.
  std::function<void(std::int64_t, std::int64_t)> progress;
  /// What others may watch while the run works; borrowed, may be null.
  RunMetrics* metrics = nullptr;
};

struct RunReport {
  std::vector<TaskReport> tasks;
  std::int64_t commits = 0, checkpoints = 0;
  std::int64_t records_read = 0;
  bool stopped = false;  // by `stop`, before the ends
};

/// `state` may be null: no checkpoints are taken and a restart re-reads the log.
[[nodiscard]] RunReport run_graph(const Graph& graph, Log& log, StateStore* state, const RunOptions& options,
                                  std::stop_token stop);

}  // namespace kappa
