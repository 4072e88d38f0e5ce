// kappa/engine/run_base.h: what every run of a graph has, in the order in which it must come to life. Private to
// engine/*run.cpp.
//
// Threads:  work() starts the workers' threads and joins them.
#pragma once

#include "kappa/engine/run.h"
#include "kappa/engine/worker.h"

namespace kappa {

class RunBase {
 public:
  /// `lock`: the name under which this run is alone.
  RunBase(const Graph& graph, Log& log, StateStore* state, const RunOptions& options, const std::string& lock);

 protected:
  [[nodiscard]] int workers_wanted() const;
  /// What an earlier process of this instance left open would hold the positions back until it times out.
  void end_leftovers() const;
  /// Looks up what sinks there are and makes the workers, still without tasks; the topics exist by now.
  void make_workers();
  /// Until all workers have ended; rethrows the first error of one.
  void work(std::stop_token stop);
  /// Shows `to_read` and what was read, while `work` runs.
  void work_and_watch(std::stop_token stop, std::int64_t to_read);
  [[nodiscard]] RunReport report(const std::stop_token& stop) const;

  const Graph& graph_;
  Log& log_;
  StateStore* state_;
  const RunOptions& options_;
  std::unique_ptr<RunLock> lock_;
  Topology topology_;
  TaskContext context_;
  const Recovery recovery_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<RunShared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;

 private:
  void watch(std::stop_token done, std::int64_t to_read);
};

/// The partitions are shared out among all instances of the application, by the log.
[[nodiscard]] RunReport run_in_groups(const Graph& graph, Log& log, StateStore* state, const RunOptions& options,
                                      std::stop_token stop);

}  // namespace kappa
