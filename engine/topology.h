// kappa/engine/topology.h: a graph cut into stages at its repartitions, with every input of a task numbered.
//
// A stage × a partition is a task. The inputs of a task are its source topics and, per repartition that it reads, each
// upstream task. Inputs are numbered by the names of their nodes, so reordering a pipeline's text changes nothing.
//
// `shared` nodes are reached by several inputs (through a union, through sinks on one topic, or because a repartition
// has several upstream tasks): they run behind the stage's merge. All others run in front of it, per input.
//
// Errors:   make_topology refuses what cannot be right: unequal partition counts, two stages writing one topic, ….
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/graph.h"

namespace kappa {

struct StageInput {
  int node = 0;  // a source, or a repartition that this stage reads
  std::string topic;
  bool repartition = false;
  int first_input = 0;      // number of its first task input
  int inputs = 1;           // upstream tasks of a repartition; else 1
  int upstream_stage = -1;  // of a repartition
};

struct Stage {
  std::string name;             // of its first input node; [A-Za-z0-9._-]
  std::int32_t partitions = 0;  // tasks
  std::vector<StageInput> inputs;
  std::vector<int> nodes;   // that it runs, inputs first; a repartition that it writes is one, one that it reads is not
  std::vector<int> shared;  // those of `nodes` behind the merge
  std::vector<int> boundary;             // input nodes or nodes in front of the merge, whose rows a shared node takes
  int input_count = 0;                   // of a task
  std::int64_t out_of_orderness_us = 0;  // the largest in the stage
  std::int64_t horizon_us = 0;           // along the longest path inside the stage
  std::string state_fingerprint;         // 16 hex digits over its stateful nodes
};

struct Topology {
  std::vector<Stage> stages;  // upstream before downstream
};

/// "<application>-<node>-repartition" with '/' as '.', and ".<run>" for a run other than live.
[[nodiscard]] std::string repartition_topic(const Graph& graph, const std::string& node, const std::string& run);
/// '/' becomes '.', anything else outside [A-Za-z0-9._-] becomes '_'.
[[nodiscard]] std::string sanitized(const std::string& name);

/// `partitions_of` answers for topics that exist (sources must); `run` is empty for live.
[[nodiscard]] Topology make_topology(
    const Graph& graph, const std::string& run,
    const std::function<std::optional<std::int32_t>(const std::string&)>& partitions_of);

}  // namespace kappa
