// Random expressions over random columns against a row-by-row evaluator that shares no code with the kernels.
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <random>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/expression_kit.h"

using namespace kappa;
using namespace kappa::test;

namespace {

// nullopt is NULL; Bad is a row that failed.
struct Bad {};
using Int = std::optional<std::int64_t>;
using Truth = std::optional<bool>;

struct Row {
  Int a, b;
  Truth p, q;
  std::optional<double> x, y;
};

struct Number {
  ExpressionPtr expression;
  std::function<Int(const Row&)> oracle;
};
struct Condition {
  ExpressionPtr expression;
  std::function<Truth(const Row&)> oracle;
};

const Schema& schema() {
  static const Schema kSchema({{"a", Type::bigint()},
                               {"b", Type::bigint()},
                               {"p", Type::boolean()},
                               {"q", Type::boolean()},
                               {"x", Type::float64()},
                               {"y", Type::float64()}});
  return kSchema;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  Row row() {
    const auto integer = [&]() -> Int {
      constexpr std::int64_t kOdd[] = {0, 1, -1, 2, INT64_MAX, INT64_MIN, INT64_MAX - 1, 3'037'000'500};
      if (below(5) == 0) return std::nullopt;
      return below(2) == 0 ? kOdd[below(8)] : static_cast<std::int64_t>(below(200)) - 100;
    };
    const auto truth = [&]() -> Truth { return below(3) == 0 ? Truth() : Truth(below(2) == 0); };
    const auto real = [&]() -> std::optional<double> {
      const double kOdd[] = {0.0, -0.0, std::nan(""), HUGE_VAL, -HUGE_VAL, 1.5};
      return below(5) == 0 ? std::nullopt : std::optional(kOdd[below(6)]);
    };
    return {integer(), integer(), truth(), truth(), real(), real()};
  }

  Number number(int depth) {
    if (depth == 0 || below(4) == 0) return leaf();
    switch (below(7)) {
      case 5: return choice(depth - 1);
      case 6: return first_of(depth - 1);
      default: return operation(depth - 1);
    }
  }

  Condition condition(int depth) {
    if (depth == 0) return below(2) == 0 ? flag() : reals();
    switch (below(5)) {
      case 0: return junction(depth - 1, true);
      case 1: return junction(depth - 1, false);
      case 2: return negation(depth - 1);
      case 3: return test(depth - 1);
      default: return comparison(depth - 1);
    }
  }

 private:
  Number leaf() {
    if (below(3) == 0) {
      const std::int64_t value = static_cast<std::int64_t>(below(7)) - 3;
      return {num(value), [=](const Row&) { return Int(value); }};
    }
    if (below(2) == 0) return {column(schema(), 0), [](const Row& r) { return r.a; }};
    return {column(schema(), 1), [](const Row& r) { return r.b; }};
  }

  static std::int64_t compute(char op, std::int64_t a, std::int64_t b) {
    if ((op == '/' || op == '%') && b == 0) throw Bad();
    const Int128 x = a, y = b;
    const Int128 result = op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : op == '/' ? x / y : x % y;
    if (result > INT64_MAX || result < INT64_MIN) throw Bad();
    return static_cast<std::int64_t>(result);
  }

  Number operation(int depth) {
    const char op = "+-*/%"[below(5)];
    const Number left = number(depth), right = number(depth);
    return {call(std::string(1, op), {left.expression, right.expression}), [=](const Row& r) -> Int {
              const Int a = left.oracle(r), b = right.oracle(r);
              return a && b ? Int(compute(op, *a, *b)) : Int();
            }};
  }

  Number choice(int depth) {
    const Condition when = condition(depth);
    const Number then = number(depth), otherwise = number(depth);
    return {case_when({{when.expression, then.expression}}, otherwise.expression),
            [=](const Row& r) { return when.oracle(r).value_or(false) ? then.oracle(r) : otherwise.oracle(r); }};
  }

  Number first_of(int depth) {
    const Number left = number(depth), right = number(depth);
    return {call("coalesce", {left.expression, right.expression}), [=](const Row& r) {
              const Int a = left.oracle(r);
              return a ? a : right.oracle(r);
            }};
  }

  Condition flag() {
    if (below(2) == 0) return {column(schema(), 2), [](const Row& r) { return r.p; }};
    return {column(schema(), 3), [](const Row& r) { return r.q; }};
  }

  // NaN equals NaN and is greater than everything.
  static int order(double a, double b) {
    if (std::isnan(a)) return std::isnan(b) ? 0 : 1;
    if (std::isnan(b)) return -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  static bool holds(const std::string& op, int order) {
    if (op == "=") return order == 0;
    if (op == "<>") return order != 0;
    if (op == "<") return order < 0;
    if (op == "<=") return order <= 0;
    return op == ">" ? order > 0 : order >= 0;
  }
  std::string comparison_operator() {
    constexpr const char* kOperators[] = {"=", "<>", "<", "<=", ">", ">="};
    return kOperators[below(6)];
  }

  Condition reals() {
    const std::string op = comparison_operator();
    return {call(op, {column(schema(), 4), column(schema(), 5)}),
            [=](const Row& r) { return r.x && r.y ? Truth(holds(op, order(*r.x, *r.y))) : Truth(); }};
  }

  Condition comparison(int depth) {
    const std::string op = comparison_operator();
    const Number left = number(depth), right = number(depth);
    return {call(op, {left.expression, right.expression}), [=](const Row& r) {
              const Int a = left.oracle(r), b = right.oracle(r);
              return a && b ? Truth(holds(op, *a < *b ? -1 : *a > *b ? 1 : 0)) : Truth();
            }};
  }

  Condition junction(int depth, bool is_and) {
    const Condition left = condition(depth), right = condition(depth);
    return {call(is_and ? "and" : "or", {left.expression, right.expression}), [=](const Row& r) -> Truth {
              const Truth a = left.oracle(r);
              if (a && *a != is_and) return a;
              const Truth b = right.oracle(r);
              if (b && *b != is_and) return b;
              return a && b ? Truth(is_and) : Truth();
            }};
  }

  Condition negation(int depth) {
    const Condition inner = condition(depth);
    return {call("not", {inner.expression}), [=](const Row& r) {
              const Truth a = inner.oracle(r);
              return a ? Truth(!*a) : Truth();
            }};
  }

  Condition test(int depth) {
    const Condition inner = condition(depth), other = condition(depth);
    if (below(2) == 0)
      return {call("is not true", {inner.expression}),
              [=](const Row& r) { return Truth(!inner.oracle(r).value_or(false)); }};
    return {call("is distinct from", {inner.expression, other.expression}), [=](const Row& r) {
              const Truth a = inner.oracle(r);
              return Truth(a != other.oracle(r));
            }};
  }

  std::mt19937_64 random_;
};

Batch columns_of(const std::vector<Row>& rows) {
  ColumnBuilder a(Type::bigint()), b(Type::bigint()), p(Type::boolean()), q(Type::boolean()), x(Type::float64()),
      y(Type::float64());
  for (const Row& row : rows) {
    row.a ? a.append_i64(*row.a) : a.append_null();
    row.b ? b.append_i64(*row.b) : b.append_null();
    row.p ? p.append_bool(*row.p) : p.append_null();
    row.q ? q.append_bool(*row.q) : q.append_null();
    row.x ? x.append_f64(*row.x) : x.append_null();
    row.y ? y.append_f64(*row.y) : y.append_null();
  }
  return batch_of({a.finish(), b.finish(), p.finish(), q.finish(), x.finish(), y.finish()});
}

template <class Oracle, class Get>
void compare(const ExpressionPtr& expression, const Oracle& oracle, const std::vector<Row>& rows, Generator& random,
             Get get) {
  const Batch batch = columns_of(rows);
  const bool masked = random.below(2) == 0;
  std::vector<std::uint8_t> mask(bitmap_bytes(batch.rows), 0);
  for (std::int64_t i = 0; i < batch.rows; ++i) set_bit(mask.data(), i, random.below(3) != 0);
  Failures failures;
  const Column column = expression->evaluate(batch, masked ? mask.data() : nullptr, failures);
  REQUIRE(column.size() == batch.rows);
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    INFO("row " << i);
    if (masked && !get_bit(mask.data(), i)) {
      REQUIRE_FALSE(failures.contains(i));
      continue;
    }
    bool failed = false;
    decltype(oracle(rows[0])) expected;
    try {
      expected = oracle(rows[static_cast<std::size_t>(i)]);
    } catch (const Bad&) {
      failed = true;
    }
    REQUIRE(failures.contains(i) == failed);
    REQUIRE(column.is_null(i) == (failed || !expected));
    if (expected && !failed) REQUIRE(get(column, i) == *expected);
  }
}

}  // namespace

TEST_CASE("random expressions agree with an evaluator that goes row by row") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U, 20260801U);
  INFO("seed " << seed);
  Generator random(seed);
  for (int round = 0; round < 150; ++round) {
    constexpr std::size_t kSizes[] = {1, 63, 64, 65, 200};
    std::vector<Row> rows(kSizes[random.below(5)]);
    for (Row& row : rows) row = random.row();
    const Number number = random.number(4);
    INFO(number.expression->text());
    compare(number.expression, number.oracle, rows, random, [](const Column& c, std::int64_t i) { return c.i64()[i]; });
    const Condition condition = random.condition(4);
    INFO(condition.expression->text());
    compare(condition.expression, condition.oracle, rows, random,
            [](const Column& c, std::int64_t i) { return c.bit(i); });
  }
}

