#include "kappa/tests/operators/tumble_kit.h"

#include <limits>

#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {

std::shared_ptr<const TumblePlan> plan_of(const TumbleCase& test) {
  std::vector<Field> fields;
  for (const int c : test.key_columns) fields.push_back(test.schema[c]);
  fields.push_back({"window_start", Type::timestamptz(), false});
  fields.push_back({"window_end", Type::timestamptz(), false});
  for (const AggregateCall& call : test.calls) {
    std::optional<Type> argument;
    if (call.argument >= 0) argument = test.schema[call.argument].type;
    fields.push_back({call.name, result_type(call.function, argument), true});
  }
  return std::make_shared<const TumblePlan>(test.schema, Schema(fields), test.size_us, test.key_columns, test.calls);
}

std::unique_ptr<Tumble> make_tumble(const TumbleCase& test, std::int64_t batch_rows) {
  OperatorContext context;
  context.node = "t";
  context.out_of_orderness_us = test.out_of_orderness_us;
  context.batch_rows = batch_rows;
  return std::make_unique<Tumble>(plan_of(test), context);
}

TumbleCase every_aggregate(std::vector<int> key_columns) {
  TumbleCase test;
  test.schema = Schema({{"b", Type::bigint(), true},
                        {"t", Type::text(), true},
                        {"d", Type::float64(), true},
                        {"n", Type::numeric(12, 2), true},
                        {"o", Type::boolean(), true},
                        {"s", Type::timestamptz(), true},
                        {"i", Type::interval(), true},
                        {"y", Type::bytea(), true}});
  test.size_us = 10'000;
  test.out_of_orderness_us = 3'000;
  test.key_columns = std::move(key_columns);
  using F = AggregateFunction;
  const auto call = [&](F function, int argument, int filter = -1) {
    test.calls.push_back({function, argument, filter, "c" + std::to_string(test.calls.size())});
  };
  call(F::count, -1);
  call(F::count, -1, 4);
  for (int c = 0; c < test.schema.size(); ++c) {
    call(F::count, c);
    call(F::min, c);
    call(F::max, c, c % 2 == 0 ? 4 : -1);
    call(F::count_distinct, c, c % 3 == 0 ? 4 : -1);
  }
  for (const int c : {0, 2, 3}) {
    call(F::sum, c);
    call(F::avg, c);
    call(F::sum, c, 4);
    call(F::avg, c, 4);
  }
  return test;
}

namespace {
Cell random_cell(std::mt19937_64& rng, Type type) {
  if (pick(rng, 0, 5) == 0) return {};
  static const std::vector<double> doubles = {0.0,   -1.5,
                                              1.5,   3e300,
                                              0.1,   std::numeric_limits<double>::quiet_NaN(),
                                              -1e-9, std::numeric_limits<double>::infinity()};
  static const std::vector<std::string> texts = {"",
                                                 "a",
                                                 std::string("a\0b", 3),
                                                 std::string("a\0", 2),
                                                 "ab",
                                                 "Zo\u00eb",
                                                 "\xff\x01",
                                                 "a longer text that needs more room than sixteen bytes"};
  static const std::vector<std::int64_t> numbers = {
      -1, 0, 1, 7, 1'000'000'007, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  const auto one_of = [&](const auto& all) { return all[rng() % all.size()]; };
  switch (type.kind) {
    case TypeKind::boolean: return pick(rng, 0, 1) == 1;
    case TypeKind::bigint: return pick(rng, 0, 1) == 0 ? one_of(numbers) : pick(rng, -3, 3);
    case TypeKind::timestamptz: return pick(rng, 0, 1'000'000);
    case TypeKind::float64: return one_of(doubles);
    case TypeKind::numeric: return Int128{pick(rng, -2'000, 2'000)};
    case TypeKind::interval:
      return Interval{static_cast<std::int32_t>(pick(rng, -1, 1)), static_cast<std::int32_t>(pick(rng, -30, 30)),
                      pick(rng, -2, 2) * 43'200'000'000};
    default: return one_of(texts);
  }
}
}  // namespace

std::vector<Row> random_rows(std::mt19937_64& rng, const TumbleCase& test, std::size_t count) {
  std::vector<Row> rows;
  std::int64_t clock = 100'000, progress = kNever;
  const std::int64_t step = pick(rng, 1, 3'000);
  for (std::size_t k = 0; k < count; ++k) {
    if (pick(rng, 0, 3) > 0 || rows.empty()) clock += pick(rng, 0, step);
    if (pick(rng, 0, 50) == 0) clock += 5 * test.size_us;
    Row row;
    row.event_time = std::max<std::int64_t>(0, clock - pick(rng, 0, pick(rng, 0, 9) == 0 ? 20'000 : 2'500));
    progress = row.progress = std::max(progress, row.event_time);
    row.position = static_cast<std::int64_t>(k);
    if (!rows.empty() && pick(rng, 0, 2) == 0) {
      row.cells = rows.back().cells;  // the same key again
    } else {
      for (int c = 0; c < test.schema.size(); ++c) row.cells.push_back(random_cell(rng, test.schema[c].type));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void MemoryState::put(std::string_view key, std::string_view value) {
  REQUIRE(std::string(key) > last_);
  REQUIRE(std::string(key) >= erased_to_);
  last_ = std::string(key);
  entries_[last_] = std::string(value);
  if (also_ != nullptr) also_->emplace(last_, value);
}

void MemoryState::erase_range(std::string_view from, std::string_view to) {
  REQUIRE(from.empty());
  erased_to_ = std::string(to);
  entries_.erase(entries_.begin(), entries_.lower_bound(erased_to_));
}

void MemoryState::checkpoint(Operator& op) {
  last_.clear();
  erased_to_.clear();
  const std::unique_ptr<Frozen> frozen = op.freeze();
  REQUIRE(frozen != nullptr);
  Entries written;
  also_ = &written;
  frozen->write(*this);
  also_ = nullptr;
  if (frozen->is_complete()) CHECK(written == entries_);
  ++(frozen->is_complete() ? complete_ : partial_);
}

void MemoryState::restore_into(Operator& op) const {
  struct Reader : StateReader {
    std::map<std::string, std::string>::const_iterator at, end;
    bool next(std::string_view& key, std::string_view& value) override {
      if (at == end) return false;
      key = at->first;
      value = at->second;
      ++at;
      return true;
    }
  } reader;
  reader.at = entries_.begin();
  reader.end = entries_.end();
  op.restore(reader);
}

}  // namespace kappa::testkit
