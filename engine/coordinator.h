// kappa/engine/coordinator.h: what the workers of a run tell one another: which stages have finished, and whether to
// close.
//
// A bounded run has phases. In each, a stage is finished when all its tasks stand at their ends, have committed and
// told their readers; the ends of the stages behind it are then known. After the last stage, a run with --close starts
// another phase in which the sources' progress is raised past what is open, until nothing is.
//
// Threads:  safe from any worker.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "kappa/engine/topology.h"

namespace kappa {

class Coordinator {
 public:
  Coordinator(const Topology& topology, int workers, bool close);

  void task_finished(int stage);
  [[nodiscard]] bool stage_finished(int stage);

  /// What a worker knows when all its tasks have finished a phase.
  struct Open {
    bool any = false;
    std::int64_t progress_wanted = kNever;  // µs; at which nothing of it would be open or held
  };
  struct Phase {
    bool done = true;
    std::int64_t close_progress = kNever;  // raise all sources to this
  };
  /// Blocks until all workers have arrived, or stop is requested.
  [[nodiscard]] Phase arrive(const Open& open, std::stop_token stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  const std::vector<int> tasks_;  // per stage
  const int workers_;
  const bool close_;
  std::vector<int> finished_;  // per stage; guarded by mutex_, like all below
  int arrived_ = 0, phase_ = 0;
  Open open_;
  Phase next_;
};

}  // namespace kappa
