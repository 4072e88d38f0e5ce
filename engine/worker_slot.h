// kappa/engine/worker_slot.h: a worker's bookkeeping. Private to engine/worker*.cpp.
#pragma once

#include "kappa/engine/worker.h"

namespace kappa {

struct Worker::Slot {
  int stage = 0;
  std::unique_ptr<Task> task;
  TaskState* state = nullptr;
  std::int64_t checkpoint = 0;  // number of the last one
  bool finished = false;
  bool first_commit_done = false;
  std::chrono::steady_clock::time_point committed_at;
  std::vector<std::pair<std::int64_t, std::int64_t>> committed;  // per input: position, progress
  struct Quiet {
    std::int64_t position = -1, progress = kNever;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Quiet> quiet;  // per input
};

struct Worker::Transaction {
  std::unique_ptr<Producer> producer;
  std::string group;
  std::int64_t sequence = 0;
  std::vector<Slot*> slots;
};

}  // namespace kappa
