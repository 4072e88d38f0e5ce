// kappa/engine/error.h: the one exception type of kappa, and the check for programmer's mistakes.
//
// Threads:  values; share nothing.
// Errors:   a kind decides the exit code of the program (docs/OPERATING.md lists them).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace kappa {

enum class ErrorKind : std::uint8_t {
  usage,    // the command line, a setting or the SQL text is wrong; exit code 2
  refused,  // the run cannot be right, nothing was written (law L7); exit code 3
  failed,   // something broke on the way: I/O, a damaged file, a user's function threw; exit code 4
};

/// What ends a command or a run. The message names the node, topic-partition-offset or file, and the way out.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// The log cannot be reached, or has lost a transaction: nothing of what was not committed is visible, and who opens a
/// new producer, reads the committed positions and recovers may go on.
class LogUnavailable : public Error {
 public:
  explicit LogUnavailable(const std::string& message) : Error(ErrorKind::failed, message) {}
};

[[noreturn]] inline void usage_error(const std::string& message) { throw Error(ErrorKind::usage, message); }
[[noreturn]] inline void refuse(const std::string& message) { throw Error(ErrorKind::refused, message); }
[[noreturn]] inline void fail(const std::string& message) { throw Error(ErrorKind::failed, message); }

namespace detail {
[[noreturn]] inline void check_failed(const char* condition, const char* why, const char* file, int line) {
  throw std::logic_error(std::string("kappa: a programmer's mistake: ") + condition + " (" + why + ") at " + file +
                         ":" + std::to_string(line));
}
}  // namespace detail

}  // namespace kappa

/// On in release builds too. Must never be triggerable by user input.
#define KAPPA_CHECK(condition, why)                                       \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::kappa::detail::check_failed(#condition, why, __FILE__, __LINE__); \
  } while (false)
