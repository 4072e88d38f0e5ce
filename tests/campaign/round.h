// tests/campaign/round.h: one application on the broker, fed and read while it is made to suffer.
//
// Threads:  one; the reader has its own.
// Errors:   std::runtime_error where the round cannot go on: no progress for a minute, an end that no supervisor mends.
#pragma once

#include <algorithm>
#include <functional>

#include "kappa/tests/campaign/broker.h"
#include "kappa/tests/campaign/feeder.h"
#include "kappa/tests/campaign/instance.h"
#include "kappa/tests/campaign/reader.h"
#include "kappa/tests/campaign/subject.h"

namespace kappa::campaign {

struct RoundOptions {
  std::string name;
  Shape shape = Shape::windows;
  std::uint64_t seed = 1;
  std::int64_t rows = 3000;
  std::string bootstrap;                         // empty: the broker itself
  testkit::Settings settings;                    // over those of the round
  std::map<std::string, std::string> variables;  // for every start
  bool close = false;                            // the last run is with --close
};

/// So short that a transaction that nobody ends does so within the test.
inline constexpr std::chrono::milliseconds kTransactionTimeout{4000};

class Round {
 public:
  Round(Broker& broker, RoundOptions options);
  ~Round();
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  /// A new instance with a state directory of its own; not started.
  std::size_t add_instance(const testkit::Settings& settings = {});
  [[nodiscard]] Instance& instance(std::size_t number) { return *instances_.at(number); }
  [[nodiscard]] Instance& current() { return *instances_.at(current_number); }
  [[nodiscard]] std::size_t instances() const { return instances_.size(); }
  /// With the round's variables and these.
  void start(std::size_t number, std::map<std::string, std::string> variables = {});

  /// One turn: feeds a little (unless held), looks after the instances, and waits a moment for the reader.
  void turn();
  /// From now on that much more of the input may be fed; the rest is for what comes later.
  void allow(std::size_t records) { allowed_ = std::max(allowed_, feeder_.fed()) + records; }
  /// Turns until the reader has seen so many records more, or the input is used up and nothing comes any more.
  void await_progress(std::int64_t records);
  void await(const std::function<bool()>& condition, const std::string& what);
  void work_for(std::chrono::milliseconds time);
  /// Appends so many records at once, so that there is something to do for a while.
  void feed_backlog(std::size_t records) { feeder_.feed_to(feeder_.fed() + records); }

  /// Feeds the rest, ends the instances, runs to the end and compares. Empty, or what is wrong.
  [[nodiscard]] std::string finish();
  [[nodiscard]] int restarts() const;
  /// How each process ended, a line each.
  [[nodiscard]] std::string ends() const;
  [[nodiscard]] CommittedReader& reader() { return *reader_; }
  [[nodiscard]] const Feeder& feeder() const { return feeder_; }
  [[nodiscard]] Broker& broker() { return broker_; }

  std::size_t current_number = 0;
  bool feeding = true;

 private:
  [[nodiscard]] bool is_quiet_for(std::chrono::milliseconds time) const;
  [[nodiscard]] std::string check_input();
  [[nodiscard]] std::string check_output(const Seen& seen, const std::string& who) const;
  [[nodiscard]] std::string await_stable_ends(const std::map<std::string, int>& topics) const;
  [[nodiscard]] std::map<std::string, int> all_topics() const;

  Broker& broker_;
  RoundOptions options_;
  Subject subject_;
  Feeder feeder_;
  std::unique_ptr<CommittedReader> reader_;
  std::size_t allowed_ = 0;
  std::int64_t last_count_ = -1;                                      // of the reader
  std::chrono::steady_clock::time_point last_extra_{}, last_seen_{};  // when that was new
  std::vector<std::unique_ptr<Instance>> instances_;
  std::map<TopicPartition, std::map<std::string, std::string>> index_of_;  // the input's records by offset
};

}  // namespace kappa::campaign
