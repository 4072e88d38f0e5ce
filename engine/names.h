// kappa/engine/names.h: under which names a run appears in its log: groups, their members, producers.
//
// Threads:  functions without state.
#pragma once

#include <string>

#include "kappa/engine/run.h"

namespace kappa {

/// The group that holds the positions of a stage; `run` is empty for live.
[[nodiscard]] std::string group_of(const Graph& graph, const Stage& stage, const std::string& run);
/// The transactional id under which an instance's worker (or "start") commits a stage.
[[nodiscard]] std::string producer_of(const Graph& graph, const Stage& stage, const RunOptions& options,
                                      const std::string& worker);
/// The place of one worker of an instance in the group of a stage.
[[nodiscard]] GroupMember group_member(const Graph& graph, const Stage& stage, const RunOptions& options, int worker);

}  // namespace kappa
