#include <cmath>
#include <fstream>
#include <sstream>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/expression_kit.h"

using namespace kappa;
using namespace kappa::test;

namespace {
std::string of(const std::string& name, std::vector<ExpressionPtr> arguments) {
  const std::string result = error_of([&] { return call(name, arguments); });
  return result == "nothing" ? shown(call(name, arguments)) : "error: " + result;
}
}  // namespace

TEST_CASE("text functions count characters, not bytes") {
  CHECK(of("length", {str("žluťoučký")}) == "9");
  CHECK(of("octet_length", {str("žluťoučký")}) == "13");
  CHECK(of("lower", {str("ABCÄ")}) == "abcÄ");
  CHECK(of("upper", {str("abcä")}) == "ABCä");
  CHECK(of("substring", {str("žluťoučký"), num(2), num(3)}) == "luť");
  CHECK(of("substring", {str("abc"), num(-1), num(3)}) == "a");
  CHECK(of("substring", {str("abc"), num(2)}) == "bc");
  CHECK(of("substring", {str("abc"), num(1), num(INT64_MAX)}) == "abc");
  CHECK(of("substring", {str("abc"), num(INT64_MIN), num(INT64_MAX)}) == "");
  CHECK(of("substring", {str("abc"), num(1), num(-1)}).find("negative substring length") != std::string::npos);
  CHECK(of("left", {str("žluť"), num(2)}) == "žl");
  CHECK(of("left", {str("žluť"), num(-1)}) == "žlu");
  CHECK(of("right", {str("žluť"), num(2)}) == "uť");
  CHECK(of("right", {str("žluť"), num(-3)}) == "ť");
  CHECK(of("right", {str("abc"), num(INT64_MIN)}) == "");
  CHECK(of("reverse", {str("abť")}) == "ťba");
  CHECK(of("lpad", {str("7"), num(3), str("0")}) == "007");
  CHECK(of("lpad", {str("hi"), num(7), str("xyž")}) == "xyžxyhi");
  CHECK(of("rpad", {str("abcdef"), num(3)}) == "abc");
  CHECK(of("rpad", {str("a"), num(3)}) == "a  ");
  CHECK(of("strpos", {str("žluť"), str("uť")}) == "3");
  CHECK(of("position", {str("abc"), str("x")}) == "0");
}

TEST_CASE("text is cut, joined and replaced") {
  CHECK(of("trim", {str("  a b ")}) == "a b");
  CHECK(of("btrim", {str("xyaxy"), str("yx")}) == "a");
  CHECK(of("ltrim", {str("žža"), str("ž")}) == "a");
  CHECK(of("rtrim", {str("aaa"), str("a")}) == "");
  CHECK(of("replace", {str("aXbX"), str("X"), str("--")}) == "a--b--");
  CHECK(of("replace", {str("abc"), str(""), str("x")}) == "abc");
  CHECK(of("split_part", {str("a/b/c"), str("/"), num(2)}) == "b");
  CHECK(of("split_part", {str("a/b/c"), str("/"), num(-1)}) == "c");
  CHECK(of("split_part", {str("a/b/c"), str("/"), num(9)}) == "");
  CHECK(of("split_part", {str("a/b/c"), str("/"), num(-9)}) == "");
  CHECK(of("split_part", {str("abc"), str(""), num(1)}) == "abc");
  CHECK(of("split_part", {str("abc"), str("b"), num(0)}).find("must not be zero") != std::string::npos);
  CHECK(of("starts_with", {str("abc"), str("ab")}) == "true");
  CHECK(of("concat", {str("a"), null(), num(1), boolean(true)}) == "a1true");
  CHECK(of("concat_ws", {str("-"), str("a"), null(), num(1)}) == "a-1");
  CHECK(of("concat_ws", {null(), str("a")}) == "null");
  CHECK(of("||", {str("a"), num(1)}) == "a1");
  CHECK(of("||", {str("a"), null()}) == "null");
  CHECK(of("repeat", {str("ab"), num(3)}) == "ababab");
  CHECK(of("repeat", {str("ab"), num(-3)}) == "");
  CHECK(of("repeat", {str("ab"), num(INT64_MAX)}).find("longer than 1 MiB") != std::string::npos);
  CHECK(of("lpad", {str("ab"), num(INT64_MAX)}).find("longer than 1 MiB") != std::string::npos);
}

