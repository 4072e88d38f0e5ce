// kappa/engine/kill_point.h: named points where a test ends the process, or makes a system call fail, exactly.
//
// In builds with KAPPA_KILL_POINTS the environment variable KAPPA_KILL=point:n sends SIGKILL to the process at the n-th
// passage of that point (n from 1), KAPPA_HOLD=point:n SIGSTOP, and KAPPA_FAULT=point:n makes KAPPA_FAULT(point) true
// there; KAPPA_FAULT=point does so at every passage: docs/faults.md lists the points that make kappa wrong. In other
// builds both are nothing.
//
// Threads:  any; passages are counted over all of them.
#pragma once

#ifdef KAPPA_KILL_POINTS

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include <unistd.h>

namespace kappa::detail {

/// Counts the passages of the one point that an environment variable names; a changed variable starts anew (a forked
/// child sets its own).
class ArmedPoint {
 public:
  bool reached(const char* variable, std::string_view point) {
    const char* spec = std::getenv(variable);
    if (spec == nullptr) return false;
    const std::lock_guard lock(mutex_);
    if (spec_ != spec) arm(spec);
    return point == point_ && (passage_ == 0 || ++passages_ == passage_);
  }

 private:
  void arm(const char* spec) {
    spec_ = spec;
    const auto colon = spec_.rfind(':');
    point_ = spec_.substr(0, colon);
    passage_ = colon == std::string::npos ? 0 : std::strtoll(spec_.c_str() + colon + 1, nullptr, 10);
    passages_ = 0;
  }

  std::mutex mutex_;
  std::string spec_, point_;
  std::int64_t passage_ = 0, passages_ = 0;  // passage 0: every one
};

inline bool kill_point_reached(std::string_view point) {
  static ArmedPoint armed;
  return armed.reached("KAPPA_KILL", point);
}
inline bool fault_reached(std::string_view point) {
  static ArmedPoint armed;
  return armed.reached("KAPPA_FAULT", point);
}
inline bool hold_point_reached(std::string_view point) {
  static ArmedPoint armed;
  return armed.reached("KAPPA_HOLD", point);
}
// This thread itself takes it, so that it goes no further.
inline void hold_process_now() { ::raise(SIGSTOP); }
inline void end_process_now() { ::kill(::getpid(), SIGKILL); }

}  // namespace kappa::detail

#define KAPPA_HOLD_REACHED(name) ::kappa::detail::hold_point_reached(name)
#define KAPPA_HOLD_NOW() ::kappa::detail::hold_process_now()
#define KAPPA_KILL_REACHED(name) ::kappa::detail::kill_point_reached(name)
#define KAPPA_KILL_NOW() ::kappa::detail::end_process_now()
#define KAPPA_FAULT(name) ::kappa::detail::fault_reached(name)

#else

#define KAPPA_HOLD_REACHED(name) false
#define KAPPA_HOLD_NOW() static_cast<void>(0)
#define KAPPA_KILL_REACHED(name) false
#define KAPPA_KILL_NOW() static_cast<void>(0)
#define KAPPA_FAULT(name) false

#endif

#define KAPPA_KILL_POINT(name)                      \
  do {                                              \
    if (KAPPA_KILL_REACHED(name)) KAPPA_KILL_NOW(); \
    if (KAPPA_HOLD_REACHED(name)) KAPPA_HOLD_NOW(); \
  } while (false)
