// kappa/service/settings.h: settings by name, from the pipeline, a file, the environment and the command line; the last
// one wins.
//
// Threads:  immutable after load.
// Errors:   Error{usage} for an unknown name (with the nearest), a value that does not parse, a setting that this
// version does not
//           have yet; the message says where it was set.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kappa/engine/run.h"

namespace kappa {

class Settings {
 public:
  /// Takes a value; `where` is "SET in delays.sql", "kappa.conf:3", "--set", …. Resolves ${env:X} and ${file:P}.
  void set(const std::string& name, const std::string& value, const std::string& where);
  /// Lines of `name = value`; '#' begins a comment.
  void read_file(const std::filesystem::path& file);
  /// KAPPA_LOG_DIRECTORY sets log.directory, and so on; other variables are left alone.
  void read_environment();

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) > 0; }
  /// The value, or the default that docs/OPERATING.md gives.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::chrono::milliseconds duration(const std::string& name) const;
  /// Settings "kafka.*" by the client's own names.
  [[nodiscard]] std::map<std::string, std::string> kafka() const;
  /// Error{usage} that names the setting, its value and where it was set.
  [[noreturn]] void reject(const std::string& name, const std::string& why) const;
  /// Name, value, where it was set; defaults included.
  struct Line {
    std::string name, value, where;
  };
  [[nodiscard]] std::vector<Line> lines() const;

 private:
  struct Value {
    std::string text, where;
  };
  std::map<std::string, Value> values_;
};

/// RFC 3339, a date (UTC), epoch milliseconds, or a duration back from `now_ms` ("6h", "PT6H"); in µs.
[[nodiscard]] std::int64_t parse_time_argument(const std::string& text, std::int64_t now_ms, const std::string& option);

/// What the settings say about a run; bounds and callbacks are the command's.
[[nodiscard]] RunOptions run_options(const Settings& settings);

}  // namespace kappa
