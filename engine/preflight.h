// kappa/engine/preflight.h: what is checked before a run writes anything (law L7), and the topics that it then creates.
#pragma once

#include "kappa/engine/run.h"

namespace kappa {

/// The graph cut into stages over the topics that exist; refuses unknown topics with the nearest name.
[[nodiscard]] Topology topology_of(const Graph& graph, Log& log, const std::string& run);

/// Refuses a `partitioned_by` that the first records contradict, and sink topics with another number of partitions.
void check_topics(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options);

/// Refuses a number of source partitions that differs from that of the committed positions.
void check_positions(const Graph& graph, const Topology& topology, Log& log, const std::string& run);

/// Sinks, repartitions, late, dead letters, decisions.
void create_topics(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options,
                   const OutputNames& names, const std::string& decisions_topic);

[[nodiscard]] std::string decisions_topic_of(const Graph& graph, const std::string& run);

}  // namespace kappa
