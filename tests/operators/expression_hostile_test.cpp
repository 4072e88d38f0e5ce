#include <cmath>
#include <cstring>
#include <random>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/expression_kit.h"

using namespace kappa;
using namespace kappa::test;

namespace {
bool fails_with(const ExpressionPtr& expression, const std::string& cause) {
  return shown(expression).find("fails: " + cause) == 0;
}

// A pattern as a regular path through all choices: slow, obviously right.
bool like_slowly(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%')
    return like_slowly(text, pattern.substr(1)) || (!text.empty() && like_slowly(text.substr(1), pattern));
  if (text.empty()) return false;
  if (pattern[0] == '_') return like_slowly(text.substr(1), pattern.substr(1));
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  return text[0] == pattern[0] && like_slowly(text.substr(1), pattern.substr(1));
}
}  // namespace

TEST_CASE("the edges of bigint fail the row and nothing else") {
  CHECK(fails_with(call("/", {num(INT64_MIN), num(-1)}), "bigint out of range"));
  CHECK(shown(call("%", {num(INT64_MIN), num(-1)})) == "0");
  CHECK(fails_with(call("-", {num(INT64_MIN)}), "bigint out of range"));
  CHECK(fails_with(call("+", {num(INT64_MAX), num(1)}), "bigint out of range"));
  CHECK(fails_with(call("*", {num(INT64_MAX), num(2)}), "bigint out of range"));
  CHECK(fails_with(call("%", {num(1), num(0)}), "division by zero"));
  CHECK(fails_with(call("/", {dbl(1), dbl(0)}), "division by zero"));
  CHECK(fails_with(call("/", {dec("1.0"), dec("0.0")}), "division by zero"));
  CHECK(fails_with(call("*", {dbl(1e308), dbl(10)}), "double precision out of range"));
}

TEST_CASE("numerics are exact up to 38 digits and fail behind them") {
  const std::string nines(38, '9');
  CHECK(shown(dec(nines)) == nines);
  CHECK(fails_with(call("+", {dec(nines), num(1)}), "numeric out of range"));
  CHECK(fails_with(call("*", {dec(nines), num(2)}), "numeric out of range"));
  CHECK(fails_with(call("-", {call("-", {dec(nines)}), num(1)}), "numeric out of range"));
  CHECK(shown(call("=", {dec(nines), dec("0." + nines)})) == "false");
  CHECK(shown(call(">", {dec(nines), dec("0." + nines)})) == "true");
  CHECK(shown(call("<", {call("-", {dec(nines)}), dec("0." + nines)})) == "true");
  CHECK(shown(call("*", {dec("0." + nines), dec("0." + nines)})).size() == 40);
  CHECK(shown(call("/", {dec(nines), dec(nines)})) == "1.000000");
  CHECK(shown(call("/", {dec("-1"), dec("0." + nines)})) == "-1");
  CHECK_FALSE(parse_decimal(nines + "9").has_value());
  CHECK_FALSE(parse_decimal("1e400").has_value());
  CHECK_FALSE(parse_decimal("1e-400").has_value());
  CHECK(parse_decimal("1e-400", 6)->value == 0);
}

