#include "kappa/engine/checkpointer.h"

#include "kappa/engine/kill_region.h"

namespace kappa {

Checkpointer::Checkpointer(RunMetrics* metrics) : metrics_(metrics), thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
    busy_.insert(job.state);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

bool Checkpointer::busy(const TaskState* state) {
  const std::lock_guard lock(mutex_);
  return busy_.count(state) > 0;
}

void Checkpointer::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return busy_.empty() || error_; });
  if (error_) std::rethrow_exception(error_);
}

void Checkpointer::finish(const TaskState* state) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return busy_.count(state) == 0; });
}

std::int64_t Checkpointer::published() {
  const std::lock_guard lock(mutex_);
  return published_;
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    std::exception_ptr error;
    try {
      KAPPA_INSIDE(checkpoint);
      const auto began = std::chrono::steady_clock::now();
      job.state->write(job.meta, std::move(job.nodes));
      job.state->publish();
      if (metrics_) metrics_->checkpoint.observe(std::chrono::steady_clock::now() - began), ++metrics_->checkpoints;
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_.erase(job.state);
    ++published_;
    if (error && !error_) error_ = error;
    changed_.notify_all();
  }
}

}  // namespace kappa
