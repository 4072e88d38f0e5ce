#include "kappa/engine/sole_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>

#include "kappa/engine/error.h"
#include "kappa/engine/names.h"

namespace kappa {

namespace {
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr std::chrono::seconds kSlack{4};  // for the brokers to share out anew when a session is over
}  // namespace

SoleMember::SoleMember(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options) {
  constexpr int kFirstWorker = 0;
  for (const Stage& stage : topology.stages) {
    const GroupMember member = group_member(graph, stage, options, kFirstWorker);
    groups_.push_back(member.group);
    members_.push_back(log.join_group(member));
  }
  wait_for_all(topology, log);
}

void SoleMember::wait_for_all(const Topology& topology, Log& log) {
  std::vector<std::size_t> have(members_.size(), 0);
  const auto until = std::chrono::steady_clock::now() + members_.front()->session() + kSlack;
  for (;;) {
    bool all = true;
    for (std::size_t s = 0; s < members_.size(); ++s) {
      const GroupChange change = members_[s]->poll();
      if (change.kind == GroupChange::Kind::assigned) have[s] = change.partitions.size();
      if (change.kind == GroupChange::Kind::revoked || change.kind == GroupChange::Kind::lost) {
        have[s] = 0;
        members_[s]->release();
      }
      all &= have[s] == static_cast<std::size_t>(topology.stages[s].partitions);
      if (have[s] < static_cast<std::size_t>(topology.stages[s].partitions) && std::chrono::steady_clock::now() > until)
        refuse(fmt::format(
            "this run needs all partitions, and got {} of {}: other instances of the application are at work (group "
            "\"{}\"). Stop them first; one that died is forgotten after its session (kafka.session.timeout.ms)",
            have[s], topology.stages[s].partitions, groups_[s]));
    }
    if (all) return;
    log.wait(kLookAgain);
  }
}

void SoleMember::watch(std::function<void()> on_loss) {
  watcher_ = std::jthread([this, on_loss = std::move(on_loss)](const std::stop_token& done) {
    std::condition_variable_any tick;
    std::mutex none;
    for (std::unique_lock lock(none); !done.stop_requested();) {
      try {
        for (std::size_t s = 0; s < members_.size(); ++s)
          if (members_[s]->poll().kind != GroupChange::Kind::none)
            fail(fmt::format(
                "another instance of the application has joined the group \"{}\", and this run needs all partitions. "
                "What is committed stays; start it again when it is alone",
                groups_[s]));
      } catch (...) {
        const std::lock_guard guard(mutex_);
        error_ = std::current_exception();
        on_loss();
        return;
      }
      tick.wait_for(lock, done, kLookAgain, [] { return false; });
    }
  });
}

void SoleMember::rethrow() {
  const std::lock_guard guard(mutex_);
  if (error_) std::rethrow_exception(error_);
}

}  // namespace kappa