TEST_CASE("LIKE and regular expressions") {
  CHECK(of("like", {str("abc"), str("a%")}) == "true");
  CHECK(of("like", {str("abc"), str("a_c")}) == "true");
  CHECK(of("like", {str("ažc"), str("a_c")}) == "true");
  CHECK(of("like", {str("abc"), str("b%")}) == "false");
  CHECK(of("like", {str("a%c"), str("a\\%c")}) == "true");
  CHECK(of("like", {str("abc"), str("a\\%c")}) == "false");
  CHECK(of("like", {str(""), str("%")}) == "true");
  CHECK(of("like", {str(""), str("_")}) == "false");
  CHECK(of("like", {str("aab"), str("%ab")}) == "true");
  CHECK(of("like", {str("ab"), str("ab%ab")}) == "false");
  CHECK(of("ilike", {str("ABC"), str("%b%")}) == "true");
  CHECK(of("not like", {str("abc"), str("%z%")}) == "true");
  CHECK(of("like", {str("a"), str("a\\")}).find("must not end") != std::string::npos);
  CHECK(of("~", {str("foo123"), str("[0-9]+$")}) == "true");
  CHECK(of("!~", {str("foo"), str("^f")}) == "false");
  CHECK(of("~*", {str("FOO"), str("o{2}")}) == "true");
  CHECK(of("~", {str("x"), str("(")}).find("invalid regular expression") != std::string::npos);
  CHECK(of("~", {str("x"), str("(?=a)")}).find("RE2") != std::string::npos);
  CHECK(of("regexp_substr", {str("channel_id=42&x"), str("channel_id=([^&]*)")}) == "42");
  CHECK(of("regexp_substr", {str("x"), str("y")}) == "null");
  CHECK(of("regexp_replace", {str("a1b2"), str("[0-9]"), str("<\\&>")}) == "a<1>b2");
  CHECK(of("regexp_replace", {str("a1b2"), str("[0-9]"), str("#"), str("g")}) == "a#b#");
}

TEST_CASE("numbers are rounded as PostgreSQL rounds them") {
  CHECK(of("abs", {num(-5)}) == "5");
  CHECK(of("abs", {num(INT64_MIN)}).find("bigint out of range") != std::string::npos);
  CHECK(of("abs", {dec("-1.5")}) == "1.5");
  CHECK(of("round", {dec("2.5")}) == "3");
  CHECK(of("round", {dec("-2.5")}) == "-3");
  CHECK(of("round", {dbl(2.5)}) == "2");
  CHECK(of("round", {dec("1.2345"), num(2)}) == "1.23");
  CHECK(of("round", {dec("1250.5"), num(-2)}) == "1300");
  CHECK(of("round", {num(1250), num(-2)}) == "1300");
  CHECK(of("round", {dec("1.5"), num(3)}) == "1.500");
  CHECK(of("trunc", {dec("-1.99"), num(1)}) == "-1.9");
  CHECK(of("floor", {dec("-1.1")}) == "-2");
  CHECK(of("ceil", {dec("-1.9")}) == "-1");
  CHECK(of("ceil", {dec("1.01")}) == "2");
  CHECK(of("floor", {num(7)}) == "7");
  CHECK(of("round", {dbl(1.5), num(1)}).find("cast to numeric") != std::string::npos);
  CHECK(of("sign", {dec("-0.5")}) == "-1.0");
  CHECK(of("sqrt", {num(9)}) == "3");
  CHECK(of("sqrt", {num(-1)}).find("domain") != std::string::npos);
  CHECK(of("ln", {num(0)}).find("domain") != std::string::npos);
  CHECK(of("log", {num(1000)}) == "3");
  CHECK(of("log", {num(2), num(8)}) == "3");
  CHECK(of("exp", {num(1000)}).find("out of range") != std::string::npos);
  CHECK(of("power", {num(2), num(10)}) == "1024");
  CHECK(of("^", {num(0), num(-1)}).find("domain") != std::string::npos);
  CHECK(of("power", {num(-8), dec("0.5")}).find("domain") != std::string::npos);
  CHECK(of("mod", {dec("7.5"), num(2)}) == "1.5");
}

