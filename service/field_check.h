// kappa/service/field_check.h: columns of sources that no record has: most likely a misspelt name.
//
// Threads:  one.
#pragma once

#include <string>
#include <vector>

#include "kappa/engine/graph.h"
#include "kappa/engine/log.h"

namespace kappa {

/// Looks at the first thousand records of each source's topic; a warning for each column that none of them has, with
/// the nearest field. Topics without records and formats other than JSON give none.
[[nodiscard]] std::vector<std::string> missing_fields(const Graph& graph, Log& log);

}  // namespace kappa
