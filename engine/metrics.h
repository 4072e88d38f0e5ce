// kappa/engine/metrics.h: what a run is doing now: counters and histograms that its workers keep, and the state of its
// tasks as they last told. Never on the path of a record: workers report between batches, at most twice a second.
//
// Threads:  any; readers get copies.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "kappa/engine/run_report.h"

namespace kappa {

/// Counts durations in buckets with fixed upper bounds.
class Histogram {
 public:
  static constexpr std::array<double, 18> kBounds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,  0.5,
                                                  1,     2,     5,     10,   30,   60,   300, 1800, 3600};  // seconds
  void observe(std::chrono::duration<double> duration);

  struct Snapshot {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // by bucket; the last one has no bound
    double sum = 0;                                          // seconds
    /// The least bound that so many of the observations lie at or below (quantile in 0 to 1); 0 without any. Where they
    /// lie above the last bound: that bound.
    [[nodiscard]] double quantile(double q) const;
    [[nodiscard]] std::uint64_t count() const;
  };
  [[nodiscard]] Snapshot snapshot() const;

 private:
  mutable std::mutex mutex_;
  Snapshot values_;
};

class RunMetrics {
 public:
  Histogram commit, checkpoint;
  /// From the timestamp of the oldest source record behind a commit's results to their being visible; one observation
  /// per task and commit.
  Histogram latency;
  std::atomic<std::int64_t> records_read{0}, commits{0}, checkpoints{0};

  /// Replaces what worker `number` said before, and counts as a sign of life.
  void report(int number, std::vector<TaskReport> tasks, std::chrono::steady_clock::time_point now);
  /// Worker `number` has ended or waits for others: its silence means nothing until it reports again.
  void rest(int number);

  /// Some worker has reported; it may have no tasks.
  [[nodiscard]] bool has_reports() const;
  /// All tasks, sorted; empty before the first reports.
  [[nodiscard]] std::vector<TaskReport> tasks() const;
  /// How long ago the worker that has been silent for longest reported; zero where none is at work.
  [[nodiscard]] std::chrono::steady_clock::duration silence(std::chrono::steady_clock::time_point now) const;

 private:
  mutable std::mutex mutex_;
  std::map<int, std::vector<TaskReport>> tasks_;                     // by worker
  std::map<int, std::chrono::steady_clock::time_point> last_alive_;  // by worker
};

}  // namespace kappa
