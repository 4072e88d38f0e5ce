#include "kappa/operators/tumble.h"

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/tumble_kit.h"

using namespace kappa;
using namespace kappa::testkit;

namespace {
const std::vector<std::vector<int>> kKeys = {{0}, {5}, {1}, {0, 1}, {2}, {3}, {4, 6}, {7, 2}, {}};

std::vector<std::int64_t> positions(const std::vector<SideRecord>& records) {
  std::vector<std::int64_t> out;
  for (const SideRecord& record : records) out.push_back(record.position);
  return out;
}

TumbleCase counted(std::vector<Field> fields, std::vector<AggregateCall> calls) {
  TumbleCase test;
  test.schema = Schema(std::move(fields));
  test.size_us = 10'000'000;
  test.key_columns = {0};
  test.calls = std::move(calls);
  return test;
}

Row row_at(std::int64_t us, std::vector<Cell> cells, std::int64_t progress = 0) {
  Row row;
  row.cells = std::move(cells);
  row.event_time = us;
  row.progress = std::max(us, progress);
  return row;
}

void check_balance(const NodeCounters& c) { CHECK(c.in == c.out + c.folded + c.filtered + c.late + c.dead); }
}  // namespace

TEST_CASE("a tumbling aggregate equals a recomputation, whatever the keys and the batch cuts", "[tumble]") {
  const auto seed = GENERATE(range(1, 4));
  const auto keys = GENERATE(from_range(kKeys));
  CAPTURE(seed, keys);
  std::mt19937_64 rng(static_cast<std::uint64_t>(seed));
  const TumbleCase test = every_aggregate(keys);
  const std::vector<Row> rows = random_rows(rng, test, 700);
  const TumbleResult expected = tumble_oracle(test, rows);
  REQUIRE(expected.emitted.size() > 5);
  for (const std::int64_t size : {std::int64_t{1}, std::int64_t{7}, std::int64_t{0}, std::int64_t{4096}}) {
    Output out;
    const auto op = make_tumble(test, size == 7 ? 3 : kBatchRows);
    run(
        *op, test.schema, rows, [&] { return static_cast<std::size_t>(size > 0 ? size : pick(rng, 0, 60)); }, out);
    CHECK(text(out.batches) == text(expected.emitted));
    CHECK(positions(out.late) == expected.late);
    CHECK(out.counters.emitted == static_cast<std::int64_t>(expected.emitted.size()));
    CHECK(out.counters.in == 700);
    check_balance(out.counters);
    CHECK(out.dead.empty());
  }
}

TEST_CASE("a tumbling aggregate goes on from a checkpoint as if it had never stopped", "[tumble]") {
  const auto seed = GENERATE(range(1, 5));
  const auto keys = GENERATE(from_range(kKeys));
  CAPTURE(seed, keys);
  std::mt19937_64 rng(static_cast<std::uint64_t>(seed));
  const TumbleCase test = every_aggregate(keys);
  const std::vector<Row> rows = random_rows(rng, test, 500);
  Output out;
  auto op = make_tumble(test);
  MemoryState state;
  std::size_t begin = 0;
  while (begin < rows.size()) {
    const std::size_t end = std::min(rows.size(), begin + static_cast<std::size_t>(pick(rng, 1, 60)));
    op->process(to_batch(test.schema, rows, begin, end), out);
    begin = end;
    if (pick(rng, 0, 1) == 0) continue;
    state.checkpoint(*op);
    if (pick(rng, 0, 1) == 0) continue;
    const OpenWindows before = op->open_windows();
    op = make_tumble(test);
    state.restore_into(*op);
    CHECK(op->open_windows().count == before.count);
    CHECK(op->open_windows().least_end == before.least_end);
  }
  CHECK(text(out.batches) == text(tumble_oracle(test, rows).emitted));
}