TEST_CASE("casts of hostile values") {
  for (const double v : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300, 9223372036854775808.0}) {
    CHECK(error_of([&] { return cast(dbl(v), Type::bigint()); }).find("bigint out of range") == 0);
  }
  CHECK(error_of([] { return cast(dbl(std::nan("")), Type::numeric(38, 0)); }).find("numeric out of range") == 0);
  CHECK(error_of([] { return cast(num(1000), Type::numeric(3, 0)); }).find("numeric out of range") == 0);
  for (const char* text : {"", " ", "+", "-", "1 2", "0x10", "1e", "9223372036854775808", "1.0", "+-1", "١"})
    CHECK(error_of([&] { return cast(str(text), Type::bigint()); }).find("invalid input syntax for type bigint") == 0);
  for (const char* text : {"", ".", "1e400", "-1e400", "nanx", "0x1p3", "e5", "--1", "1,5"})
    CHECK(error_of([&] { return cast(str(text), Type::float64()); }).find("invalid input syntax for type double") == 0);
  for (const char* text : {"", ".", "1e400", "NaN", "1.2.3", "1e1e1", "e1"})
    CHECK(error_of([&] { return cast(str(text), Type::numeric(10, 2)); }).find("invalid input syntax for type num") ==
          0);
  CHECK(shown(cast(str("Infinity"), Type::float64())) == "Infinity");
  CHECK(shown(cast(str("YES"), Type::boolean())) == "true");
  CHECK(error_of([] { return cast(str("maybe"), Type::boolean()); }).find("invalid input syntax for type boolean") ==
        0);
  CHECK(error_of([] { return cast(str("\\x0"), Type::bytea()); }).find("an odd number") != std::string::npos);
  CHECK(shown(cast(str("\\x00fF"), Type::bytea())) == "\\x00ff");
}

TEST_CASE("values survive the way through text") {
  std::mt19937_64 random(20260803);
  for (int i = 0; i < 5000; ++i) {
    double v = 0;
    const std::uint64_t bits = random();
    std::memcpy(&v, &bits, sizeof v);
    if (!std::isfinite(v)) continue;
    INFO(v);
    REQUIRE(std::get<double>(constant_value(*cast(cast(dbl(v), Type::text()), Type::float64())).data) == v);
  }
  CHECK(shown(dbl(100000)) == "100000");
  CHECK(shown(dbl(1e15)) == "1e+15");
  CHECK(shown(dbl(0.0001)) == "0.0001");
  CHECK(shown(dbl(0.00001)) == "1e-05");
  CHECK(shown(dbl(-0.0)) == "-0");
}

TEST_CASE("NaN is equal to itself and greater than everything") {
  const auto nan = dbl(std::nan("")), inf = dbl(HUGE_VAL);
  CHECK(shown(call("=", {nan, nan})) == "true");
  CHECK(shown(call(">", {nan, inf})) == "true");
  CHECK(shown(call("<", {nan, inf})) == "false");
  CHECK(shown(call("<=", {inf, nan})) == "true");
  CHECK(shown(call("<>", {nan, inf})) == "true");
}

TEST_CASE("invalid UTF-8 goes through text functions unharmed") {
  const std::string bad = "\x80\xff\xc3(\xf0\x9f";
  for (const char* name : {"lower", "upper", "trim", "length", "octet_length"})
    CHECK_FALSE(shown(call(name, {str(bad)})).empty());
  CHECK(shown(call("reverse", {str(bad)})).size() == bad.size());
  const std::int64_t length = std::get<std::int64_t>(constant_value(*call("length", {str(bad)})).data);
  for (std::int64_t cut = 0; cut <= length; ++cut)
    CHECK(shown(call("||", {call("left", {str(bad), num(cut)}), call("right", {str(bad), num(length - cut)})})) == bad);
  CHECK(shown(call("like", {str(bad), str("%")})) == "true");
  CHECK_FALSE(shown(call("~", {str(bad), str("x")})).empty());
}

TEST_CASE("LIKE agrees with a matcher that tries everything") {
  const auto seed = GENERATE(6U, 20260804U);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const Schema schema({{"t", Type::text()}, {"p", Type::text()}});
  for (int i = 0; i < 2000; ++i) {
    std::string text, pattern;
    for (std::uint64_t k = random() % 9; k > 0; --k) text += "ab%"[random() % 3];
    const std::string parts[] = {"a", "b", "%", "_", "\\%"};
    for (std::uint64_t k = random() % 7; k > 0; --k) pattern += parts[random() % 5];
    INFO("'" << text << "' LIKE '" << pattern << "'");
    const std::string expected = like_slowly(text, pattern) ? "true" : "false";
    REQUIRE(shown(call("like", {str(text), str(pattern)})) == expected);
    ColumnBuilder texts(Type::text()), patterns(Type::text());
    texts.append_bytes(text);
    patterns.append_bytes(pattern);
    Failures failures;
    const Column result = call("like", {column(schema, 0), column(schema, 1)})
                              ->evaluate(batch_of({texts.finish(), patterns.finish()}), nullptr, failures);
    REQUIRE(result.bit(0) == (expected == "true"));
  }
}

