// kappa/operators/dead_rows.h: rows as side records (late, dead), and taking failed rows out of a batch.
//
// Threads:  functions without state.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "kappa/engine/operator.h"

namespace kappa {

/// Row and cause, ascending by row, each row once.
using FailedRows = std::span<const std::pair<std::int64_t, std::string>>;

/// The row as JSON under its place in the log; its key is null.
[[nodiscard]] SideRecord side_record(const Schema& schema, const Batch& batch, std::int64_t row, std::string cause);

/// Appends the failed rows of `batch` to `dead`.
void add_dead(FailedRows failed, const Schema& schema, const Batch& batch, std::vector<SideRecord>& dead);

/// Of rows that came in: dead counts all that failed, so that in = out + folded + filtered + late + dead holds;
/// emitted_dead counts those of them again that are results of a due of a node before.
void count_dead(FailedRows failed, const Batch& batch, NodeCounters& counters);

/// The batch without the failed rows.
[[nodiscard]] Batch without(FailedRows failed, const Batch& batch);

}  // namespace kappa
