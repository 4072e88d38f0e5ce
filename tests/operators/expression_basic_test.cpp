#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/expression_kit.h"

using namespace kappa;
using namespace kappa::test;

TEST_CASE("arithmetic has PostgreSQL's types and truncates") {
  CHECK(shown(call("/", {num(7), num(2)})) == "3");
  CHECK(call("+", {num(1), dec("1.50")})->type() == Type::numeric(22, 2));
  CHECK(shown(call("*", {num(3), dec("0.908")})) == "2.724");
  CHECK(shown(call("/", {dec("1"), dec("3.0")})) == "0.333333");
  CHECK(shown(call("-", {num(5)})) == "-5");
  CHECK(shown(call("%", {num(-7), num(3)})) == "-1");
  CHECK(shown(call("+", {dbl(0.1), num(1)})) == "1.1");
  CHECK(shown(call("/", {num(1), num(0)})) == "fails: division by zero in (1 / 0)");
}

TEST_CASE("three-valued logic") {
  const auto yes = boolean(true), no = boolean(false), unknown = null();
  CHECK(shown(call("and", {yes, unknown})) == "null");
  CHECK(shown(call("and", {unknown, no})) == "false");
  CHECK(shown(call("or", {unknown, yes})) == "true");
  CHECK(shown(call("or", {unknown, no})) == "null");
  CHECK(shown(call("not", {unknown})) == "null");
  CHECK(shown(call("is not true", {unknown})) == "true");
  CHECK(shown(call("is false", {unknown})) == "false");
  CHECK(shown(call("is distinct from", {num(1), unknown})) == "true");
  CHECK(shown(call("is not distinct from", {unknown, unknown})) == "true");
  CHECK(shown(call("in", {num(1), num(2), unknown})) == "null");
  CHECK(shown(call("in", {num(2), num(2), unknown})) == "true");
  CHECK(shown(call("not in", {num(1), num(2), num(3)})) == "true");
  CHECK(shown(call("between", {num(2), num(1), num(3)})) == "true");
}

TEST_CASE("parts that a row does not reach cannot fail it") {
  const Schema schema({{"a", Type::bigint()}, {"b", Type::bigint()}});
  ColumnBuilder a(Type::bigint()), b(Type::bigint());
  for (std::int64_t i = 0; i < 200; ++i) {
    a.append_i64(i);
    i % 7 == 3 ? b.append_null() : b.append_i64(i % 3);
  }
  const Batch batch = batch_of({a.finish(), b.finish()});
  const ExpressionPtr x = column(schema, 0), y = column(schema, 1);
  const ExpressionPtr quotient = call("/", {x, y});
  const ExpressionPtr is_zero = call("=", {y, num(0)});
  Failures failures;
  const Column safe = case_when({{is_zero, num(0)}}, quotient)->evaluate(batch, nullptr, failures);
  (void)call("or", {is_zero, call(">", {quotient, num(1)})})->evaluate(batch, nullptr, failures);
  (void)call("and", {call("<>", {y, num(0)}), call(">", {quotient, num(1)})})->evaluate(batch, nullptr, failures);
  (void)call("coalesce", {call("nullif", {y, num(0)}), num(1)})->evaluate(batch, nullptr, failures);
  CHECK(failures.empty());
  CHECK(safe.i64()[5] == 2);
  CHECK(safe.i64()[6] == 0);
  (void)quotient->evaluate(batch, nullptr, failures);
  CHECK(failures.rows().size() == 57);
  CHECK(failures.contains(0));
  CHECK_FALSE(failures.contains(3));
  CHECK(failures.rows().front().second == "division by zero in (a / b)");
}

TEST_CASE("casts and comparisons across types") {
  CHECK(shown(cast(str(" 12 "), Type::bigint())) == "12");
  CHECK_THROWS_WITH(cast(str("abc"), Type::bigint()),
                    "invalid input syntax for type bigint: \"abc\" in CAST('abc' AS bigint)");
  CHECK(shown(cast(dec("2.5"), Type::bigint())) == "3");
  CHECK(shown(cast(dbl(2.5), Type::bigint())) == "2");
  CHECK(shown(cast(dbl(1e20), Type::text())) == "1e+20");
  CHECK(shown(cast(dec("1.005"), Type::numeric(5, 2))) == "1.01");
  CHECK(shown(call("=", {num(1), dec("1.000")})) == "true");
  CHECK(shown(call("<", {dbl(0.5), dec("0.75")})) == "true");
  CHECK(shown(call("<", {at("2013-01-01"), str("2013-01-02")})) == "true");
  CHECK(shown(call("=", {span("1 month"), span("30 days")})) == "true");
  CHECK(shown(call("+", {at("2013-01-31"), span("1 month")})) == "2013-02-28T00:00:00Z");
  CHECK(shown(call("-", {at("2013-01-31"), at("2013-01-29T12:00")})) == "P1DT12H");
  CHECK(error_of([] { return call("nulif", {num(1)}); }) == "function nulif does not exist; did you mean nullif?");
  CHECK(error_of([] { return call("now", {}); }).find("pipelines see no clock") != std::string::npos);
}
