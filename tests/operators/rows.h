// Rows as plain values, and batches made of them: what the tests of operators compare.
#pragma once

#include <random>
#include <string>
#include <variant>
#include <vector>

#include "kappa/engine/operator.h"

namespace kappa::testkit {

using Cell = std::variant<std::monostate, bool, std::int64_t, double, Int128, std::string, Interval>;

struct Row {
  std::vector<Cell> cells;
  std::int64_t event_time = 0, progress = 0;
  std::int32_t input = 0;
  std::int64_t position = 0;
  std::int32_t index = 0;
};

[[nodiscard]] Batch to_batch(const Schema& schema, const std::vector<Row>& rows, std::size_t begin, std::size_t end);
[[nodiscard]] inline Batch to_batch(const Schema& schema, const std::vector<Row>& rows) {
  return to_batch(schema, rows, 0, rows.size());
}
[[nodiscard]] Cell cell(const Column& column, std::int64_t row);
[[nodiscard]] std::string text(const Cell& cell);
/// "[hidden columns] cells", one line a row.
[[nodiscard]] std::string text(const Row& row);
[[nodiscard]] std::vector<std::string> text(const std::vector<Batch>& batches);
[[nodiscard]] std::vector<std::string> text(const std::vector<Row>& rows);

/// Feeds the rows in batches of the sizes that `next_size` gives, with an advance() after each.
template <class NextSize>
void run(Operator& op, const Schema& schema, const std::vector<Row>& rows, NextSize next_size, Output& out) {
  for (std::size_t begin = 0; begin < rows.size();) {
    const std::size_t end = std::min(rows.size(), begin + next_size());
    op.process(to_batch(schema, rows, begin, end), out);
    if (end > begin) op.advance(rows[end - 1].progress, out);
    begin = end;
  }
}

inline std::int64_t pick(std::mt19937_64& rng, std::int64_t least, std::int64_t greatest) {
  return least + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(greatest - least + 1));
}

}  // namespace kappa::testkit
