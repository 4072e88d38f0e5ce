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
#include "kappa/engine/live_watch.h"
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
  Worker(RunShared& shared, int number);
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
  void observe(std::chrono::steady_clock::time_point began, std::int64_t commits_before);
  void report(bool force);
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
  [[nodiscard]] bool must_wait();

  RunShared& shared_;
  int number_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<int, Transaction> transactions_;  // by stage
  std::chrono::steady_clock::time_point last_commit_, last_markers_, last_checkpoint_, last_report_, started_;
  std::int64_t records_ = 0, records_at_commit_ = 0, records_counted_ = 0, commits_ = 0;
  std::unique_ptr<LiveWatch> live_;  // of a run other than live that yields to it
  bool waits_for_live_ = false;
  std::stop_token stop_;
};

}  // namespace kappa
