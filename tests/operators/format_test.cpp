// Documents: what is JSON, where its fields lie, how batches keep rows and failures apart; raw records; the encoder.
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/format_kit.h"

using namespace kappa;
using testkit::decode_one;
using testkit::Records;

namespace {

JsonDecoderOptions one_bigint() { return {.columns = Schema({{"x", Type::bigint()}})}; }

}  // namespace

TEST_CASE("fields are spelled exactly, in any order, among any others", "[format]") {
  const JsonDecoderOptions options{.columns = Schema({{"datetime", Type::bigint()}, {"b", Type::bigint()}}),
                                   .json_names = {"dateTime", "b"}};
  const auto decoder = json_decoder(options)();
  // One decoder for all: what it remembers of a document must not matter for the next.
  CHECK(decode_one(*decoder, R"({"dateTime":1,"b":2})") == "1 2");
  CHECK(decode_one(*decoder, R"({"b":2,"dateTime":1})") == "1 2");
  CHECK(decode_one(*decoder, R"({"datetime":1,"B":2})") == "null null");
  CHECK(decode_one(*decoder, R"({"z":[{"b":9}],"b":2,"dateTim":5,"dateTime":1,"dateTimes":6,"":7})") == "1 2");
  CHECK(decode_one(*decoder, R"({ "dateTime" : 1 , "b" : 2 } )") == "1 2");
  CHECK(decode_one(*decoder, R"({"\u0064ateTime":1,"\u0062":2})") == "1 2");
  CHECK(decode_one(*decoder, R"({"dateTime\"":1,"b":2})") == "null 2");
  CHECK(decode_one(*decoder, R"({"dateTime":1,"b":2})") == "1 2");
}

TEST_CASE("names of any length are told apart", "[format]") {
  for (const std::size_t length : {1U, 7U, 8U, 14U, 15U, 16U, 17U, 31U, 32U, 47U, 48U, 49U, 64U, 300U}) {
    const std::string name(length, 'n');
    const auto decoder = json_decoder({.columns = Schema({{name, Type::bigint()}})})();
    for (int round = 0; round < 2; ++round) {
      CHECK(decode_one(*decoder, "{\"" + name + "\":1}") == "1");
      CHECK(decode_one(*decoder, "{\"" + name + "n\":1}") == "null");
      CHECK(decode_one(*decoder, "{\"" + name.substr(1) + "\":1}") == "null");
      CHECK(decode_one(*decoder, "{\"" + name.substr(1) + "m\":1}") == "null");
    }
  }
}

TEST_CASE("paths reach nested fields", "[format]") {
  const JsonDecoderOptions options{
      .columns =
          Schema({{"uid", Type::bigint()}, {"city", Type::text()}, {"user", Type::text()}, {"n", Type::bigint()}}),
      .paths = {{"uid", "user.id"}, {"city", "user.address.city"}, {"n", "user.id"}}};
  CHECK(decode_one(options, R"({"user":null})") == "null null null null");
  CHECK(decode_one(options, R"({"user":"Zoë"})") == R"(null null "Zoë" null)");
  JsonDecoderOptions paths{.columns = Schema({{"uid", Type::bigint()}, {"city", Type::text()}, {"n", Type::bigint()}}),
                           .paths = options.paths};
  CHECK(decode_one(paths, R"({"user":{"id":5,"address":{"city":"Bern"}},"id":6})") == R"(5 "Bern" 5)");
  CHECK(decode_one(paths, R"({"user":{"address":[{"city":"Bern"}]}})") == "null null null");
  CHECK(decode_one(paths, R"({"user":{"id":"x"}})") == "failed: field user.id: \"x\" is not a bigint");
}

TEST_CASE("of duplicate fields the last one counts", "[format]") {
  CHECK(decode_one(one_bigint(), R"({"x":1,"x":2})") == "2");
  CHECK(decode_one(one_bigint(), R"({"x":1,"x":null})") == "null");
  CHECK(decode_one(one_bigint(), R"({"x":"no","x":2})") == "2");
  CHECK(decode_one(one_bigint(), R"({"x":tru,"x":2})").starts_with("failed"));
  const JsonDecoderOptions nested{.columns = Schema({{"x", Type::bigint()}}), .paths = {{"x", "u.id"}}};
  CHECK(decode_one(nested, R"({"u":{"id":1},"u":{"id":2}})") == "2");
  CHECK(decode_one(nested, R"({"u":{"id":1},"u":{}})") == "null");
  CHECK(decode_one(nested, R"({"u":{"id":1},"u":7})") == "null");
}

