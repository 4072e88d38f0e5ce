// kappa/service/exposition.h: a run's metrics for Prometheus, and its status as JSON.
//
// Threads:  functions; safe from any thread while the run works.
#pragma once

#include <string>

#include "kappa/engine/run.h"

namespace kappa {

/// What the monitoring of a run looks at; borrowed, all of it outlives the server.
struct WatchedRun {
  const Graph& graph;
  Log& log;
  const RunMetrics& metrics;
  const Clock& clock;
};

/// The text format 0.0.4; docs/OPERATING.md lists the metrics.
[[nodiscard]] std::string prometheus_text(const WatchedRun& run);
/// The same for people and scripts: an object with "application", "ready", and "tasks" with their "inputs" and lag.
[[nodiscard]] std::string status_json(const WatchedRun& run);
/// Empty if all tasks have caught up with what was committed before the start, else what is missing.
[[nodiscard]] std::string why_not_ready(const WatchedRun& run);
/// Empty if all workers have reported lately, else which silence is too long.
[[nodiscard]] std::string why_not_alive(const WatchedRun& run);

}  // namespace kappa
