#include "kappa/operators/state_key.h"

#include <cmath>
#include <limits>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/rows.h"

using namespace kappa;
using namespace kappa::testkit;

namespace {
std::string key_of(Type type, const Cell& cell) {
  const Schema schema({{"x", type, true}});
  const Batch batch = to_batch(schema, {Row{{cell}}});
  std::string out;
  append_state_key(out, batch.columns[0], 0);
  return out;
}

std::string hex(const std::string& bytes) {
  std::string digits;
  for (const char c : bytes)
    for (const int shift : {4, 0}) digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> shift & 15];
  return digits;
}

// Values in the order that their keys must have.
void check_order(Type type, const std::vector<Cell>& ascending) {
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    const std::string key = key_of(type, ascending[i]);
    CHECK(state_key_size(key + "more", std::vector<Type>{type}) == key.size());
    if (i > 0) CHECK(key_of(type, ascending[i - 1]) < key);
    std::string_view rest = key;
    ColumnBuilder builder(type);
    read_state_key(rest, builder);
    CHECK(rest.empty());
    CHECK(text(cell(builder.finish(), 0)) == text(ascending[i]));
    for (std::size_t cut = 0; cut < key.size(); ++cut) {
      std::string_view part = std::string_view(key).substr(0, cut);
      ColumnBuilder damaged(type);
      CHECK_THROWS_AS(read_state_key(part, damaged), Error);
    }
  }
}
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("state keys compare as their values do, nulls last, and can be read back", "[state_key]") {
  check_order(Type::bigint(), {kMin, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, kMax, Cell()});
  check_order(Type::timestamptz(), {std::int64_t{0}, std::int64_t{1'000'000}, Cell()});
  check_order(Type::boolean(), {false, true, Cell()});
  check_order(Type::float64(), {-kInfinity, -1e300, -1.5, -1e-300, 0.0, 1e-300, 1.5, 1e300, kInfinity,
                                std::numeric_limits<double>::quiet_NaN(), Cell()});
  const Int128 big = Int128{kMax} * 1'000'000;
  check_order(Type::numeric(38, 0), {-big, Int128{-1}, Int128{0}, Int128{1}, Int128{kMax}, big, Cell()});
  const std::vector<Cell> texts = {std::string(),          std::string("\0", 1),   std::string("\0\0", 2),
                                   std::string("\0\1", 2), std::string("\1"),      std::string("a"),
                                   std::string("a\0", 2),  std::string("a\0b", 3), std::string("a\1"),
                                   std::string("ab"),      std::string("\xff"),    Cell()};
  check_order(Type::text(), texts);
  check_order(Type::bytea(), texts);
  check_order(Type::interval(), {Interval{-1, 0, 0}, Interval{0, 0, -1}, Interval{0, 0, 0}, Interval{0, 0, 1},
                                 Interval{0, 1, 0}, Interval{0, 29, 0}, Interval{0, 30, 0}, Interval{1, 0, 0}, Cell()});
}

TEST_CASE("state keys are pinned to the byte", "[state_key]") {
  CHECK(hex(key_of(Type::bigint(), std::int64_t{7})) == "018000000000000007");
  CHECK(hex(key_of(Type::bigint(), std::int64_t{-1})) == "017fffffffffffffff");
  CHECK(hex(key_of(Type::float64(), 1.5)) == "01bff8000000000000");
  CHECK(hex(key_of(Type::float64(), -1.5)) == "014007ffffffffffff");
  CHECK(hex(key_of(Type::float64(), std::nan(""))) == "01ffffffffffffffff");
  CHECK(hex(key_of(Type::text(), std::string("a\0b", 3))) == "016100ff620001");
  CHECK(hex(key_of(Type::text(), Cell())) == "02");
  CHECK(hex(key_of(Type::numeric(5, 2), Int128{-1})) == "017fffffffffffffffffffffffffffffff");
  CHECK(hex(key_of(Type::interval(), Interval{1, -1, 3})) ==
        "01"
        "8000000000000000000002476165e003"
        "80000001"
        "7fffffff"
        "8000000000000003");
}

TEST_CASE("negative zero is zero and there is one NaN", "[state_key]") {
  CHECK(key_of(Type::float64(), -0.0) == key_of(Type::float64(), 0.0));
  CHECK(key_of(Type::float64(), -std::nan("1")) == key_of(Type::float64(), std::nan("2")));
}
