#include "kappa/engine/coordinator.h"

#include <algorithm>

namespace kappa {

namespace {
std::vector<int> tasks_of(const Topology& topology) {
  std::vector<int> tasks;
  for (const Stage& stage : topology.stages) tasks.push_back(stage.partitions);
  return tasks;
}
}  // namespace

Coordinator::Coordinator(const Topology& topology, int workers, bool close)
    : tasks_(tasks_of(topology)), workers_(workers), close_(close), finished_(tasks_.size(), 0) {}

void Coordinator::task_finished(int stage) {
  const std::lock_guard lock(mutex_);
  ++finished_[static_cast<std::size_t>(stage)];
}

bool Coordinator::stage_finished(int stage) {
  const std::lock_guard lock(mutex_);
  return finished_[static_cast<std::size_t>(stage)] == tasks_[static_cast<std::size_t>(stage)];
}

Coordinator::Phase Coordinator::arrive(const Open& open, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  open_.any |= open.any;
  open_.progress_wanted = std::max(open_.progress_wanted, open.progress_wanted);
  const int phase = phase_;
  if (++arrived_ < workers_) {
    const bool told = changed_.wait(lock, stop, [&] { return phase_ != phase; });
    return told ? next_ : Phase{};
  }
  next_ = Phase{!(close_ && open_.any), open_.progress_wanted};
  arrived_ = 0;
  ++phase_;
  open_ = {};
  std::fill(finished_.begin(), finished_.end(), 0);
  changed_.notify_all();
  return next_;
}

}  // namespace kappa