TEST_CASE("what is not a JSON object fails and says why", "[format]") {
  CHECK(decode_one(one_bigint(), "") == "failed: empty value");
  CHECK(decode_one(one_bigint(), " \n") == "failed: empty value");
  CHECK(decode_one(one_bigint(), "[1]") == "failed: not a JSON object");
  CHECK(decode_one(one_bigint(), "5") == "failed: not a JSON object");
  CHECK(decode_one(one_bigint(), "{\"x\":1}\xff") == "failed: not valid UTF-8");
  CHECK(decode_one(one_bigint(), R"({"x":1} {"x":2})").starts_with("failed: not valid JSON at byte 8"));
  CHECK(decode_one(one_bigint(), R"({"x":1)") == "failed: not valid JSON: it does not end with }");
  CHECK(decode_one(one_bigint(), R"({"x":{"y":1})") == "failed: not valid JSON: it ends too early");
  CHECK(decode_one(one_bigint(), R"({"x":"a})") == "failed: not valid JSON: a string does not end");
  CHECK(decode_one(one_bigint(), "{\"x\":\"a\nb\"}") == "failed: not valid JSON: a control character in a string");
  Records records;
  records.add("x");
  auto views = records.views();
  views[0].value_data = nullptr;
  views[0].value_size = 0;
  Decoder::Result result;
  json_decoder(one_bigint())()->decode(views, result);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].cause == "empty value");
}

TEST_CASE("hostile documents fail, whatever lies behind them in memory", "[format]") {
  const std::vector<std::string> hostile{
      "{",
      "}",
      "{}}",
      "{}{",
      "{,}",
      R"({"a"})",
      R"({"a":})",
      R"({"a":1,})",
      R"({"a":1 "b":2})",
      R"({"a":1:2})",
      R"({a:1})",
      R"({'a':1})",
      R"({"a":01})",
      R"({"a":-})",
      R"({"a":+1})",
      R"({"a":1.})",
      R"({"a":.5})",
      R"({"a":1e})",
      R"({"a":1e+})",
      R"({"a":0x1})",
      R"({"a":1_0})",
      R"({"a":NaN})",
      R"({"a":Infinity})",
      R"({"a":nul})",
      R"({"a":nulll})",
      R"({"a":truefalse})",
      R"({"a":true"b"})",
      R"({"a":1"b"})",
      R"({"a":"b"1})",
      R"({"a":"b""c"})",
      R"({"a":[1,]})",
      R"({"a":[,1]})",
      R"({"a":[1 2]})",
      R"({"a":[1})",
      R"({"a":{]})",
      R"({"a":[}]})",
      R"({"a":{"b":1]})",
      R"({"a":[}})",
      R"({"a":"\x"})",
      R"({"a":"\u12"})",
      R"({"a":"\u12G4"})",
      R"({"a":"\ud800"})",
      R"({"a":"\ud800\u0041"})",
      R"({"a":"\udc00"})",
      R"({"\ud800":1})",
      R"({"\x":1})",
      R"({"a":{"\x":1}})",
      R"({"a":["\x"]})",
      "{\"a\":1}//",
      "{\"a\":1\x0c}",
      "{\"a\"\x1a 1}",
      "{\"a\":1\x0c\"b\":2}",
      std::string("{\"a\":1}\0", 8),
      std::string("{\"a\":1\0}", 8),
      std::string("\0", 1),
      "\xEF\xBB\xBF{}",
      "{\"a\":\"\xC0\x80\"}",
      "{\"a\":\"\xED\xA0\x80\"}",
      "{\"a\":1}\xE2",
  };
  const auto decoder = json_decoder({.columns = Schema({{"a", Type::text()}})})();
  for (const std::string& document : hostile) {
    for (const char behind : {'}', ',', '"', ']', '7', ' ', '{', '\0', ':'}) {
      INFO(document << " before " << behind);
      CHECK(decode_one(*decoder, document, behind).starts_with("failed: not "));
    }
  }
}

