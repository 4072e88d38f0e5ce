// kappa/operators/spans.h: cuts a batch into spans without a due inside, so that an operator may take a whole span in
// columns and still behave as if it were advanced row by row (design: section 4).
//
// Row by row means: before each row, everything due at or below the row's watermark (progress − out-of-orderness)
// fires; then the row; a due that the row creates at or below its own watermark fires right after it.
//
// Threads:  functions without state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kappa/engine/types.h"

namespace kappa {

/// The end of the span that starts at `begin`: no row in it but the first has a watermark that reaches `next_due`, or a
/// due that an earlier row of the span created. `dues[i]`: the due that row i creates; kForever: none.
/// Requires: `progress` never falls; begin < progress.size().
[[nodiscard]] inline std::int64_t span_end(std::span<const std::int64_t> progress, std::int64_t out_of_orderness_us,
                                           std::span<const std::int64_t> dues, std::int64_t begin,
                                           std::int64_t next_due) {
  const auto reaches = [&](std::int64_t due) {  // the first row behind `begin` whose watermark is at least `due`
    return std::lower_bound(progress.begin() + begin + 1, progress.end(), due + out_of_orderness_us) - progress.begin();
  };
  const auto due_at = [&](std::int64_t row) { return dues[static_cast<std::size_t>(row)]; };
  const std::int64_t end = reaches(next_due);
  const auto last = progress[static_cast<std::size_t>(end - 1)] - out_of_orderness_us;
  if (*std::min_element(dues.begin() + begin, dues.begin() + end) > last) return end;
  std::int64_t least = kForever;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t watermark = progress[static_cast<std::size_t>(row)] - out_of_orderness_us;
    if (row > begin && least <= watermark) return row;
    least = std::min(least, due_at(row));
    if (due_at(row) <= watermark) return row + 1;
  }
  return end;
}

/// Runs an operator over the rows of a batch. `op` has next_due() → µs (kForever: nothing), fire(watermark), which
/// fires everything due at or below it, and fold(begin, end), which takes the rows [begin, end).
template <class Op>
void for_each_span(std::span<const std::int64_t> progress, std::int64_t out_of_orderness_us,
                   std::span<const std::int64_t> dues, Op&& op) {
  const auto rows = static_cast<std::int64_t>(progress.size());
  const auto watermark = [&](std::int64_t row) {
    return progress[static_cast<std::size_t>(row)] - out_of_orderness_us;
  };
  for (std::int64_t begin = 0; begin < rows;) {
    if (op.next_due() <= watermark(begin)) op.fire(watermark(begin));
    const std::int64_t end = span_end(progress, out_of_orderness_us, dues, begin, op.next_due());
    op.fold(begin, end);
    if (op.next_due() <= watermark(end - 1)) op.fire(watermark(end - 1));
    begin = end;
  }
}

}  // namespace kappa
