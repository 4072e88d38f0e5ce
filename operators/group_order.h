// kappa/operators/group_order.h: the order of groups at a close and in a checkpoint: bytewise on the state key, nulls
// last.
//
// Threads:  functions without state.
#pragma once

#include <cstdint>
#include <vector>

#include "kappa/operators/accumulators.h"

namespace kappa {

/// Brings the rows of one window, all of different keys, into the order of their keys.
void sort_groups(std::vector<OrderedGroup>& groups, bool fixed_key);

}  // namespace kappa
