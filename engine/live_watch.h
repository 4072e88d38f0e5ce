// kappa/engine/live_watch.h: whether the live run of the same application needs the machine and the brokers more than a
// replay does (law L8).
//
// Live is at work if its committed positions have moved lately, and lags if it is further behind the ends of its
// sources than is allowed. A live run that is stopped or stuck holds no replay up.
//
// Threads:  belongs to one.
// Owns:     nothing; borrows the log.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa {

class LiveWatch {
 public:
  /// `groups`: of live's stages that read sources.
  LiveWatch(Log& log, std::vector<std::string> groups, std::int64_t lag_max);

  /// Looks at most twice a second.
  [[nodiscard]] bool is_behind(std::chrono::steady_clock::time_point now);
  /// Records between live's positions and the ends, when looked at last.
  [[nodiscard]] std::int64_t lag() const { return lag_; }

 private:
  void look(std::chrono::steady_clock::time_point now);

  Log& log_;
  const std::vector<std::string> groups_;
  const std::int64_t lag_max_;
  std::map<TopicPartition, std::int64_t> positions_;
  std::int64_t lag_ = 0;
  bool has_looked_ = false, has_moved_ = false;
  std::chrono::steady_clock::time_point last_look_, last_move_;
};

}  // namespace kappa