TEST_CASE("random numerics agree with decimal arithmetic on integers of 128 bits") {
  const auto seed = GENERATE(5U, 20260802U);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto literal_of = [](std::int64_t v, int scale) {
    return literal({Type::numeric(19, static_cast<std::uint8_t>(scale)), static_cast<Int128>(v)});
  };
  const auto rounded_quotient = [](Int128 n, Int128 d) {
    const bool negative = (n < 0) != (d < 0);
    n = n < 0 ? -n : n;
    d = d < 0 ? -d : d;
    const Int128 result = (2 * n + d) / (2 * d);
    return negative ? -result : result;
  };
  for (int i = 0; i < 5000; ++i) {
    const auto a = static_cast<std::int64_t>(random()) >> (random() % 60),
               b = static_cast<std::int64_t>(random()) >> (random() % 60);
    const int sa = static_cast<int>(random() % 4), sb = static_cast<int>(random() % 4), s = std::max(sa, sb);
    constexpr std::int64_t kPower[] = {1, 10, 100, 1000};
    const Int128 x = static_cast<Int128>(a) * kPower[s - sa], y = static_cast<Int128>(b) * kPower[s - sb];
    const auto value = [&](const char* op) {
      return std::get<Int128>(constant_value(*call(op, {literal_of(a, sa), literal_of(b, sb)})).data);
    };
    INFO(a << " " << sa << " " << b << " " << sb);
    REQUIRE(value("+") == x + y);
    REQUIRE(value("-") == x - y);
    REQUIRE(value("*") == static_cast<Int128>(a) * b);
    REQUIRE(std::get<bool>(constant_value(*call("<", {literal_of(a, sa), literal_of(b, sb)})).data) == (x < y));
    if (b == 0) continue;
    REQUIRE(value("%") == x % y);
    if (x < (static_cast<Int128>(1) << 100) / 1'000'000) REQUIRE(value("/") == rounded_quotient(x * 1'000'000, y));
  }
}
