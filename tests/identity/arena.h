// tests/identity/arena.h: a pipeline, its input in a log of its own, and the `kappa` program run on them.
//
// Threads:  values of one thread.
// Owns:     an Arena owns its directory, a Process its child (killed by the destructor).
// Errors:   std::runtime_error where the test itself cannot go on.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <sys/types.h>

#include "kappa/engine/log/local/local_log.h"

namespace kappa::testkit {

struct InputRecord {
  std::string topic;
  std::int32_t partition = 0;
  std::optional<std::string> key, value;
  std::int64_t timestamp_ms = 0;
};

struct Scenario {
  std::string name, application, sink, sql;
  std::map<std::string, std::int32_t> topics;  // of the input: partitions
  std::vector<InputRecord> input;              // in the order in which it arrives
};

struct PublishedRecord {
  std::optional<std::string> key, value;
  std::int64_t timestamp_ms = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // without kappa-run
  bool operator==(const PublishedRecord&) const = default;
};

/// Sequences that must be equal (docs/FORMAT.md, Equality), by a name for people: "sink-0", "late of bids-1", …
using Published = std::map<std::string, std::vector<PublishedRecord>>;

/// Empty if equal, else the first difference of each sequence.
[[nodiscard]] std::string difference(const Published& want, const Published& got);

struct Exit {
  int code = 0;    // -1 where a signal ended it
  int signal = 0;  // 0 where it ended itself
  std::string out, errors;
};

class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& directory);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();
  void send(int signal) const;
  [[nodiscard]] bool has_ended();
  /// It lives, and SIGSTOP holds it.
  [[nodiscard]] bool is_held() const;
  Exit wait();

 private:
  std::filesystem::path out_, errors_;
  pid_t child_ = -1;
  std::optional<int> status_;
};

using Settings = std::vector<std::string>;  // NAME=VALUE

/// Runs that died by SIGKILL, and those of them in which a thread was inside a commit of the log, or a checkpoint.
struct Kills {
  int all = 0, in_commit = 0, in_checkpoint = 0;
};
void operator+=(Kills& a, const Kills& b);
[[nodiscard]] std::string to_string(const Kills& kills);

class Arena {
 public:
  explicit Arena(const Scenario& scenario);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Appends input records [fed so far, to).
  void feed(std::size_t to);
  void feed_all() { feed(scenario_.input.size()); }
  [[nodiscard]] std::size_t fed() const { return fed_; }
  [[nodiscard]] const Scenario& scenario() const { return scenario_; }

  /// `kappa VERB PIPELINE ARGUMENTS… --set …`
  [[nodiscard]] std::unique_ptr<Process> start(const std::string& verb, const std::vector<std::string>& arguments,
                                               const Settings& settings, const std::string& kill_point = "");
  Exit call(const std::string& verb, const std::vector<std::string>& arguments, const Settings& settings,
            const std::string& kill_point = "");
  /// Requires: `exit` is of the process started last.
  void count_kill(const Exit& exit, bool at_any_moment);
  /// `kappa run --until-end`; throws with what it printed if that does not end well.
  Exit finish(const Settings& settings, const std::vector<std::string>& arguments = {"--until-end"});

  void remove_state() const { std::filesystem::remove_all(directory_ / "state"); }
  /// Those of live and of all replays; what is known of the replays stays.
  void remove_checkpoints() const;
  /// Records in the sink topic (of a run other than live) now.
  [[nodiscard]] std::int64_t published_count(const std::string& run = "");
  [[nodiscard]] Published published(const std::string& run = "");
  [[nodiscard]] Log& log() { return *log_; }
  Kills kills_at_points, kills_at_any_moment;
  [[nodiscard]] int kills() const { return kills_at_points.all + kills_at_any_moment.all; }
  std::map<std::string, std::string> variables;  // of the processes, beside the test's own
  int stops = 0;                                 // by SIGTERM
  std::vector<std::int64_t> published_at_kills;  // the number of results at each death

 private:
  void collect(const std::string& what, const std::string& topic, bool by_source, Published& all);

  const Scenario& scenario_;
  std::filesystem::path directory_;
  std::unique_ptr<LocalLog> log_;
  std::unique_ptr<Producer> producer_;
  std::size_t fed_ = 0;
};

}  // namespace kappa::testkit