TEST_CASE("instants are truncated and taken apart in UTC") {
  const auto t = at("2013-08-15T13:45:30.123456Z");  // a Thursday
  CHECK(of("date_trunc", {str("week"), t}) == "2013-08-12T00:00:00Z");
  CHECK(of("date_trunc", {str("Month"), t}) == "2013-08-01T00:00:00Z");
  CHECK(of("date_trunc", {str("quarter"), t}) == "2013-07-01T00:00:00Z");
  CHECK(of("date_trunc", {str("year"), t}) == "2013-01-01T00:00:00Z");
  CHECK(of("date_trunc", {str("hour"), at("1969-12-31T23:30:00Z")}) == "1969-12-31T23:00:00Z");
  CHECK(of("date_trunc", {str("milliseconds"), t}) == "2013-08-15T13:45:30.123Z");
  CHECK(of("date_trunc", {str("fortnight"), t}).find("it knows microsecond") != std::string::npos);
  CHECK(of("date_bin", {span("15 minutes"), t, at("2013-01-01")}) == "2013-08-15T13:45:00Z");
  CHECK(of("extract", {str("hour"), t}) == "13");
  CHECK(of("extract", {str("second"), t}) == "30.123456");
  CHECK(of("extract", {str("milliseconds"), t}) == "30123.456");
  CHECK(of("extract", {str("epoch"), t}) == "1376574330.123456");
  CHECK(of("date_part", {str("epoch"), t}) == "1376574330.123456");
  CHECK(of("extract", {str("dow"), t}) == "4");
  CHECK(of("extract", {str("isodow"), at("2013-08-18")}) == "7");
  CHECK(of("extract", {str("doy"), t}) == "227");
  CHECK(of("extract", {str("week"), at("2012-12-31")}) == "1");
  CHECK(of("extract", {str("isoyear"), at("2012-12-31")}) == "2013");
  CHECK(of("extract", {str("week"), at("2010-01-03")}) == "53");
  CHECK(of("extract", {str("quarter"), t}) == "3");
  CHECK(of("extract", {str("epoch"), span("1 month 1 day")}) == "2678400.000000");
  CHECK(of("extract", {str("minute"), span("90 minutes")}) == "30");
  CHECK(of("to_timestamp", {dbl(1.5)}) == "1970-01-01T00:00:01.500Z");
  CHECK(of("to_timestamp", {dbl(1e300)}).find("out of range") != std::string::npos);
  CHECK(of("+", {t, span("2147483647 days")}).find("out of range") != std::string::npos);
  CHECK(of("-", {at("2013-03-31"), span("1 month")}) == "2013-02-28T00:00:00Z");
  CHECK(of("*", {span("1 second"), num(90)}) == "PT1M30S");
  CHECK(of("*", {span("1 second"), num(INT64_MAX)}).find("out of range") != std::string::npos);
}

TEST_CASE("conditional functions") {
  CHECK(of("coalesce", {null(), num(2), call("/", {num(1), num(0)})}) == "2");
  CHECK(of("nullif", {num(1), num(1)}) == "null");
  CHECK(of("nullif", {num(1), num(2)}) == "1");
  CHECK(of("greatest", {num(1), null(), dec("2.5")}) == "2.5");
  CHECK(of("least", {str("b"), str("a"), str("c")}) == "a");
  CHECK(of("greatest", {dbl(1), dbl(std::nan(""))}) == "NaN");
  CHECK(of("coalesce", {num(1), str("x")}).find("invalid input syntax for type bigint") != std::string::npos);
}

