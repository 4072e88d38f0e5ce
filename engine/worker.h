// kappa/engine/worker.h: a thread's share of a run: its tasks, their producers, commits and checkpoints.
//
// Threads:  work() runs on the worker's thread; everything else before it starts or after it has ended, except stop().
// Errors:   work() lets Error out; what was not committed is not published.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kappa/engine/checkpointer.h"
#include "kappa/engine/coordinator.h"
#include "kappa/engine/recovery.h"

namespace kappa {

/// What the workers of a run share.
struct RunShared {
  const TaskContext& context;
  const RunOptions& options;
  Coordinator& coordinator;
  Checkpointer* checkpointer = nullptr;  // null: no checkpoints
  std::atomic<std::int64_t> records_read{0};
  std::atomic<std::int64_t> commits{0};
};

class Worker {
 public:
  explicit Worker(RunShared& shared);
  ~Worker();

  /// Of a stage that will get tasks; in front of them.
  void add_producer(int stage, std::unique_ptr<Producer> producer);
  /// `state` may be null; both are borrowed.
  void add_task(int stage, std::int32_t partition, TaskStart start, TaskState* state);
  void work(std::stop_token stop);
  [[nodiscard]] std::vector<const Task*> tasks() const;

 private:
  struct Slot;         // a task with its bookkeeping
  struct Transaction;  // a producer and the tasks of one stage

  bool step_all();
  void commit(bool final);
  void commit_stage(Transaction& transaction, bool markers);
  [[nodiscard]] bool commit_due() const;
  void checkpoint(bool force);
  void finish_tasks();
  void find_ends(Slot& slot);
  [[nodiscard]] bool all_finished() const;
  [[nodiscard]] Coordinator::Open open() const;
  void close_to(std::int64_t progress);
  void decide_idle();
  void decide_idle(Slot& slot, int input);
  void pace();

  RunShared& shared_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<int, Transaction> transactions_;  // by stage
  std::chrono::steady_clock::time_point last_commit_, last_markers_, last_checkpoint_, started_;
  std::int64_t records_ = 0, records_at_commit_ = 0, records_counted_ = 0;
  std::stop_token stop_;
};

}  // namespace kappa
