// kappa/operators/partitioning.h: by which columns the rows that leave a node are partitioned.
//
// Threads:  functions without state.
#pragma once

#include <vector>

#include "kappa/engine/graph.h"

namespace kappa {

/// Whether all rows that leave node `node` and agree in `columns` are in one partition, because the source is
/// partitioned by that one column, or a repartition placed them by exactly these; traced back through every node that
/// passes the columns on.
[[nodiscard]] bool is_partitioned_by(const GraphDraft& graph, int node, std::vector<int> columns);

}  // namespace kappa
