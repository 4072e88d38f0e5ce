#include "kappa/engine/merge.h"

#include <array>
#include <random>

#include "kappa/tests/kit/catch.h"

using namespace kappa;

namespace {
struct Row {
  std::int64_t progress;
  std::int32_t input;  // kDueInput: emitted by a due
  std::int64_t value;
};

Batch rows_of(const std::vector<Row>& rows) {
  Batch batch = make_batch(static_cast<std::int64_t>(rows.size()));
  ColumnBuilder values(Type::bigint());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool due = rows[i].input == kDueInput;
    batch.event_time.as_mutable<std::int64_t>()[i] = rows[i].progress;
    batch.progress.as_mutable<std::int64_t>()[i] = rows[i].progress;
    batch.input.as_mutable<std::int32_t>()[i] = rows[i].input;
    batch.position.as_mutable<std::int64_t>()[i] = due ? 0 : rows[i].value;
    batch.index.as_mutable<std::int32_t>()[i] = 0;
    values.append_i64(rows[i].value);
  }
  batch.columns.push_back(values.finish());
  return batch;
}

void append(std::vector<std::int64_t>& out, std::map<int, Batch> released) {
  std::vector<Batch> parts;
  for (auto& [port, batch] : released) parts.push_back(std::move(batch));
  if (parts.empty()) return;
  const Batch merged = merge_by_order(parts);
  for (std::int64_t i = 0; i < merged.rows; ++i) out.push_back(merged.columns[0].i64()[i]);
}

// Two inputs, each behind a window of its own: rows of both, and dues of both at the instants 9 and 19. Pieces arrive
// in an order that `random` draws.
std::vector<std::int64_t> run(std::mt19937& random) {
  struct Piece {
    std::vector<Row> rows;
    std::int64_t reached;
  };
  const std::array<std::vector<Piece>, 2> inputs{
      std::vector<Piece>{
          {{{5, 0, 1}, {9, 0, 2}}, 9}, {{{9, kDueInput, 3}, {10, 0, 4}}, 10}, {{{19, kDueInput, 5}}, 25}},
      std::vector<Piece>{{{{9, 1, 101}}, 9},
                         {{{9, 1, 102}}, 9},
                         {{{9, kDueInput, 103}, {12, 1, 104}}, 12},
                         {{{19, kDueInput, 105}}, 30}}};
  Merge merge(2);
  std::vector<std::int64_t> out;
  std::array<std::size_t, 2> next{};
  while (next[0] < inputs[0].size() || next[1] < inputs[1].size()) {
    std::size_t i = random() % 2;
    if (next[i] == inputs[i].size()) i = 1 - i;
    const Piece& piece = inputs[i][next[i]++];
    merge.add(static_cast<int>(i), static_cast<int>(i), rows_of(piece.rows));
    merge.reach(static_cast<int>(i), piece.reached);
    append(out, merge.release());
  }
  CHECK(merge.held_rows() == 0);
  return out;
}
}  // namespace

TEST_CASE("dues of several inputs are merged alike, however the inputs are read", "[merge]") {
  std::mt19937 random(7);
  const std::vector<std::int64_t> expected{1, 2, 101, 102, 3, 103, 4, 104, 5, 105};
  for (int i = 0; i < 200; ++i) CHECK(run(random) == expected);
}