TEST_CASE("what a checkpoint holds does not depend on how many were written before it", "[tumble]") {
  const auto keys = GENERATE(from_range(kKeys));
  std::mt19937_64 rng(5);
  const TumbleCase test = every_aggregate(keys);
  const std::vector<Row> rows = random_rows(rng, test, 400);
  Output out;
  const auto once = make_tumble(test), often = make_tumble(test);
  MemoryState state_once, state_often;
  for (std::size_t begin = 0; begin < rows.size(); begin += 4) {
    once->process(to_batch(test.schema, rows, begin, begin + 4), out);
    often->process(to_batch(test.schema, rows, begin, begin + 4), out);
    state_often.checkpoint(*often);
  }
  state_once.checkpoint(*once);
  CHECK(state_once.entries() == state_often.entries());
  CHECK(state_often.complete() > 0);
  CHECK(state_often.partial() > 0);
}

TEST_CASE("a checkpoint is complete iff half of the groups and distinct values, or more, are dirty", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}, {"v", Type::bigint(), true}},
                                  {{AggregateFunction::count_distinct, 1, -1, "d"}});
  const auto op = make_tumble(test);
  Output out;
  MemoryState state;
  // Each of the keys [0, keys) with a value of its own: a group and a distinct value each.
  const auto is_complete_after = [&](std::int64_t keys, std::int64_t value) {
    std::vector<Row> rows;
    for (std::int64_t k = 0; k < keys; ++k) rows.push_back(row_at(1, {k, value}));
    if (keys > 0) op->process(to_batch(test.schema, rows), out);
    const int before = state.complete();
    state.checkpoint(*op);
    return state.complete() > before;
  };
  CHECK_FALSE(is_complete_after(0, 0));  // nothing is there, nor was
  CHECK(is_complete_after(100, 0));
  CHECK_FALSE(is_complete_after(0, 0));
  CHECK_FALSE(is_complete_after(60, 0));  // 60 dirty groups of 200 entries
  CHECK(is_complete_after(100, 0));       // half of them
  CHECK_FALSE(is_complete_after(60, 1));  // 60 groups and as many new values, of 260
  CHECK(is_complete_after(100, 2));       // 200 of 360
  op->advance(kForever, out);
  CHECK(is_complete_after(0, 0));  // all closed: nothing is left, and nothing is written
  CHECK(state.entries().empty());
}

TEST_CASE("what was frozen does not change with the operator, and outlives it", "[tumble]") {
  const auto keys = GENERATE(from_range(kKeys));
  std::mt19937_64 rng(11);
  const TumbleCase test = every_aggregate(keys);
  const std::vector<Row> rows = random_rows(rng, test, 300);
  Output out;
  auto once = make_tumble(test), later = make_tumble(test);
  once->process(to_batch(test.schema, rows, 0, 150), out);
  later->process(to_batch(test.schema, rows, 0, 150), out);
  MemoryState at_once, afterwards;
  at_once.checkpoint(*once);
  const std::unique_ptr<Frozen> frozen = later->freeze();
  later->process(to_batch(test.schema, rows, 150, 300), out);
  later->advance(kForever, out);
  later.reset();
  frozen->write(afterwards);
  CHECK(at_once.entries() == afterwards.entries());
  CHECK_FALSE(at_once.entries().empty());
}

TEST_CASE("damaged state is refused", "[tumble]") {
  std::mt19937_64 rng(2);
  const TumbleCase test = every_aggregate({1});
  Output out;
  const auto op = make_tumble(test);
  op->process(to_batch(test.schema, random_rows(rng, test, 50)), out);
  MemoryState state;
  state.checkpoint(*op);
  const auto [key, value] = *state.entries().begin();
  for (std::size_t cut = 0; cut < value.size(); ++cut) {
    MemoryState damaged;
    damaged.put(key, value.substr(0, cut));
    CHECK_THROWS_AS(damaged.restore_into(*make_tumble(test)), Error);
  }
  for (std::size_t cut = 1; cut < key.size(); ++cut) {
    MemoryState damaged;
    damaged.put(key.substr(0, cut), value);
    CHECK_THROWS_AS(damaged.restore_into(*make_tumble(test)), Error);
  }
}

