#include "kappa/engine/value_text.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "kappa/tests/kit/catch.h"

using namespace kappa;

namespace {

template <class Append>
Column column_of(Type type, Append append) {
  ColumnBuilder builder(type);
  append(builder);
  return builder.finish();
}

std::string json_of(const Column& column) {
  std::string out;
  append_json(out, column, 0);
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string double_text(double value) {
  return json_of(column_of(Type::float64(), [&](ColumnBuilder& b) { b.append_f64(value); }));
}

std::string numeric_text(Int128 value, int scale) {
  std::string out;
  append_numeric(out, value, scale);
  return out;
}

}  // namespace

TEST_CASE("each type has one JSON spelling", "[value_text]") {
  CHECK(json_of(column_of(Type::boolean(), [](ColumnBuilder& b) { b.append_bool(true); })) == "true");
  CHECK(json_of(column_of(Type::bigint(), [](ColumnBuilder& b) { b.append_i64(INT64_MIN); })) ==
        "-9223372036854775808");
  CHECK(json_of(column_of(Type::text(), [](ColumnBuilder& b) { b.append_bytes("a\"b"); })) == R"("a\"b")");
  CHECK(json_of(column_of(Type::bytea(), [](ColumnBuilder& b) { b.append_bytes("\x01\x02"); })) == R"("AQI=")");
  CHECK(json_of(column_of(Type::timestamptz(), [](ColumnBuilder& b) { b.append_i64(1'772'323'200'250'000); })) ==
        R"("2026-03-01T00:00:00.250Z")");
  CHECK(json_of(column_of(Type::interval(), [](ColumnBuilder& b) {
          b.append_interval({0, 0, 5'400'000'000});
        })) == R"("PT1H30M")");
  CHECK(json_of(column_of(Type::numeric(9, 2), [](ColumnBuilder& b) { b.append_i128(-5); })) == "-0.05");
  CHECK(json_of(column_of(Type::text(), [](ColumnBuilder& b) { b.append_null(); })) == "null");
}

TEST_CASE("doubles are shortest, and what JSON cannot say is a string", "[value_text]") {
  CHECK(double_text(2.5) == "2.5");
  CHECK(double_text(3) == "3");
  CHECK(double_text(1e5) == "1e+05");
  CHECK(double_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(double_text(-0.0) == "-0");
  CHECK(double_text(std::numeric_limits<double>::denorm_min()) == "5e-324");
  CHECK(double_text(std::nan("")) == R"("NaN")");
  CHECK(double_text(HUGE_VAL) == R"("Infinity")");
  CHECK(double_text(-HUGE_VAL) == R"("-Infinity")");
}

TEST_CASE("numerics write all digits of their scale", "[value_text]") {
  CHECK(numeric_text(0, 0) == "0");
  CHECK(numeric_text(0, 2) == "0.00");
  CHECK(numeric_text(7, 3) == "0.007");
  CHECK(numeric_text(12340, 3) == "12.340");
  CHECK(numeric_text(-1, 38) == "-0.00000000000000000000000000000000000001");
  Int128 most = 0;
  for (int i = 0; i < 38; ++i) most = most * 10 + 9;
  CHECK(numeric_text(most, 0) == std::string(38, '9'));
  CHECK(numeric_text(-most, 38) == "-0." + std::string(38, '9'));
  CHECK(numeric_text(static_cast<Int128>(INT64_MAX) + 1, 0) == "9223372036854775808");
}

TEST_CASE("text is escaped where JSON demands it, at any place", "[value_text]") {
  CHECK(json_text("") == R"("")");
  CHECK(json_text("\b\f\n\r\t\"\\/") == R"("\b\f\n\r\t\"\\/")");
  CHECK(json_text(std::string_view("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
  CHECK(json_text("Zoë 𝄞") == "\"Zoë 𝄞\"");
  for (std::size_t length = 0; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      text[at] = '\n';
      CHECK(nlohmann::json::parse(json_text(text)) == text);
    }
  }
}

TEST_CASE("invalid UTF-8 becomes U+FFFD, so the result is always JSON", "[value_text]") {
  CHECK(json_text("a\xff"
                  "b") ==
        "\"a\xEF\xBF\xBD"
        "b\"");
  CHECK(json_text("\xed\xa0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  CHECK(json_text("\xc0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? random() : 'a' + random() % 26);
    const std::string json = json_text(bytes);
    REQUIRE(nlohmann::json::accept(json));
    bool valid = true;
    for (std::size_t at = 0; at < bytes.size() && valid;) {
      const std::size_t length = utf8_length(std::string_view(bytes).substr(at));
      valid = length > 0;
      at += length;
    }
    REQUIRE((json.find("\xEF\xBF\xBD") == std::string::npos || bytes.find("\xEF\xBF\xBD") != std::string::npos) ==
            valid);
    if (valid) REQUIRE(nlohmann::json::parse(json).get<std::string>() == bytes);
  }
}

TEST_CASE("base64 reads back what it wrote, and nothing else", "[value_text]") {
  for (const char* bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd\xfc\xfb"}) {
    std::string text, back = "kept ";
    append_base64(text, bytes);
    REQUIRE(append_base64_decoded(back, text));
    CHECK(back == std::string("kept ") + bytes);
  }
  for (const char* wrong : {"A", "AA", "AAA", "AA=", "====", "A===", "AB==", "AAB=", "AA=A", "AA A", "AAA\n", "AA-_"}) {
    std::string out = "kept";
    CHECK(!append_base64_decoded(out, wrong));
    CHECK(out == "kept");
  }
}

TEST_CASE("record keys are those of the format's page", "[value_text]") {
  const Column seven = column_of(Type::bigint(), [](ColumnBuilder& b) { b.append_i64(7); });
  const Column name = column_of(Type::text(), [](ColumnBuilder& b) { b.append_bytes("Zo\"ë"); });
  const Column none = column_of(Type::bigint(), [](ColumnBuilder& b) { b.append_null(); });
  const Column start = column_of(Type::timestamptz(), [](ColumnBuilder& b) { b.append_i64(1'772'323'200'000'000); });
  const auto key_of = [](std::vector<const Column*> columns) {
    std::string out;
    return append_key(out, columns, 0) ? out : "(null)" + out;
  };
  CHECK(key_of({&seven}) == "7");
  CHECK(key_of({&name}) == "Zo\"ë");
  CHECK(key_of({&start}) == "2026-03-01T00:00:00Z");
  CHECK(key_of({&seven, &start}) == R"([7,"2026-03-01T00:00:00Z"])");
  CHECK(key_of({&name, &start}) == R"(["Zo\"ë","2026-03-01T00:00:00Z"])");
  CHECK(key_of({&none, &start}) == R"([null,"2026-03-01T00:00:00Z"])");
  CHECK(key_of({&none}) == "(null)");
  CHECK(key_of({}) == "(null)");
}

TEST_CASE("the key of windowed results is an array, also of one column", "[value_text]") {
  ColumnBuilder builder(Type::bigint());
  builder.append_i64(7);
  builder.append_null();
  const Column column = builder.finish();
  const Column* const columns[] = {&column};
  std::string key;
  CHECK(append_key(key, columns, 0, true));
  CHECK(append_key(key, columns, 1, true));
  CHECK(key == "[7][null]");
}
