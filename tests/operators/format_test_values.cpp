// What each column type accepts from JSON, and what a failure says.
#include <fstream>
#include <map>
#include <sstream>

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/format_kit.h"

using namespace kappa;
using testkit::decode_one;

namespace {

std::string as(Type type, const std::string& value, const std::string& unit = "ms") {
  return decode_one({.columns = Schema({{"x", type}}), .timestamp_unit = unit}, R"({"a":1,"x":)" + value + "}");
}

}  // namespace

TEST_CASE("bigint takes integers, exactly", "[format]") {
  for (const char* value : {"0", "7", "-7", "12345678", "123456789", "1234567890123456", "12345678901234567",
                            "9223372036854775807", "-9223372036854775808"}) {
    CHECK(as(Type::bigint(), value) == value);
  }
  CHECK(as(Type::bigint(), "-0") == "0");
  CHECK(as(Type::bigint(), " \t\n\r 5 \t\n\r ") == "5");
  for (const char* value : {"1.5", "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
                            "99999999999999999999999", "100000000000000000000000000", "true", "\"5\"", "[5]", "{}"}) {
    CHECK(as(Type::bigint(), value).find("is not a bigint") != std::string::npos);
  }
  CHECK(as(Type::bigint(), "1.5") == "failed: field x: 1.5 is not a bigint");
  CHECK(as(Type::bigint(), "\"5\"") == "failed: field x: \"5\" is not a bigint");
  CHECK(as(Type::bigint(), "[5]") == "failed: field x: an array is not a bigint");
}

TEST_CASE("double takes any number and three strings", "[format]") {
  CHECK(as(Type::float64(), "1") == "1");
  CHECK(as(Type::float64(), "-0") == "-0");
  CHECK(as(Type::float64(), "0.30000000000000004") == "0.30000000000000004");
  CHECK(as(Type::float64(), "1.7976931348623157e308") == "1.7976931348623157e+308");
  CHECK(as(Type::float64(), "1e-400") == "0");
  CHECK(as(Type::float64(), "-1e-400") == "-0");
  CHECK(as(Type::float64(), "0.0e999999999999999999999") == "0");
  CHECK(as(Type::float64(), "1" + std::string(308, '0')) == "1e+308");
  CHECK(as(Type::float64(), "\"NaN\"") == "\"NaN\"");
  CHECK(as(Type::float64(), "\"-Infinity\"") == "\"-Infinity\"");
  CHECK(as(Type::float64(), R"("\u0049nfinity")") == "\"Infinity\"");
  CHECK(as(Type::float64(), "1e400") == "failed: field x: 1e400 is out of range for double precision");
  CHECK(as(Type::float64(), "-1e400") == "failed: field x: -1e400 is out of range for double precision");
  CHECK(as(Type::float64(), "1" + std::string(400, '0')).starts_with("failed: field x: 1000"));
  CHECK(as(Type::float64(), "\"1.5\"") == "failed: field x: \"1.5\" is not a double precision number");
  CHECK(as(Type::float64(), "\"nan\"").starts_with("failed"));
}

