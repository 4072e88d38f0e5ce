// kappa/engine/batch.h: a piece of a sequence of rows, in columns. Where it is cut never shows (law L3).
//
// Beside the columns of its schema each row has hidden ones: event time, progress, and its order key (design: section
// 4)
//   (progress, input, position, index):
// `input` numbers the task's inputs, kDueInput (greater than all) for rows that a due emitted, so that rows come before
// dues; `position` is the source offset, or, for what comes out of a repartition, the upstream order key's bytes
// (`Batch::upstream_keys`), 0 for dues; `index` counts the outputs of one row or one instant in the order of the
// branches. Progress never falls within a batch, nor from one batch to the next.
//
// Threads:  belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kappa/engine/column.h"

namespace kappa {

inline constexpr std::int32_t kDueInput = std::numeric_limits<std::int32_t>::max();
/// Rows of a batch; the setting `batch.rows` may lower it.
inline constexpr std::int64_t kBatchRows = 4096;

struct Batch {
  std::int64_t rows = 0;
  std::vector<Column> columns;

  /// Each has `rows` int64 values (µs).
  Buffer event_time, progress;
  /// Each has `rows` values; int32, int64, int32.
  Buffer input, position, index;
  /// bytea, `rows` values, or size 0 where no row of the batch comes from a repartition. Null where the row does not.
  Column upstream_keys;

  [[nodiscard]] const std::int64_t* event_times() const { return event_time.as<std::int64_t>(); }
  [[nodiscard]] const std::int64_t* progresses() const { return progress.as<std::int64_t>(); }
  [[nodiscard]] const std::int32_t* inputs() const { return input.as<std::int32_t>(); }
  [[nodiscard]] const std::int64_t* positions() const { return position.as<std::int64_t>(); }
  [[nodiscard]] const std::int32_t* indexes() const { return index.as<std::int32_t>(); }
};

/// Allocates the hidden columns of a batch of `rows` rows; their contents are uninitialised, `columns` is empty.
[[nodiscard]] Batch make_batch(std::int64_t rows);
/// The rows `rows[k]` of the batch, hidden columns included.
[[nodiscard]] Batch take(const Batch& batch, std::span<const std::int32_t> rows);
/// The same hidden columns over other columns of the same number of rows.
[[nodiscard]] Batch with_columns(const Batch& batch, std::vector<Column> columns);
/// Compares (progress, input, position) of a row of `a` and a row of `b` (of the same task): negative, zero, positive.
/// Equal for all outputs of one row or one instant.
[[nodiscard]] int compare_origin(const Batch& a, std::int64_t row_a, const Batch& b, std::int64_t row_b);
/// One batch of all their rows, part after part. Requires: `parts` is not empty.
[[nodiscard]] Batch concat(std::span<const Batch> parts);
/// The rows [from, to).
[[nodiscard]] Batch slice(const Batch& batch, std::int64_t from, std::int64_t to);
/// Merges batches that are each in order into one by (progress, input, position, place in `parts`, index): the place is
/// the branch. `index` is then renumbered from 0 within each (progress, input, position), so that keys are unique
/// again. Requires: `parts` is not empty.
[[nodiscard]] Batch merge_by_order(std::span<const Batch> parts);

}  // namespace kappa
