// tests/campaign/faults.h: what is done to a round, and what came of it.
//
// Threads:  one.
// Errors:   std::runtime_error as Round, and where a fault has another end than it must have.
#pragma once

#include <random>

#include "kappa/tests/campaign/proxy.h"
#include "kappa/tests/campaign/round.h"

namespace kappa::campaign {

enum class Fault : std::uint8_t {
  random_kill,  // SIGKILL at any moment
  kill_point,   // SIGKILL at the next named point
  zombie,       // held for longer than its transaction may last, while another takes over, and let go
  takeover,     // killed while it works and another joins
  broker_kill,  // SIGKILL of the broker, and a restart
  broker_stop,  // SIGTERM of the broker, and a restart
  broker_hold,  // SIGSTOP of the broker for some seconds
  end_lost,     // the reply to an EndTxn is lost with its connection
  end_delayed,  // the reply to an EndTxn comes late, or after the transaction's timeout
  two_at_once,  // two instances are started at the same moment
};
[[nodiscard]] std::string to_string(Fault fault);
[[nodiscard]] bool needs_proxy(Fault fault);
/// Those of commits on Kafka and of checkpoints.
[[nodiscard]] const std::vector<std::string>& kill_points();

/// What happened over all rounds.
struct Tally {
  std::map<std::string, Landed> landed;      // by fault; kill points by name too
  std::map<std::string, std::string> wrong;  // by plan: the first thing that went wrong
  int rounds = 0, restarts = 0, aborted_batches = 0, batches = 0;
  std::int64_t input = 0, output = 0;
};
/// A table for people.
[[nodiscard]] std::string to_string(const Tally& tally);

class Injector {
 public:
  Injector(Round& round, Proxy* proxy, std::uint64_t seed, Tally& tally)
      : round_(round), proxy_(proxy), random_(seed), tally_(tally) {}

  void inject(Fault fault);
  [[nodiscard]] Round& round() { return round_; }
  void kill_at(const std::string& point, int passage);
  /// Held at a point for longer than a session, while another instance takes over, and let go.
  void hold_at(const std::string& point, int passage);
  struct Replacement {
    bool held = false;        // the old one is stopped meanwhile, else killed
    bool times_out = false;   // for longer than its transaction may last
    bool comes_late = false;  // the new one starts after that
  };
  void replace(const Replacement& how);
  /// Four instances, of which one joins, leaves or dies at each turn.
  void storm(int turns);
  /// Holds the broker for so long.
  void hold_broker(std::chrono::milliseconds time);

 private:
  void kill_at_random();
  void hurt_broker(Fault fault);
  void disturb_end(Fault fault);
  void start_two();
  void let_go(Instance& held);
  void wait_a_little();
  [[nodiscard]] std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  [[nodiscard]] Landed& landed(Fault fault) { return tally_.landed[to_string(fault)]; }

  Round& round_;
  Proxy* proxy_;
  std::mt19937_64 random_;
  Tally& tally_;
  std::size_t next_point_ = 0;
};

struct Plan {
  RoundOptions options;
  bool proxied = false;
  std::function<void(Injector&)> deeds;
};
/// Starts an instance, lets the injector do its deeds, and checks. Empty, or what is wrong.
std::string torture(Broker& broker, Plan plan, Tally& tally);

}  // namespace kappa::campaign