TEST_CASE("a row is late iff its window's end is at or below its own watermark", "[tumble]") {
  TumbleCase test = counted({{"k", Type::bigint(), true}}, {{AggregateFunction::count, -1, -1, "n"}});
  test.out_of_orderness_us = 2'000'000;
  const auto op = make_tumble(test);
  Output out;
  const std::int64_t s = 1'000'000;
  op->process(
      to_batch(test.schema, {row_at(9 * s, {std::int64_t{1}}), row_at(12 * s - 1, {std::int64_t{1}}),
                             row_at(9 * s, {std::int64_t{1}}, 12 * s - 1), row_at(9 * s, {std::int64_t{1}}, 12 * s)}),
      out);
  CHECK(out.counters.late == 1);
  CHECK(text(out.batches) == std::vector<std::string>{"[9999000 11999999 2147483647 0 0] 1 0 10000000 2"});
  REQUIRE(out.late.size() == 1);
  CHECK(out.late[0].value == R"({"k":1})");
  CHECK(out.late[0].key_is_null);
  CHECK(out.late[0].progress == 12 * s);
  CHECK(out.late[0].event_time == 9 * s);
  check_balance(out.counters);
}

TEST_CASE("an empty batch does nothing and an advance closes without rows", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}}, {{AggregateFunction::count, -1, -1, "n"}});
  const auto op = make_tumble(test);
  Output out;
  op->process(to_batch(test.schema, std::vector<Row>{}), out);
  CHECK(out.counters.in == 0);
  op->process(to_batch(test.schema, {row_at(5, {std::int64_t{1}}, 8)}), out);
  op->advance(9'999'999, out);
  CHECK(out.batches.empty());
  CHECK(op->open_windows().least_end == 10'000'000);
  op->advance(10'000'000, out);
  CHECK(out.batches.size() == 1);
  CHECK(op->open_windows().count == 0);
}

TEST_CASE("results come in key order with nulls last, also where keys are radix sorted", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}}, {{AggregateFunction::count, -1, -1, "n"}});
  std::mt19937_64 rng(3);
  std::vector<Row> rows = {row_at(1, {Cell()})};
  for (int k = 0; k < 3000; ++k)
    rows.push_back(row_at(1, {static_cast<std::int64_t>(rng() >> (k % 60)) * (k % 2 == 0 ? 1 : -1)}));
  const auto op = make_tumble(test, 1000);
  Output out;
  op->process(to_batch(test.schema, rows), out);
  op->advance(10'000'000, out);
  CHECK(text(out.batches).size() > 2000);
  rows.push_back(row_at(20'000'000, {Cell()}));
  CHECK(text(out.batches) == text(tumble_oracle(test, rows).emitted));
  CHECK(out.batches.size() == (text(out.batches).size() + 999) / 1000);
}

TEST_CASE("a sum that does not fit its type is a dead letter when its window closes", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}, {"n", Type::numeric(38, 0), true}},
                                  {{AggregateFunction::sum, 1, -1, "total"}, {AggregateFunction::avg, 1, -1, "mean"}});
  Int128 big = 1;
  for (int i = 0; i < 37; ++i) big *= 10;
  big *= 9;
  std::vector<Row> rows;
  for (int i = 0; i < 40; ++i) rows.push_back(row_at(1, {std::int64_t{1}, big}));
  for (int i = 0; i < 40; ++i) rows.push_back(row_at(1, {std::int64_t{2}, i % 2 == 0 ? big : -big}));
  rows.push_back(row_at(1, {std::int64_t{3}, Int128{7}}));
  const auto op = make_tumble(test);
  Output out;
  op->process(to_batch(test.schema, rows), out);
  op->advance(10'000'000, out);
  REQUIRE(out.dead.size() == 1);
  CHECK(out.dead[0].cause == "sum exceeds numeric(38,0) in total");
  CHECK(out.dead[0].input == kDueInput);
  CHECK(out.counters.emitted_dead == 1);
  CHECK(out.counters.emitted == 2);
  CHECK(text(out.batches) == std::vector<std::string>{"[9999000 9999999 2147483647 0 1] 2 0 10000000 0n 0n",
                                                      "[9999000 9999999 2147483647 0 2] 3 0 10000000 7n 7000000n"});
  check_balance(out.counters);
}

