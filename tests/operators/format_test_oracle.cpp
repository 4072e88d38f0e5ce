// Random documents, mostly damaged a little, read by us and by nlohmann: the same fail, the others give the same
// values; and which fail does not depend on the columns asked for.
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/format_kit.h"

using namespace kappa;
using testkit::decode_one;

namespace {

class Documents {
 public:
  explicit Documents(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    std::string text;
    put_object(text, 0);
    if (below(3) > 0) damage(text);
    return text;
  }

  /// `text` with one to three small changes, or cut.
  std::string like(std::string text) {
    if (below(8) == 0) return text.substr(0, below(text.size()));
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) damage(text);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  template <std::size_t N>
  std::string pick(const char* const (&choices)[N]) {
    return choices[below(N)];
  }
  std::string blank() { return below(8) > 0 ? "" : pick({" ", "\n", "\t ", "\r\n"}); }
  std::string number() {
    if (below(2) == 0) return std::to_string(static_cast<std::int64_t>(random_() >> below(64)));
    return pick({"0", "-0", "1.5", "-2.25", "1e3", "1E-7", "0.1", "123456789012345678901234567890", "1.5e300",
                 "9223372036854775808", "-9223372036854775808", "12345678", "123456789.125"});
  }
  std::string string() {
    std::string text;
    for (std::size_t i = below(5); i > 0; --i) {
      text += pick({"a", "plain text of some length", "é", "𝄞", "\\n", "\\u00e9", "\\ud834\\udd1e", "\\\"", "\\\\", "{",
                    "]", ",", ":"});
    }
    return text;
  }
  void put_value(std::string& out, int depth) {
    switch (below(depth < 4 ? 7 : 5)) {
      case 0:
      case 1: out += number(); return;
      case 2: out += '"' + string() + '"'; return;
      case 3: out += pick({"true", "false", "null"}); return;
      case 4: out += pick({"\"NaN\"", "\"12.5\"", "\"2026-03-01T00:00:00Z\"", "7", "{}", "[]"}); return;
      case 5: put_object(out, depth + 1); return;
      default:
        out += '[';
        for (std::size_t i = 0, n = below(4); i < n; ++i) {
          out += (i > 0 ? "," : "") + blank();
          put_value(out, depth + 1);
        }
        out += ']';
    }
  }
  void put_object(std::string& out, int depth) {
    out += blank() + "{" + blank();
    for (std::size_t i = 0, n = below(6); i < n; ++i) {
      if (i > 0) out += ',';
      out += blank() + '"' + pick({"a", "b", "c", "user", "id", "a long name of a field", "\\u0061", "é"}) + '"';
      out += blank() + ':' + blank();
      put_value(out, depth);
      out += blank();
    }
    out += "}" + blank();
  }
  void damage(std::string& text) {
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0: text.erase(at, 1); return;
      case 1:
        text.insert(at, 1, pick({",", "}", "{", "\"", "\\", "x", " ", "0", "-", "[", "]", ":", "e", "."})[0]);
        return;
      case 2: text[at] = static_cast<char>(random_()); return;
      default: std::swap(text[at], text[below(text.size())]);
    }
  }

  std::mt19937_64 random_;
};

// What nlohmann makes of it; discarded where it is not a JSON object. None where it gives up, since it refuses numbers
// beyond a double, which are fine as long as no column wants them as such.
std::optional<nlohmann::json> expected_of(const std::string& document) {
  try {
    auto parsed = nlohmann::json::parse(document);
    if (parsed.is_object()) return parsed;
  } catch (const nlohmann::json::parse_error&) {
  } catch (const nlohmann::json::out_of_range&) {
    return std::nullopt;
  }
  return nlohmann::json(nlohmann::json::value_t::discarded);
}

bool is_failure_of_document(const std::string& row) {
  return row.starts_with("failed: ") && !row.starts_with("failed: field ");
}

// The text that a bigint, double or text column gives for the field.
std::string expected_value(const nlohmann::json& value, Type type) {
  if (value.is_null()) return "null";
  std::string out;
  if (type == Type::bigint()) {
    const bool fits =
        value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    return fits ? std::to_string(value.get<std::int64_t>()) : "failed";
  }
  if (type == Type::float64()) {
    if (value == "NaN") return "\"NaN\"";
    if (!value.is_number()) return "failed";
    append_double(out, value.get<double>());
    return out;
  }
  if (!value.is_string()) return "failed";
  append_json_string(out, value.get_ref<const std::string&>());
  return out;
}

}  // namespace

