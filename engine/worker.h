// kappa/engine/worker.h: a thread's share of a run: its tasks, their producers, commits and checkpoints.
//
// A worker either has its tasks from the start to the end (add_task), or is a member of its stages' groups (join),
// which give it tasks and take them away while it works; worker_groups.cpp has the latter.
//
// Threads:  work() runs on the worker's thread; everything else before it starts or after it has ended, except stop().
// Errors:   work() lets Error out; what was not committed is not published.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "kappa/engine/checkpointer.h"
#include "kappa/engine/coordinator.h"
#include "kappa/engine/drift.h"
#include "kappa/engine/error.h"
#include "kappa/engine/live_watch.h"
#include "kappa/engine/recovery.h"

namespace kappa {

/// Which tasks some worker of this process holds: one may still hold a task that has been assigned to another.
class TaskClaims {
 public:
  [[nodiscard]] bool take(const TaskId& task);
  void give_back(const TaskId& task);

 private:
  std::mutex mutex_;
  std::set<TaskId> taken_;  // guarded by mutex_
};

/// What the workers of a run share.
struct RunShared {
  const TaskContext& context;
  const RunOptions& options;
  const Recovery& recovery;
  Coordinator& coordinator;
  Checkpointer* checkpointer = nullptr;  // null: no checkpoints
  StateStore* state = nullptr;           // null: no state that outlives the process
  TaskClaims claims = {};
  Drift drift = {};
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
  /// Instead of both: takes part in the group of a stage. In front of work().
  void join(int stage);
  void work(std::stop_token stop);
  [[nodiscard]] std::vector<const Task*> tasks() const;

 private:
  struct Slot;         // a task with its bookkeeping
  struct Transaction;  // a producer and the tasks of one stage

  void work_until(std::stop_token stop, bool bounded);
  /// False: the run is over.
  bool end_phase(std::stop_token stop);
  bool step_all();
  Slot& add_slot(Transaction& transaction, std::int32_t partition, TaskStart start, TaskState* state);
  void observe(std::chrono::steady_clock::duration took, std::int64_t commits_before);
  void report(bool force);
  void commit(bool final);
  void commit_stage(Transaction& transaction, bool markers);
  std::vector<Position> changed_positions(Transaction& transaction, bool markers);
  [[nodiscard]] bool commit_due() const;
  [[nodiscard]] std::chrono::milliseconds idle_wait() const;
  void checkpoint(bool force);
  void finish_tasks();
  void find_ends(Slot& slot);
  [[nodiscard]] bool all_finished() const;
  [[nodiscard]] Coordinator::Open open() const;
  void close_to(std::int64_t progress);
  void decide_idle();
  void decide_idle(Slot& slot, int input);
  [[nodiscard]] std::int64_t idle_progress_beside_others(const Task& task, int input) const;
  [[nodiscard]] std::int64_t idle_progress_alone(const Slot& slot, std::int64_t waited) const;
  [[nodiscard]] bool must_wait();

  void follow_groups();
  void on_change(Transaction& transaction, const GroupChange& change);
  void take_over(Transaction& transaction);
  bool begin_group(Transaction& transaction);
  bool take_over_task(Transaction& transaction, std::int32_t partition,
                      const std::map<TopicPartition, Position>& committed);
  bool keep_task(Transaction& transaction, std::int32_t partition, const std::map<TopicPartition, Position>& committed);
  void give_up(Transaction& transaction, bool lost);
  void drop_tasks(Transaction& transaction);
  void drop(std::unique_ptr<Slot> slot);
  std::unique_ptr<Slot> detach(Slot* slot);
  void start_over(const LogUnavailable& why);

  RunShared& shared_;
  int number_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<int, Transaction> transactions_;  // by stage
  std::chrono::steady_clock::time_point last_commit_, last_markers_, last_checkpoint_, last_report_, started_;
  std::int64_t records_since_commit_ = 0, commits_ = 0;
  std::unique_ptr<LiveWatch> live_;  // of a run other than live that yields to it
  bool waits_for_live_ = false;
  std::stop_token stop_;
};

}  // namespace kappa
