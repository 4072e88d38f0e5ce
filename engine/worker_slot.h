// kappa/engine/worker_slot.h: a worker's bookkeeping. Private to engine/worker*.cpp.
#pragma once

#include "kappa/engine/worker.h"

namespace kappa {

struct Worker::Slot {
  explicit Slot(Drift& of) : drift(of) {}

  int stage = 0;
  std::unique_ptr<TaskState> own_state;  // of a task that came by a group
  std::unique_ptr<Task> task;
  TaskState* state = nullptr;
  std::int64_t checkpoint = 0;  // number of the last one
  bool finished = false;
  bool first_commit_done = false;
  std::chrono::steady_clock::time_point committed_at;
  std::vector<std::pair<std::int64_t, std::int64_t>> committed;  // per input: position, progress
  std::vector<Position> published;                               // what the log says of this task, as far as is known
  struct Quiet {
    std::int64_t position = -1, progress = kNever;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Quiet> quiet;    // per input
  std::int64_t max_drift = 0;  // µs; 0: never waits, and nobody waits for it
  Drift::Member drift;
};

struct Worker::Transaction {
  int stage = 0;
  std::string id;  // of the producer, where it is opened by the worker
  std::string group;
  std::unique_ptr<Membership> member;  // null: the tasks are the worker's for good
  std::unique_ptr<Producer> producer;  // ends in front of the member as which it commits
  std::int64_t sequence = 0;
  int losses = 0;  // commits that did not succeed, in a row
  std::vector<Slot*> slots;

  // Of a member:
  std::vector<std::int32_t> assigned;
  bool placed = false;                                 // has taken over what was assigned, at least once
  bool needs_tasks = false;                            // `assigned` has not been taken over yet
  std::chrono::steady_clock::time_point next_try;      // of taking over
  std::map<std::int32_t, std::unique_ptr<Slot>> kept;  // given up, and still as committed; by partition
};

}  // namespace kappa