TEST_CASE("numeric is read from its digits", "[format]") {
  const Type two = Type::numeric(38, 2);
  CHECK(as(two, "12.34") == "12.34");
  CHECK(as(two, "\"12.34\"") == "12.34");
  CHECK(as(two, "12.3") == "12.30");
  CHECK(as(two, "-0.005") == "-0.01");
  CHECK(as(two, "0.00499999999999999999999999999999999") == "0.00");
  CHECK(as(two, "2.675") == "2.68");  // a double would say 2.67
  CHECK(as(two, "1.234e1") == "12.34");
  CHECK(as(two, "1234E-2") == "12.34");
  CHECK(as(two, "0.0001234e5") == "12.34");
  CHECK(as(two, "-0") == "0.00");
  CHECK(as(two, "0e999999999999999999999999") == "0.00");
  CHECK(as(two, "1e-999999999999999999999999") == "0.00");
  CHECK(as(two, "123456789012345678901234567890123456.78") == "123456789012345678901234567890123456.78");
  CHECK(as(two, "999999999999999999999999999999999999.994") == "999999999999999999999999999999999999.99");
  CHECK(as(two, "999999999999999999999999999999999999.995").find("does not fit numeric(38,2)") != std::string::npos);
  CHECK(as(two, "1e999999999999999999999999").find("does not fit") != std::string::npos);
  CHECK(as(Type::numeric(38, 0), std::string(38, '9')) == std::string(38, '9'));
  CHECK(as(Type::numeric(38, 0), "1" + std::string(38, '0')).find("does not fit") != std::string::npos);
  CHECK(as(Type::numeric(38, 38), "0.5") == "0.50000000000000000000000000000000000000");
  CHECK(as(Type::numeric(3, 0), "999.4") == "999");
  CHECK(as(Type::numeric(3, 0), "999.5") == "failed: field x: 999.5 does not fit numeric(3,0)");
  CHECK(as(Type::numeric(1, 0), "0.5") == "1");
  for (const char* value : {"\"\"", "\"1.\"", "\".5\"", "\"+1\"", "\" 1\"", "\"1 \"", "\"1x\"", "\"NaN\"", "\"0x10\"",
                            "\"01\"", "true", "[]", "{}"}) {
    CHECK(as(two, value).find("is not a number") != std::string::npos);
  }
  CHECK(as(two, R"("\u0031.5")") == "1.50");
}

// The table of docs/FORMAT.md, "JSON in".
TEST_CASE("documents give the values that FORMAT.md says", "[format]") {
  const std::map<std::string, Type> types{{"bigint", Type::bigint()},
                                          {"text", Type::text()},
                                          {"double", Type::float64()},
                                          {"numeric(38,2)", Type::numeric(38, 2)},
                                          {"numeric(3,2)", Type::numeric(3, 2)},
                                          {"timestamptz", Type::timestamptz()}};
  std::ifstream page(std::string(KAPPA_SOURCE_DIR) + "/docs/FORMAT.md");
  int examples = 0;
  for (std::string line; std::getline(page, line);) {
    std::string type, document, value;
    std::istringstream words(line);
    words >> type >> document >> std::ws;
    std::getline(words, value);
    if (types.count(type) == 0 || !document.starts_with("{\"x\":")) continue;
    ++examples;
    INFO(line);
    const std::string row = decode_one({.columns = Schema({{"x", types.at(type)}})}, document);
    CHECK((row.starts_with("failed: ") ? "dead letter" : row) == value);
  }
  CHECK(examples == 22);
}

TEST_CASE("booleans, text, bytea and intervals take their own kind only", "[format]") {
  CHECK(as(Type::boolean(), "true") == "true");
  CHECK(as(Type::boolean(), "false") == "false");
  CHECK(as(Type::boolean(), "1") == "failed: field x: 1 is not a boolean");
  CHECK(as(Type::text(), R"("")") == R"("")");
  CHECK(as(Type::text(), R"("a\"\\\/\b\f\n\r\t\u00e9\ud834\udd1e\u0000b")") ==
        "\"a\\\"\\\\/\\b\\f\\n\\r\\té𝄞\\u0000b\"");
  CHECK(as(Type::text(), "5") == "failed: field x: 5 is not a string");
  CHECK(as(Type::text(), "{\"y\":1}") == "failed: field x: an object is not a string");
  CHECK(as(Type::bytea(), "\"AQI=\"") == "\"AQI=\"");
  CHECK(as(Type::bytea(), "\"AQ\\u0049=\"") == "\"AQI=\"");
  CHECK(as(Type::bytea(), "\"AQI\"") == "failed: field x: \"AQI\" is not base64");
  CHECK(as(Type::interval(), "\"PT1H30M\"") == "\"PT1H30M\"");
  CHECK(as(Type::interval(), "\"soon\"") == "failed: field x: \"soon\" is not an interval");
  CHECK(as(Type::interval(), "90") == "failed: field x: 90 is not in a string");
}