TEST_CASE("random documents are read as nlohmann reads them", "[format]") {
  const std::uint64_t seed = GENERATE(1, 2, 3);
  Documents documents(seed);
  const std::vector<std::pair<std::string, Type>> wanted{
      {"a", Type::bigint()}, {"a", Type::float64()}, {"a", Type::text()}, {"b", Type::bigint()}, {"é", Type::text()}};
  std::vector<std::unique_ptr<Decoder>> decoders;
  for (const auto& [name, type] : wanted) decoders.push_back(json_decoder({.columns = Schema({{name, type}})})());
  int failed = 0, read = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string document = documents.next();
    const auto may_expect = expected_of(document);
    if (!may_expect) continue;
    const nlohmann::json& expected = *may_expect;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      INFO("seed " << seed << ", document " << i << ": " << document);
      const std::string row = decode_one(*decoders[k], document);
      REQUIRE(is_failure_of_document(row) == expected.is_discarded());
      if (expected.is_discarded()) continue;
      const auto value = expected.find(wanted[k].first);
      const std::string should = value == expected.end() ? "null" : expected_value(*value, wanted[k].second);
      if (should == "0" && row == "-0") continue;  // nlohmann's integers have no -0
      REQUIRE((row.starts_with("failed") ? "failed" : row) == should);
    }
    (expected.is_discarded() ? failed : read) += 1;
  }
  CHECK(failed > 2000);
  CHECK(read > 2000);
}

TEST_CASE("asking for one more column never changes which documents are JSON", "[format]") {
  const std::uint64_t seed = GENERATE(11, 12);
  Documents documents(seed);
  std::vector<Field> fields;
  std::vector<std::unique_ptr<Decoder>> decoders;
  const std::map<std::string, std::string> all_paths{{"d", "user.id"}, {"e", "user.user.a"}};
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    fields.push_back({name, Type::text()});
    std::map<std::string, std::string> paths;
    for (const Field& field : fields) {
      if (const auto path = all_paths.find(field.name); path != all_paths.end()) paths.insert(*path);
    }
    decoders.push_back(json_decoder({.columns = Schema(fields), .paths = paths})());
  }
  for (int i = 0; i < 10'000; ++i) {
    const std::string document = documents.next();
    const bool fails = is_failure_of_document(decode_one(*decoders[0], document));
    for (const auto& decoder : decoders) {
      INFO("seed " << seed << ", document " << i << ": " << document);
      REQUIRE(is_failure_of_document(decode_one(*decoder, document)) == fails);
    }
  }
}

// Documents spelled like the one before take a path of their own; a decoder that has just seen none takes the other
// one.
TEST_CASE("a document is read the same whatever the document before was", "[format]") {
  const std::uint64_t seed = GENERATE(21, 22, 23);
  Documents documents(seed);
  const JsonDecoderOptions options{.columns =
                                       Schema({{"a", Type::bigint()}, {"b}", Type::text()}, {"c", Type::float64()}})};
  const std::string before = GENERATE(
      R"({"a":1234567890123,"b}":"text with , and } and : in it","x":null,"long name of a field":[],"c":-1.5e3})",
      R"({"a": 1, "b}": "0123456789012345678901234567890123456789012345678901234567890123456789", "c": 0, "d": "x"})",
      R"({"a":8,"y":true,"b}":"","z":"","c":0.5,"b}":"again"})");
  int read = 0, failed = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string document = documents.like(before);
    const char behind = document.size() % 2 == 0 ? '7' : '"';
    const auto fresh = json_decoder(options)(), warm = json_decoder(options)();
    for (int k = 0; k < 18; ++k) REQUIRE_FALSE(decode_one(*warm, before).starts_with("failed"));
    INFO("seed " << seed << ", document " << i << ": " << document);
    const std::string row = decode_one(*warm, document, behind);
    REQUIRE(row == decode_one(*fresh, document, behind));
    (is_failure_of_document(row) ? failed : read) += 1;
  }
  CHECK(read > 150);
  CHECK(failed > 1500);
}