TEST_CASE("an empty batch has empty results") {
  const Schema schema({{"a", Type::bigint()}, {"t", Type::text()}});
  const Batch batch = batch_of({ColumnBuilder(Type::bigint()).finish(), ColumnBuilder(Type::text()).finish()});
  Failures failures;
  for (const ExpressionPtr& expression :
       {call("+", {column(schema, 0), num(1)}), call("||", {column(schema, 1), str("x")}), num(1), str("x"),
        call("and", {call("=", {column(schema, 0), num(1)}), boolean(true)}),
        case_when({{call("is null", {column(schema, 1)}), str("x")}}, column(schema, 1))})
    CHECK(expression->evaluate(batch, nullptr, failures).size() == 0);
  CHECK(failures.empty());
}

TEST_CASE("a failed row is null everywhere, and its first failure from the left is told") {
  const Schema schema({{"a", Type::bigint()}});
  ColumnBuilder a(Type::bigint());
  a.append_i64(0);
  a.append_i64(1);
  const Batch batch = batch_of({a.finish()});
  const auto zero = call("/", {num(1), column(schema, 0)});
  const auto remainder = call("%", {num(1), column(schema, 0)});
  for (const ExpressionPtr& expression :
       {call("+", {zero, remainder}), call("coalesce", {zero, num(7)}), call("is null", {zero}),
        call("or", {call("=", {zero, num(5)}), boolean(true)}), call("concat", {str("x"), zero}),
        call("greatest", {zero, num(1)}), case_when({{call("=", {zero, num(5)}), num(1)}}, num(2)),
        call("is distinct from", {zero, num(3)})}) {
    INFO(expression->text());
    Failures failures;
    const Column column = expression->evaluate(batch, nullptr, failures);
    REQUIRE(failures.rows().size() == 1);
    CHECK(failures.rows()[0] == std::pair<std::int64_t, std::string>(0, "division by zero in (1 / a)"));
    CHECK(column.is_null(0));
    CHECK_FALSE(column.is_null(1));
  }
}

TEST_CASE("failures are kept in row order, the first of a row") {
  Failures failures;
  failures.add(5, "five");
  failures.add(1, "one");
  failures.add(5, "again");
  failures.add(3, "three");
  REQUIRE(failures.rows().size() == 3);
  CHECK(failures.rows()[0].second == "one");
  CHECK(failures.rows()[1].second == "three");
  CHECK(failures.rows()[2].second == "five");
  CHECK(failures.contains(3));
  CHECK_FALSE(failures.contains(4));
}

TEST_CASE("literals fill batches of any size") {
  Failures failures;
  for (const std::int64_t rows : {0, 1, 65, 4096, 5000})
    for (const ExpressionPtr& expression : {num(7), dec("1.5"), boolean(true), str("x"), null(),
                                            cast(null(), Type::boolean()), cast(null(), Type::bigint())}) {
      const Column column = expression->evaluate(make_batch(rows), nullptr, failures);
      REQUIRE(column.size() == rows);
      if (rows == 0) continue;
      const bool is_null = expression->nullable();
      CHECK(column.is_null(rows - 1) == is_null);
      if (expression->type() == Type::bigint() && !is_null) CHECK(column.i64()[rows - 1] == 7);
      if (expression->type() == Type::boolean() && !is_null) CHECK(column.bit(rows - 1));
      if (expression->type() == Type::text() && !is_null) CHECK(column.bytes(rows - 1) == "x");
    }
}
