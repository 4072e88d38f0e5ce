// kappa/engine/clock.h: the only place that reads a clock. Operators never see one (law L3); cadence, reports and idle
// decisions do.
//
// Threads:  safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace kappa {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic, for cadence.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;
  /// Milliseconds since 1970 UTC, for reports and retention.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
};

/// The machine's clocks.
[[nodiscard]] const Clock& system_clock();

}  // namespace kappa
