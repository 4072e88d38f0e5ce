// kappa/tests/operators/stream_kit.h: a chain of nodes, driven by hand from JSON records to JSON records.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kappa/engine/graph.h"

namespace kappa::testkit {

struct Driven {
  std::vector<std::string> records;  // "key value", of all sinks
  std::vector<std::string> dead;     // "node: cause: value"
  NodeCounters counters;             // summed over all operators
};

/// Runs a graph without unions: `values` are the records of every source, which follow one another in one partition;
/// in the end everything falls due.
[[nodiscard]] Driven drive(const Graph& graph, const std::vector<std::string>& values);

/// "filter serious <- bids: C++ function (auction bigint NOT NULL, …)", a line a node.
[[nodiscard]] std::vector<std::string> lines_of(const Graph& graph);

/// What the kappa::Error says that `act` throws, or "no error".
[[nodiscard]] std::string error_of(const std::function<void()>& act);

}  // namespace kappa::testkit
