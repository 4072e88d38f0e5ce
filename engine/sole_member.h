// kappa/engine/sole_member.h: a run that needs all partitions of an application's groups for itself, on a log that
// shares them out: it is the only member, and ends when another one joins.
//
// Threads:  one; a thread of its own keeps the memberships alive.
// Errors:   Error{refused} where other members are there. `on_loss` is called once, from that thread, when the run must
//           end; rethrow() then says why.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kappa/engine/run.h"

namespace kappa {

class SoleMember {
 public:
  /// Joins all groups, and waits until all partitions are its own: until the session of one that has died is over.
  SoleMember(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options);

  [[nodiscard]] const Membership* of(std::size_t stage) const { return members_[stage].get(); }
  void watch(std::function<void()> on_loss);
  void rethrow();

 private:
  void wait_for_all(const Topology& topology, Log& log);

  std::vector<std::string> groups_;
  std::vector<std::unique_ptr<Membership>> members_;
  std::mutex mutex_;
  std::exception_ptr error_;  // guarded by mutex_
  std::jthread watcher_;
};

}  // namespace kappa