TEST_CASE("type errors say what there is") {
  const Schema schema({{"a", Type::bigint()}, {"t", Type::text()}, {"at", Type::timestamptz()}});
  const auto a = column(schema, 0), t = column(schema, 1), instant = column(schema, 2);
  CHECK(of("lower", {a}) ==
        "error: function lower(bigint) does not exist; usage: lower(text) → text; ASCII letters only");
  CHECK(of("+", {a, t}).starts_with("error: operator + does not exist for (bigint, text)"));
  CHECK(of("=", {a, t}) == "error: =: types bigint, text do not match; cast them to one type, such as CAST(a AS text)");
  CHECK(of("and", {a, boolean(true)}) == "error: an argument of and is bigint, not boolean: a");
  CHECK(of("lenght", {t}) == "error: function lenght does not exist; did you mean length?");
  CHECK(of("random", {}).starts_with("error: random does not exist: nothing random"));
  CHECK(of("~", {t, t}) == "error: the pattern of ~ must be a constant, not t");
  CHECK(error_of([&] { return cast(instant, Type::bigint()); }) ==
        "cannot cast timestamptz to bigint: at; use extract(epoch from …) for seconds since 1970");
  CHECK(error_of([&] { return case_when({{a, a}}, nullptr); }) == "WHEN a is bigint, not boolean");
  CHECK(error_of([&] { return constant_value(*call("+", {a, num(1)})); }) == "(a + 1) is not a constant");
}

TEST_CASE("types by name") {
  CHECK(parse_type("INT") == Type::bigint());
  CHECK(parse_type("double precision") == Type::float64());
  CHECK(parse_type("numeric", {10, 2}) == Type::numeric(10, 2));
  CHECK(parse_type("numeric", {10}) == Type::numeric(10, 0));
  CHECK(parse_type("decimal") == Type::numeric(38, 6));
  CHECK_FALSE(parse_type("numeric", {39, 0}).has_value());
  CHECK_FALSE(parse_type("numeric", {5, 6}).has_value());
  CHECK_FALSE(parse_type("json").has_value());
}

TEST_CASE("equal texts mean equal behaviour") {
  const Schema schema({{"a", Type::bigint()}, {"Odd \"name\"", Type::text()}});
  const auto a = column(schema, 0), odd = column(schema, 1);
  CHECK(odd->text() == "\"Odd \"\"name\"\"\"");
  CHECK(call("+", {a, num(1)})->text() == "(a + 1)");
  CHECK(call("+", {a, dec("1.5")})->text() == "(CAST(a AS numeric(19,0)) + 1.5)");
  CHECK(call("+", {a, dbl(1.5)})->text() == "(CAST(a AS double precision) + CAST('1.5' AS double precision))");
  CHECK(call("*", {a, call("*", {num(2), num(3)})})->text() == "(a * 6)");
  CHECK(call("in", {a, num(1), num(2), num(3), num(4)})->text() == "IN(a, 1, 2, 3, 4)");
  CHECK(call("date_trunc", {str("day"), at("2013-01-02T03:04")})->text() == "TIMESTAMPTZ '2013-01-02T00:00:00Z'");
  CHECK(call("LOWER", {odd})->text() == "lower(\"Odd \"\"name\"\"\")");
  CHECK(str("it's")->text() == "'it''s'");
}

TEST_CASE("the SQL reference lists every function") {
  std::ifstream file(std::string(KAPPA_SOURCE_DIR) + "/docs/SQL.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const std::string& name : function_names()) {
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    INFO(name);
    CHECK((text.str().find("`" + name + "`") != std::string::npos || text.str().find(name + "(") != std::string::npos ||
           text.str().find("`" + upper + "`") != std::string::npos));
  }
}
