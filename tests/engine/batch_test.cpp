#include "kappa/engine/batch.h"

#include "kappa/tests/kit/catch.h"

using namespace kappa;

TEST_CASE("a builder keeps values and nulls in order", "[column]") {
  ColumnBuilder builder(Type::text());
  builder.append_bytes("a");
  builder.append_null();
  builder.append_bytes("");
  const Column column = builder.finish();
  REQUIRE(column.size() == 3);
  CHECK(column.bytes(0) == "a");
  CHECK(column.is_null(1));
  CHECK(!column.is_null(2));
  CHECK(column.bytes(2).empty());
}

namespace {
// Rows of one bigint column, given as (progress, position, value).
Batch rows_of(std::vector<std::array<std::int64_t, 3>> rows) {
  Batch batch = make_batch(static_cast<std::int64_t>(rows.size()));
  ColumnBuilder values(Type::bigint());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    batch.event_time.as_mutable<std::int64_t>()[i] = rows[i][0];
    batch.progress.as_mutable<std::int64_t>()[i] = rows[i][0];
    batch.input.as_mutable<std::int32_t>()[i] = 0;
    batch.position.as_mutable<std::int64_t>()[i] = rows[i][1];
    batch.index.as_mutable<std::int32_t>()[i] = 0;
    values.append_i64(rows[i][2]);
  }
  batch.columns.push_back(values.finish());
  return batch;
}
}  // namespace

TEST_CASE("branches merge by their rows' origin, then by branch", "[batch]") {
  const std::vector<Batch> parts{rows_of({{10, 0, 100}, {10, 1, 101}, {20, 2, 102}}),
                                 rows_of({{10, 0, 200}, {20, 2, 202}})};
  const Batch merged = merge_by_order(parts);
  const std::vector<std::int64_t> values(merged.columns[0].i64(), merged.columns[0].i64() + merged.rows);
  CHECK(values == std::vector<std::int64_t>{100, 200, 101, 102, 202});
  CHECK(merged.indexes()[0] == 0);
  CHECK(merged.indexes()[1] == 1);
  CHECK(merged.indexes()[2] == 0);
}
