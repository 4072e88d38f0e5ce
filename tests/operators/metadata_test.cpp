// Columns of what a record carries beside its value.
#include "kappa/operators/format/metadata.h"
#include "kappa/engine/log/batch_builder.h"
#include "kappa/engine/log/varint.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/format_kit.h"

using namespace kappa;
using testkit::Records;

namespace {

struct Beside {
  std::optional<std::string> key;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

// Rows (or "failed: <record>: <cause>") of documents {"x": 1} that carry these.
std::vector<std::string> decoded(const PartitionDecoderFactory& factory, const std::vector<Beside>& beside,
                                 const std::vector<std::string>& values = {}) {
  Records memory;
  std::vector<std::string> headers;
  for (std::size_t i = 0; i < beside.size(); ++i) {
    memory.add(values.empty() ? R"({"x":)" + std::to_string(i) + "}" : values[i]);
    std::string& encoded = headers.emplace_back();
    detail::append_varint(encoded, static_cast<std::int64_t>(beside[i].headers.size()));
    for (const auto& [name, value] : beside[i].headers) {
      detail::append_varint(encoded, static_cast<std::int64_t>(name.size()));
      encoded += name;
      detail::append_varint(encoded, value ? static_cast<std::int64_t>(value->size()) : -1);
      encoded += value.value_or("");
    }
    encoded.append(64, 'x');
  }
  std::vector<RecordView> views = memory.views();
  for (std::size_t i = 0; i < views.size(); ++i) {
    views[i].offset = 100 + 2 * static_cast<std::int64_t>(i);
    views[i].timestamp_ms = 1'357'038'000'123 + static_cast<std::int64_t>(i);
    views[i].headers_data = headers[i].data();
    if (!beside[i].key) continue;
    views[i].key_data = beside[i].key->data();
    views[i].key_size = static_cast<std::int32_t>(beside[i].key->size());
  }
  Decoder::Result result;
  factory({"bids", 3})->decode(views, result);
  std::vector<std::string> rows;
  std::int64_t row = 0;
  std::size_t failure = 0;
  for (std::int32_t r = 0; r < static_cast<std::int32_t>(views.size()); ++r) {
    if (failure < result.failures.size() && result.failures[failure].record == r) {
      rows.push_back("failed: " + result.failures[failure++].cause);
      continue;
    }
    if (!result.failures.empty()) REQUIRE(result.records.at(static_cast<std::size_t>(row)) == r);
    std::string& text = rows.emplace_back();
    for (const Column& column : result.columns) append_json(text += text.empty() ? "" : " ", column, row);
    ++row;
  }
  for (const Column& column : result.columns) CHECK(column.size() == row);
  return rows;
}

DecoderFactory document() { return json_decoder({.columns = Schema({{"x", Type::bigint()}})}); }

std::string one(Type type, const std::string& key, bool nullable = true) {
  return decoded(with_metadata(nullptr, Schema({{"k", type, nullable}}), {{"k", "key"}}), {{key}}).front();
}

}  // namespace

TEST_CASE("metadata stands in its columns, between those of the document", "[format]") {
  const Schema columns({{"k", Type::text()},
                        {"x", Type::bigint()},
                        {"t", Type::text()},
                        {"p", Type::bigint()},
                        {"o", Type::bigint()},
                        {"at", Type::timestamptz()},
                        {"trace", Type::text()}});
  const auto factory = with_metadata(document(), columns,
                                     {{"k", "key"},
                                      {"t", "topic"},
                                      {"p", "partition"},
                                      {"o", "offset"},
                                      {"at", "timestamp"},
                                      {"trace", "header:trace-id"}});
  CHECK(decoded(factory, {{"a", {{"trace-id", "7f"}}}, {std::nullopt}}) ==
        std::vector<std::string>{R"("a" 0 "bids" 3 100 "2013-01-01T11:00:00.123Z" "7f")",
                                 R"(null 1 "bids" 3 102 "2013-01-01T11:00:00.124Z" null)"});
}

TEST_CASE("of headers with one name the last one counts, and one without a value is null", "[format]") {
  const auto factory =
      with_metadata(document(), Schema({{"x", Type::bigint()}, {"h", Type::text()}}), {{"h", "header:h"}});
  CHECK(decoded(factory, {{{}, {{"h", "1"}, {"g", "9"}, {"h", "2"}}},
                          {{}, {{"h", "1"}, {"h", std::nullopt}}},
                          {{}, {{"h", ""}}},
                          {{}, {{"H", "1"}, {"hh", "2"}}}}) ==
        std::vector<std::string>{R"(0 "2")", "1 null", R"(2 "")", "3 null"});
}

TEST_CASE("keys and headers are read as any type, exactly or not at all", "[format]") {
  CHECK(one(Type::text(), "") == R"("")");
  CHECK(one(Type::bytea(), "\xff\x01") == R"("/wE=")");
  CHECK(one(Type::bigint(), "-42") == "-42");
  CHECK(one(Type::float64(), "1e3") == "1000");
  CHECK(one(Type::boolean(), "true") == "true");
  CHECK(one(Type::numeric(10, 2), "1.005") == "1.01");
  CHECK(one(Type::timestamptz(), "2013-01-01T11:00:00Z") == R"("2013-01-01T11:00:00Z")");
  CHECK(one(Type::timestamptz(), "1357038000123") == R"("2013-01-01T11:00:00.123Z")");
  CHECK(one(Type::interval(), "PT6H") == R"("PT6H")");
  const std::string from = "failed: column k from the record's key: ";
  CHECK(one(Type::bigint(), "4 2") == from + R"("4 2" is not bigint)");
  CHECK(one(Type::bigint(), "") == from + R"("" is not bigint)");
  CHECK(one(Type::bigint(), "9223372036854775808") == from + R"("9223372036854775808" is not bigint)");
  CHECK(one(Type::numeric(3, 2), "10") == from + R"("10" is not numeric(3,2))");
  CHECK(one(Type::timestamptz(), "9223372036854775807") == from + "the text is not a timestamptz");
  CHECK(one(Type::text(), "\xff") == from + "the bytes are not valid UTF-8: declare the column as bytea");
  CHECK(one(Type::bigint(), std::string(1000, '1')).size() < 250);
}

TEST_CASE("rows that fail here and in the document are told apart, in the order of the records", "[format]") {
  const Schema columns({{"x", Type::bigint()}, {"k", Type::bigint(), false}, {"o", Type::bigint()}});
  const auto factory = with_metadata(document(), columns, {{"k", "key"}, {"o", "offset"}});
  const std::string from = "failed: column k from the record's key: ";
  CHECK(decoded(factory, {{"5"}, {"z"}, {"6"}, {"7"}, {std::nullopt}, {"8"}},
                {R"({"x":0})", R"({"x":1})", R"({"x":"2"})", R"({"x":3})", R"({"x":4})", R"({"x":5})"}) ==
        std::vector<std::string>{"0 5 100", from + R"("z" is not bigint)", R"(failed: field x: "2" is not a bigint)",
                                 "3 7 106", from + "the record's key is null, but the column is NOT NULL", "5 8 110"});
  CHECK(decoded(factory, {{"z"}, {"z"}}).size() == 2);
}

TEST_CASE("metadata that is unknown or of another type is a usage error", "[format]") {
  const auto why = [](Type type, const std::string& metadata) -> std::string {
    try {
      check_metadata({"c", type, true}, metadata);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return error.what();
    }
    return {};
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(why(Type::bigint(), "offest"), Contains("metadata.c = 'offest' is not known; did you mean 'offset'?"));
  CHECK_THAT(why(Type::bigint(), "zzz"), Contains("it is one of 'key', 'header:NAME'"));
  CHECK_THAT(why(Type::text(), "headers"), Contains("write metadata.c = 'header:NAME'"));
  CHECK_THAT(why(Type::text(), "header:"), Contains("write metadata.c = 'header:NAME'"));
  CHECK_THAT(why(Type::text(), "offset"), Contains("column \"c\" is text; declare it as bigint"));
  CHECK_THAT(why(Type::bigint(), "timestamp"), Contains("declare it as timestamptz"));
  CHECK(why(Type::bytea(), "key").empty());
  CHECK(why(Type::interval(), "header:x").empty());
  CHECK_THROWS_AS(with_metadata(nullptr, Schema({{"k", Type::text()}}), {{"z", "key"}}), Error);
}
