// kappa/engine/drift.h: holds sources together in event time. A task far ahead of the slowest one that still has
// records waits for it: what is behind their repartition would have to hold its rows for so long (max_drift).
//
// Of one process: what others read is not known here. Order and results never depend on it, only memory does.
//
// Threads:  Drift from any thread; a Member belongs to its task's thread.
// Owns:     nothing; members borrow their Drift.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "kappa/engine/types.h"

namespace kappa {

class Drift {
 public:
  /// One task.
  class Member {
   public:
    explicit Member(Drift& drift) : drift_(drift) {}
    ~Member() { note(std::nullopt); }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    /// The progress of what was read just now, or of where it begins; nothing where there was nothing to read.
    void note(std::optional<std::int64_t> progress);
    /// What it read last lies more than `most` µs of event time before that.
    [[nodiscard]] bool is_ahead(std::int64_t most) const;

   private:
    Drift& drift_;
  };

 private:
  std::mutex mutex_;
  std::map<const Member*, std::int64_t> reading_;  // progress of those that found records when they last looked
};

inline void Drift::Member::note(std::optional<std::int64_t> progress) {
  const std::lock_guard lock(drift_.mutex_);
  if (progress)
    drift_.reading_[this] = *progress;
  else
    drift_.reading_.erase(this);
}

inline bool Drift::Member::is_ahead(std::int64_t most) const {
  const std::lock_guard lock(drift_.mutex_);
  const auto mine = drift_.reading_.find(this);
  if (mine == drift_.reading_.end()) return false;
  const auto slowest = std::min_element(drift_.reading_.begin(), drift_.reading_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  return slowest->second < mine->second - most;
}

}  // namespace kappa
