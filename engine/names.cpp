#include "kappa/engine/names.h"

#include <fmt/format.h>

namespace kappa {

std::string group_of(const Graph& graph, const Stage& stage, const std::string& run) {
  return graph.name() + "-" + stage.name + (run.empty() ? "" : "." + run);
}

GroupMember group_member(const Graph& graph, const Stage& stage, const RunOptions& options, int worker) {
  GroupMember member{group_of(graph, stage, options.run), {}, "", options.at_least_once};
  for (const StageInput& input : stage.inputs) member.topics.push_back(input.topic);
  if (options.static_membership) member.static_name = producer_of(graph, stage, options, std::to_string(worker));
  return member;
}

std::string producer_of(const Graph& graph, const Stage& stage, const RunOptions& options, const std::string& worker) {
  return fmt::format("{}.instance-{}.{}", group_of(graph, stage, options.run), options.instance, worker);
}

}  // namespace kappa