TEST_CASE("every cut of a document fails", "[format]") {
  const std::string document = R"({"x":12,"a":[1,{"b":"\u00e9"},null],"c":{"d":{}},"e":-1.5e3,"f":true})";
  const auto decoder = json_decoder(one_bigint())();
  for (const char behind : {'}', ',', '"', ']', '7', ' '}) {
    CHECK(decode_one(*decoder, document, behind) == "12");
    for (std::size_t size = 0; size < document.size(); ++size) {
      INFO(document.substr(0, size));
      CHECK(decode_one(*decoder, document.substr(0, size), behind).starts_with("failed"));
    }
  }
}

TEST_CASE("nesting ends at 64 levels", "[format]") {
  const auto nested = [](std::size_t levels, const std::string& open, const std::string& close) {
    std::string document = R"({"x":5,"a":)";
    for (std::size_t i = 1; i < levels; ++i) document += open;
    document += "1";
    for (std::size_t i = 1; i < levels; ++i) document += close;
    return document + "}";
  };
  const auto decoder = json_decoder(one_bigint())();
  CHECK(decode_one(*decoder, nested(64, "[", "]")) == "5");
  CHECK(decode_one(*decoder, nested(64, "{\"a\":", "}")) == "5");
  CHECK(decode_one(*decoder, nested(65, "[", "]")) == "failed: nested deeper than 64 levels");
  CHECK(decode_one(*decoder, nested(65, "{\"a\":", "}")) == "failed: nested deeper than 64 levels");
  CHECK(decode_one(*decoder, nested(100'000, "[", "]")) == "failed: nested deeper than 64 levels");
  CHECK(decode_one(*decoder, nested(100'000, "{\"a\":", "}")) == "failed: nested deeper than 64 levels");
  // A wanted path counts the same.
  std::string path = "a";
  for (int i = 1; i < 64; ++i) path += ".a";
  const auto deep = json_decoder({.columns = Schema({{"x", Type::bigint()}}), .paths = {{"x", path}}})();
  CHECK(decode_one(*deep, nested(64, "{\"a\":", "}")) == "1");
  CHECK(decode_one(*deep, nested(65, "{\"a\":", "}")) == "failed: nested deeper than 64 levels");
  CHECK(decode_one(*deep, nested(64, "{\"b\":", "}")) == "null");
  CHECK(decode_one(*deep, nested(65, "{\"b\":", "}")) == "failed: nested deeper than 64 levels");
}

TEST_CASE("records above the limit fail, large ones below it do not", "[format]") {
  const auto document = [](std::size_t size) { return R"({"x":1,"y":")" + std::string(size - 14, 'y') + "\"}"; };
  const auto decoder = json_decoder(one_bigint())();
  CHECK(decode_one(*decoder, document(1 << 20)) == "1");
  CHECK(decode_one(*decoder, document((1 << 20) + 1)) ==
        "failed: the value has 1048577 bytes, more than the limit of 1048576");
  JsonDecoderOptions large = one_bigint();
  large.record_bytes_max = 16 << 20;
  CHECK(decode_one(large, document(16 << 20)) == "1");
}

TEST_CASE("failures leave the rows around them as they are", "[format]") {
  const Schema columns({{"t", Type::text()}, {"f", Type::boolean()}, {"n", Type::bigint()}});
  const auto decoder = json_decoder({.columns = columns})();
  Records records;
  records.add(R"({"t":"one","f":true,"n":1})");
  records.add(R"({"t":"lost","f":null,"n":"x"})");
  records.add(R"({"t":"three","f":true,"n":3})");
  records.add("{");
  records.add(R"({"t":null,"f":false})");
  records.add(R"({"t":"six","f":true,"n":6})");
  for (int round = 0; round < 2; ++round) {
    Decoder::Result result;
    decoder->decode(records.views(), result);
    CHECK(result.records == std::vector<std::int32_t>{0, 2, 4, 5});
    REQUIRE(result.failures.size() == 2);
    CHECK(result.failures[0].record == 1);
    CHECK(result.failures[1].record == 3);
    Batch batch = make_batch(4);
    batch.columns = result.columns;
    std::string rows;
    for (std::int64_t row = 0; row < 4; ++row) append_json_row(rows, columns, batch, row);
    CHECK(rows == R"({"t":"one","f":true,"n":1}{"t":"three","f":true,"n":3})"
                  R"({"t":null,"f":false,"n":null}{"t":"six","f":true,"n":6})");
  }
}

TEST_CASE("a batch whose records all fail has no rows", "[format]") {
  Records records;
  records.add("{");
  records.add("");
  Decoder::Result result;
  json_decoder(one_bigint())()->decode(records.views(), result);
  CHECK(result.failures.size() == 2);
  CHECK(result.columns.at(0).size() == 0);
  json_decoder(one_bigint())()->decode({}, result);
  CHECK(result.failures.empty());
  CHECK(result.columns.at(0).size() == 0);
}

TEST_CASE("raw records give key, value and timestamp", "[format]") {
  const Schema columns({{"timestamp", Type::timestamptz()}, {"value", Type::bytea()}, {"key", Type::text(), false}});
  const std::string key = "Zoë", bytes("\xff\0", 2);
  std::vector<RecordView> records(4);
  for (RecordView& record : records) {
    record.timestamp_ms = 1'772'323'200'250;
    record.key_data = key.data();
    record.key_size = static_cast<std::int32_t>(key.size());
    record.value_data = bytes.data();
    record.value_size = 2;
  }
  records[1].key_data = bytes.data();
  records[1].key_size = 1;
  records[2].key_data = nullptr;
  records[2].key_size = 0;
  records[3].value_data = nullptr;
  records[3].value_size = 0;
  Decoder::Result result;
  raw_decoder(columns)()->decode(records, result);
  CHECK(result.records == std::vector<std::int32_t>{0, 3});
  REQUIRE(result.failures.size() == 2);
  CHECK(result.failures[0].cause == "the record's key is not valid UTF-8: declare the column as bytea");
  CHECK(result.failures[1].cause == "the record's key is null, but its column is NOT NULL");
  CHECK(result.columns[0].i64()[0] == 1'772'323'200'250'000);
  CHECK(result.columns[1].bytes(0) == bytes);
  CHECK(result.columns[1].is_null(1));
  CHECK(result.columns[2].bytes(1) == key);
}

TEST_CASE("the encoder writes all columns in order, and the key", "[format]") {
  const Schema columns({{"k\"", Type::bigint()}, {"name", Type::text()}, {"sum", Type::numeric(38, 2)}});
  Batch batch = make_batch(2);
  ColumnBuilder k(Type::bigint()), name(Type::text()), sum(Type::numeric(38, 2));
  k.append_i64(7), k.append_null();
  name.append_bytes("Zoë\n"), name.append_null();
  sum.append_i128(1234), sum.append_null();
  batch.columns = {k.finish(), name.finish(), sum.finish()};
  const auto text_of = [&](std::vector<int> keys) {
    EncodedRows out;
    out.bytes = "before";
    json_encoder({.columns = columns, .key_columns = std::move(keys)})()->encode(batch, out);
    std::string text;
    for (const auto& entry : out.entries) {
      text += std::to_string(entry.row) + " ";
      text += entry.key_is_null ? "-" : out.bytes.substr(entry.key_begin, entry.key_end - entry.key_begin);
      text += " " + out.bytes.substr(entry.key_end, entry.value_end - entry.key_end) + "\n";
    }
    return text;
  };
  const std::string first = R"({"k\"":7,"name":"Zoë\n","sum":12.34})",
                    second = R"({"k\"":null,"name":null,"sum":null})";
  CHECK(text_of({}) == "0 - " + first + "\n1 - " + second + "\n");
  CHECK(text_of({0}) == "0 7 " + first + "\n1 - " + second + "\n");
  CHECK(text_of({1, 0}) == "0 [\"Zoë\\n\",7] " + first + "\n1 [null,null] " + second + "\n");
}

TEST_CASE("the encoder writes instants as append_json does, repeated or not", "[format]") {
  const Schema columns({{"a", Type::timestamptz()}, {"b", Type::timestamptz()}});
  Batch batch = make_batch(6);
  ColumnBuilder a(Type::timestamptz()), b(Type::timestamptz());
  for (const std::int64_t us : {0, 0, 5, 5, 0, 1'000'000}) {
    a.append_i64(us);
    us == 5 ? b.append_null() : b.append_i64(us / 2);
  }
  batch.columns = {a.finish(), b.finish()};
  const auto encoder = json_encoder({.columns = columns})();
  for (int round = 0; round < 2; ++round) {
    EncodedRows out;
    encoder->encode(batch, out);
    std::string expected;
    for (std::int64_t row = 0; row < batch.rows; ++row) append_json_row(expected, columns, batch, row);
    CHECK(out.bytes == expected);
  }
}
