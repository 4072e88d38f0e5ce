// kappa/engine/held_rows.h: what a merge holds, as entries of a checkpoint (docs/FORMAT.md, "Held rows").
//
// Key: generation (i64, ordered) | input (u32 BE) | number (u32 BE). Value: port's node name (sized) | event time,
// progress, position (i64 BE) | index, input (u32 BE; 2^31 − 1 for a due's row) | has upstream key (u8) and the key
// (sized) | the row. Each checkpoint writes all that is held under a new generation and erases the older ones.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kappa/engine/graph.h"
#include "kappa/engine/merge.h"

namespace kappa {

/// The name under which a merge's rows lie beside the nodes of a task.
inline constexpr const char* kMergeNode = "(merge)";

[[nodiscard]] std::unique_ptr<Frozen> freeze_held(const Graph& graph, const Merge& merge, int inputs,
                                                  std::int64_t generation);

/// Calls add(input, port, batch) in order for what `entries` holds; returns the greatest generation met.
std::int64_t restore_held(const Graph& graph, StateReader& entries, const std::function<void(int, int, Batch)>& add);

}  // namespace kappa
