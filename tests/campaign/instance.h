// tests/campaign/instance.h: a `kappa run` with a state directory of its own, and who starts it again.
//
// Threads:  one.
// Owns:     its directory and its process.
// Errors:   std::runtime_error where it ends as a supervisor must not accept: by code 2 or 3, or with a defect's text.
#pragma once

#include "kappa/tests/identity/arena.h"

namespace kappa::campaign {

/// Faults of one kind: how many there were, and how many of them came while a commit or a checkpoint was under way.
struct Landed {
  int injected = 0, in_commit = 0, in_checkpoint = 0;
};

class Instance {
 public:
  Instance(const std::string& name, const std::string& sql, testkit::Settings settings);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// `kappa run pipeline.sql ARGUMENTS…`; `extra` variables are for this start alone.
  void start(const std::map<std::string, std::string>& extra = {}, const std::vector<std::string>& arguments = {});
  [[nodiscard]] bool is_running();
  [[nodiscard]] bool is_held() const { return process_ && process_->is_held(); }
  /// As systemd does: starts it again where it ended by a signal or code 4. Codes 2 and 3 are refusals: it throws.
  void tend();
  void send(int signal) const;
  testkit::Exit wait();
  /// SIGTERM, and what a supervisor expects of that.
  void stop();
  /// Whether a thread is in a region of engine/kill_region.h, or was when the process died.
  void note(Landed& landed) const;
  void remove_state() const;

  bool supervised = true;
  std::map<std::string, std::string> variables;  // for the starts by tend()
  int restarts = 0;
  std::vector<testkit::Exit> exits;

 private:
  std::filesystem::path directory_;
  testkit::Settings settings_;
  std::unique_ptr<testkit::Process> process_;
};

}  // namespace kappa::campaign
