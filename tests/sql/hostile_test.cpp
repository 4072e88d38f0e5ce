// Texts that nobody would write on purpose: each gives a graph or an Error{usage}, in bounded time and stack.
#include <random>
#include <sstream>

#include "kappa/engine/error.h"
#include "kappa/sql/pipeline.h"
#include "kappa/sql/tokens.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/sql/cases.h"

using namespace kappa;

namespace {
std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

/// The error's first line; empty if there is none.
std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_pipeline(text, "h.sql"));
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    const std::string message = error.what();
    return message.substr(0, message.find('\n'));
  }
  return {};
}

std::string view_of(const std::string& expression) {
  return test::kTables + ("CREATE MATERIALIZED VIEW v AS SELECT a, " + expression + " AS x FROM t;");
}
}  // namespace

TEST_CASE("deep nesting is refused before a parser recurses") {
  constexpr int n = 100'000;
  const std::vector<std::string> expressions = {
      repeated("(", n) + "a" + repeated(")", n),
      repeated("(", n),
      "a" + repeated("+a", n),
      "a" + repeated("::bigint", n),
      repeated("NOT ", n) + "f",
      repeated("- ", n) + "a",
      repeated("lower(", n) + "b" + repeated(")", n),
      repeated("CASE WHEN f THEN ", 20'000) + "1" + repeated(" END", 20'000),
      "(SELECT a" + repeated(" UNION ALL SELECT a", 40'000) + ")",
      "(SELECT a, b" + repeated(" UNION ALL SELECT a, b", 30'000) + ")",
      repeated("(SELECT 1 AS end, ", 30'000),
      repeated("ARRAY[", n),
  };
  for (const std::string& expression : expressions) {
    const std::string message = refusal(view_of(expression));
    INFO(expression.substr(0, 40) << " → " << message);
    CHECK_FALSE(message.empty());
  }
}

TEST_CASE("what hides nesting from a scanner does not hide it from this one") {
  // A label END closes no parenthesis; a chain in parentheses counts where it stands.
  const std::string level = "(SELECT 0 AS end, (";
  CHECK_FALSE(refusal(view_of(repeated(level, 200) + "1" + repeated(")" + repeated("+1", 200) + ", 5)", 200))).empty());
  CHECK_FALSE(refusal(view_of("E'\\' ' " + repeated("+1", 100'000))).empty());
  CHECK_FALSE(refusal(view_of("$a$ ( $a$ " + repeated("+1", 100'000))).empty());
  CHECK_FALSE(refusal(view_of("a /* -- */ " + repeated("+1", 100'000))).empty());
}

TEST_CASE("wide texts are no deep ones") {
  std::string condition = "a = 0";
  for (int i = 1; i < 5000; ++i) condition += " OR a = " + std::to_string(i);
  CHECK(refusal(test::kTables + ("CREATE MATERIALIZED VIEW v AS SELECT a FROM t WHERE " + condition)).empty());
  std::string list = "0";
  for (int i = 1; i < 5000; ++i) list += ", " + std::to_string(i);
  CHECK(refusal(test::kTables + ("CREATE MATERIALIZED VIEW v AS SELECT a FROM t WHERE a IN (" + list + ")")).empty());
  std::string cases = "CASE";
  for (int i = 0; i < 1000; ++i) cases += " WHEN a = " + std::to_string(i) + " THEN 'x'";
  CHECK(refusal(view_of(cases + " END")).empty());
  CHECK(refusal(view_of("a" + repeated(" + a", 450))).empty());
}

TEST_CASE("bytes that are no text are refused") {
  CHECK(refusal("SELECT '\xff'") == "h.sql: byte 0xff at offset 8 is not UTF-8 text");
  CHECK(refusal("SELECT '\xc0\xaf'") == "h.sql: byte 0xc0 at offset 8 is not UTF-8 text");
  CHECK(refusal("SELECT '\xed\xa0\x80'") == "h.sql: byte 0xed at offset 8 is not UTF-8 text");
  CHECK(refusal(std::string("SELECT 1;\0 DROP", 15)) == "h.sql: byte 0x00 at offset 9 is not UTF-8 text");
  CHECK(refusal("SELECT '\xe2\x82") == "h.sql: byte 0xe2 at offset 8 is not UTF-8 text");
  CHECK(refusal(std::string(kPipelineBytesMax + 1, ' ')) ==
        "h.sql: the text has 1048577 bytes; a pipeline has at most 1048576");
  CHECK(refusal(std::string(kPipelineBytesMax, ' ')) == "h.sql: the pipeline is empty");
}

TEST_CASE("what is never closed is an error at its place") {
  for (const char* open : {"SELECT 'a", "SELECT \"a", "SELECT /* a", "SELECT $x$ a", "SELECT (a", "SELECT '\xc3\xa9"}) {
    INFO(open);
    CHECK_FALSE(refusal(open).empty());
  }
  for (const char* part :
       {"/*", "/**/", "/* ", "+-", "*/", "-- ", "--", "@"}) {  // some take quadratic time in the parser
    INFO(part);
    CHECK_FALSE(refusal(repeated(part, 200'000)).empty());
  }
}

namespace {
/// Drops, doubles or swaps a few tokens.
std::string mutated(const std::string& text, std::mt19937& random) {
  std::vector<std::string> parts;
  for (const sql::Token& token : sql::tokenize(sql::SourceText(text, "m")))
    parts.push_back(
        text.substr(static_cast<std::size_t>(token.begin), static_cast<std::size_t>(token.end - token.begin)));
  for (std::uint32_t edits = 1 + random() % 2; edits > 0 && parts.size() > 1; --edits) {
    const std::size_t at = random() % parts.size();
    switch (random() % 3) {
      case 0: parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(at), parts[random() % parts.size()]); break;
      default: std::swap(parts[at], parts[random() % parts.size()]); break;
    }
  }
  std::string out;
  for (const std::string& part : parts) out += part + " ";
  return out;
}
}  // namespace

TEST_CASE("random edits of right pipelines give a graph or an error") {
  constexpr std::uint32_t seed = 20130101;
  std::mt19937 random(seed);
  int graphs = 0;
  int errors = 0;
  for (const test::Case& each : test::read_cases("pipelines.txt"))
    for (int round = 0; round < 150; ++round) {
      const std::string text = mutated(each.text, random);
      INFO("seed " << seed << ", round " << round << ": " << text);
      try {
        ++(refusal(text).empty() ? graphs : errors);
      } catch (const std::exception& wrong) {
        FAIL("neither a graph nor an Error: " << wrong.what());
      }
    }
  CHECK(graphs > 20);
  CHECK(errors > 1000);
}
