// kappa/service/report.h: what a run did, for people and as JSON; and its progress while it runs.
#pragma once

#include <string>

#include "kappa/engine/run.h"
#include "kappa/replay/replay.h"

namespace kappa {

[[nodiscard]] std::string describe(const RunReport& report);
[[nodiscard]] std::string to_json(const RunReport& report);
[[nodiscard]] std::string describe(const ReplayReport& report);
[[nodiscard]] std::string to_json(const ReplayReport& report);

/// Rate and time to go, from the records read so far.
class Progress {
 public:
  explicit Progress(const Clock& clock) : clock_(clock), started_(clock.now()), last_(started_) {}
  /// `of` is 0 where no end is known.
  void show(std::int64_t read, std::int64_t of);

 private:
  const Clock& clock_;
  std::chrono::steady_clock::time_point started_, last_;
  std::int64_t last_read_ = 0;
};

}  // namespace kappa
