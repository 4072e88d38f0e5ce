#include "kappa/engine/metrics.h"

#include <algorithm>
#include <numeric>

namespace kappa {

void Histogram::observe(std::chrono::duration<double> duration) {
  const double seconds = std::max(0.0, duration.count());
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  const std::lock_guard lock(mutex_);
  ++values_.counts[static_cast<std::size_t>(bucket)];
  values_.sum += seconds;
}

Histogram::Snapshot Histogram::snapshot() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

std::uint64_t Histogram::Snapshot::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double Histogram::Snapshot::quantile(double q) const {
  const double wanted = q * static_cast<double>(count());
  double seen = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    seen += static_cast<double>(counts[i]);
    if (seen > 0 && seen >= wanted) return kBounds[i];
  }
  return seen > 0 || counts.back() > 0 ? kBounds.back() : 0;
}

void RunMetrics::report(int number, std::vector<TaskReport> tasks, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  tasks_[number] = std::move(tasks);
  last_alive_[number] = now;
}

void RunMetrics::rest(int number) {
  const std::lock_guard lock(mutex_);
  last_alive_.erase(number);
}

bool RunMetrics::has_reports() const {
  const std::lock_guard lock(mutex_);
  return !tasks_.empty();
}

std::vector<TaskReport> RunMetrics::tasks() const {
  std::vector<TaskReport> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [worker, tasks] : tasks_) all.insert(all.end(), tasks.begin(), tasks.end());
  std::sort(all.begin(), all.end(), [](const TaskReport& a, const TaskReport& b) { return a.task < b.task; });
  return all;
}

std::chrono::steady_clock::duration RunMetrics::silence(std::chrono::steady_clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  std::chrono::steady_clock::duration longest{0};
  for (const auto& [worker, last] : last_alive_) longest = std::max(longest, now - last);
  return longest;
}

}  // namespace kappa
