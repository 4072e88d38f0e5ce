#include "kappa/engine/live_watch.h"

#include <algorithm>

namespace kappa {

namespace {
constexpr std::chrono::milliseconds kLookInterval{500};
// A commit of a busy run comes every commit.interval; a broker that is slow may hold one up for seconds.
constexpr std::chrono::seconds kMoveMax{5};
}  // namespace

LiveWatch::LiveWatch(Log& log, std::vector<std::string> groups, std::int64_t lag_max)
    : log_(log), groups_(std::move(groups)), lag_max_(lag_max) {}

bool LiveWatch::is_behind(std::chrono::steady_clock::time_point now) {
  if (!has_looked_ || now - last_look_ >= kLookInterval) look(now);
  return has_moved_ && lag_ > lag_max_ && now - last_move_ < kMoveMax;
}

void LiveWatch::look(std::chrono::steady_clock::time_point now) {
  std::map<TopicPartition, std::int64_t> positions;
  lag_ = 0;
  for (const std::string& group : groups_) {
    for (const auto& [at, position] : log_.committed(group)) {
      positions[at] = position.offset;
      lag_ += std::max<std::int64_t>(0, log_.end_offset(at) - position.offset);
    }
  }
  if (has_looked_ && positions != positions_) {
    has_moved_ = true;
    last_move_ = now;
  }
  positions_ = std::move(positions);
  has_looked_ = true;
  last_look_ = now;
}

}  // namespace kappa