TEST_CASE("an average of numerics is rounded half away from zero", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}, {"n", Type::numeric(38, 6), true}},
                                  {{AggregateFunction::avg, 1, -1, "mean"}});
  const auto op = make_tumble(test);
  Output out;
  op->process(to_batch(test.schema, {row_at(1, {std::int64_t{1}, Int128{1}}), row_at(1, {std::int64_t{1}, Int128{2}}),
                                     row_at(1, {std::int64_t{2}, Int128{-1}}), row_at(1, {std::int64_t{2}, Int128{-2}}),
                                     row_at(1, {std::int64_t{3}, Int128{1}}), row_at(1, {std::int64_t{3}, Int128{0}}),
                                     row_at(1, {std::int64_t{3}, Int128{0}})}),
              out);
  op->advance(10'000'000, out);
  CHECK(text(out.batches) == std::vector<std::string>{"[9999000 9999999 2147483647 0 0] 1 0 10000000 2n",
                                                      "[9999000 9999999 2147483647 0 1] 2 0 10000000 -2n",
                                                      "[9999000 9999999 2147483647 0 2] 3 0 10000000 0n"});
}

TEST_CASE("closed windows give their memory back", "[tumble]") {
  const TumbleCase test = counted({{"k", Type::bigint(), true}}, {{AggregateFunction::count, -1, -1, "n"}});
  const auto op = make_tumble(test);
  Output out;
  std::int64_t most = 0;
  for (std::int64_t window = 0; window < 50; ++window) {
    std::vector<Row> rows;
    for (std::int64_t k = 0; k < 1000; ++k) rows.push_back(row_at(window * 10'000'000 + k, {k * window}));
    op->process(to_batch(test.schema, rows), out);
    if (window == 1) most = op->state_bytes();
  }
  CHECK(op->state_bytes() <= 2 * most);
  CHECK(op->open_windows().count == 1);
}

TEST_CASE("a window's state is pinned to the byte", "[tumble]") {
  using F = AggregateFunction;
  TumbleCase test = counted({{"k", Type::bigint(), true}, {"v", Type::bigint(), true}, {"t", Type::text(), true}},
                            {{F::count, -1, -1, "n"},
                             {F::sum, 1, -1, "s"},
                             {F::min, 2, -1, "lo"},
                             {F::avg, 1, -1, "a"},
                             {F::count_distinct, 2, -1, "d"},
                             {F::max, 1, 3, "hi"}});
  test.schema = Schema({test.schema[0], test.schema[1], test.schema[2], {"f", Type::boolean(), true}});
  const auto op = make_tumble(test);
  Output out;
  op->process(to_batch(test.schema, {row_at(1, {std::int64_t{7}, std::int64_t{5}, std::string("b"), false}),
                                     row_at(1, {std::int64_t{7}, std::int64_t{-7}, std::string("a"), false})}),
              out);
  MemoryState state;
  state.checkpoint(*op);
  const auto hex = [](const std::string& bytes) {
    std::string digits;
    for (const char c : bytes)
      for (const int shift : {4, 0}) digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> shift & 15];
    return digits;
  };
  std::vector<std::string> lines;
  for (const auto& [key, value] : state.entries()) lines.push_back(hex(key) + " " + hex(value));
  CHECK(lines == std::vector<std::string>{"8000000000989680"
                                          "018000000000000007"
                                          "00 "
                                          "01"
                                          "0200000000000000"
                                          "01"
                                          "feffffffffffffffffffffffffffffff"
                                          "01"
                                          "01000000"
                                          "61"
                                          "01"
                                          "feffffffffffffffffffffffffffffff"
                                          "0200000000000000"
                                          "0200000000000000"
                                          "00",
                                          "8000000000989680"
                                          "018000000000000007"
                                          "01"
                                          "0004"
                                          "01610001 ",
                                          "8000000000989680"
                                          "018000000000000007"
                                          "01"
                                          "0004"
                                          "01620001 "});
}
