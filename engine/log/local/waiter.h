// kappa/engine/log/local/waiter.h: lets threads sleep until the journal has changed or somebody calls wake().
//
// Threads:  safe. Each thread that waits has its own inotify and eventfd, since one reader of events would take them
//           from the others.
// Errors:   without inotify (its limits are low on some machines) threads look again every few milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "kappa/engine/log/local/log_core.h"

namespace kappa::detail {

class Waiters {
 public:
  explicit Waiters(LogCore& core) : core_(core) {}
  ~Waiters();

  void wait(std::chrono::milliseconds timeout);
  void wake();

 private:
  struct Waiter;
  std::shared_ptr<Waiter> mine();

  LogCore& core_;
  std::mutex mutex_;
  std::map<std::thread::id, std::shared_ptr<Waiter>> waiters_;
  std::uint64_t wakes_ = 0;
};

}  // namespace kappa::detail