TEST_CASE("timestamps are RFC 3339 or integers in their unit", "[format]") {
  const Type type = Type::timestamptz();
  CHECK(as(type, "1772323200250") == "\"2026-03-01T00:00:00.250Z\"");
  CHECK(as(type, "1772323200", "s") == "\"2026-03-01T00:00:00Z\"");
  CHECK(as(type, "1772323200000001", "us") == "\"2026-03-01T00:00:00.000001Z\"");
  CHECK(as(type, "-1") == "\"1969-12-31T23:59:59.999Z\"");
  CHECK(as(type, "\"2026-03-01T12:00:00.5+01:00\"") == "\"2026-03-01T11:00:00.500Z\"");
  CHECK(as(type, R"("2026-03-01T00:00:00\u005a")") == "\"2026-03-01T00:00:00Z\"");
  CHECK(as(type, "9223372036854775807") == "failed: field x: 9223372036854775807 is not a timestamptz");
  CHECK(as(type, "1.5") == "failed: field x: 1.5 is not a timestamptz");
  CHECK(as(type, "\"yesterday\"") == "failed: field x: \"yesterday\" is not a timestamptz");
  CHECK(as(type, "false") == "failed: field x: false is not a timestamptz");
}

TEST_CASE("a missing field and null are null, unless the column says NOT NULL", "[format]") {
  const JsonDecoderOptions nullable{.columns = Schema({{"a", Type::bigint()}, {"b", Type::text()}})};
  CHECK(decode_one(nullable, "{}") == "null null");
  CHECK(decode_one(nullable, R"({"b":null})") == "null null");
  const JsonDecoderOptions strict{.columns = Schema({{"a", Type::bigint(), false}})};
  CHECK(decode_one(strict, "{}") == "failed: field a is missing, but its column is NOT NULL");
  CHECK(decode_one(strict, R"({"a":null})") == "failed: field a is null, but its column is NOT NULL");
  CHECK(decode_one(strict, R"({"a":3})") == "3");
}

TEST_CASE("causes are short and valid UTF-8", "[format]") {
  std::string euros;
  for (int i = 0; i < 500; ++i) euros += "€";
  for (int shift = 0; shift < 3; ++shift) {
    const std::string name = "n" + euros;
    const std::string cause =
        decode_one({.columns = Schema({{name, Type::bigint()}})},
                   "{\"" + name + "\":\"" + std::string(static_cast<std::size_t>(shift), 'x') + euros + "\"}");
    REQUIRE(cause.starts_with("failed: field n€"));
    CHECK(cause.size() <= 200 + 8);
    CHECK(cause.find("is not a bigint") != std::string::npos);
    std::string json;
    append_json_string(json, cause);
    CHECK(json.find("\xEF\xBF\xBD") == std::string::npos);
  }
}

TEST_CASE("options that make no sense are usage errors", "[format]") {
  const Schema one({{"x", Type::bigint()}});
  CHECK_THROWS_AS(json_decoder({}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .timestamp_unit = "ns"}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .paths = {{"y", "a.b"}}}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .paths = {{"x", "a..b"}}}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .paths = {{"x", ""}}}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .record_bytes_max = 0}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .record_bytes_max = 1 << 30}), Error);
  CHECK_THROWS_AS(json_decoder({.columns = one, .json_names = {"a", "b"}}), Error);
  CHECK_THROWS_AS(raw_decoder(Schema({{"offset", Type::bigint()}})), Error);
  CHECK_THROWS_AS(raw_decoder(Schema({{"key", Type::bigint()}})), Error);
  CHECK_THROWS_AS(json_encoder({.columns = one, .key_columns = {1}}), Error);
}
