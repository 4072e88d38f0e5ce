// kappa/engine/checkpointer.h: the thread that writes checkpoints while the workers go on.
//
// Threads:  submit() and busy() from any worker; each TaskState is used by this thread alone while its job runs.
// Errors:   the first one is kept and thrown by the next submit() or by finish().
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "kappa/engine/metrics.h"
#include "kappa/engine/state_store.h"

namespace kappa {

class Checkpointer {
 public:
  /// `metrics` is borrowed and may be null.
  explicit Checkpointer(RunMetrics* metrics);
  ~Checkpointer();

  struct Job {
    TaskState* state = nullptr;
    CheckpointMeta meta;
    std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes;
  };
  /// The commit that the job belongs to has succeeded: it is written and published. Requires: !busy(job.state).
  void submit(Job job);
  [[nodiscard]] bool busy(const TaskState* state);
  /// Waits for all jobs.
  void finish();
  /// Waits for the job of one task, which may end after this.
  void finish(const TaskState* state);
  [[nodiscard]] std::int64_t published();

 private:
  void work();

  RunMetrics* const metrics_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;             // guarded by mutex_
  std::set<const TaskState*> busy_;  // guarded by mutex_
  std::exception_ptr error_;         // guarded by mutex_
  std::int64_t published_ = 0;       // guarded by mutex_
  bool stopping_ = false;            // guarded by mutex_
  std::thread thread_;
};

}  // namespace kappa
