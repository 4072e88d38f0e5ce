#include "kappa/engine/error.h"
#include "kappa/sql/pipeline.h"
#include "kappa/sql/source_text.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/sql/cases.h"

using namespace kappa;

TEST_CASE("errors have a place, say what is wrong and what to write") {
  const std::vector<test::Case> cases = test::read_cases("errors.txt");
  REQUIRE(cases.size() >= 40);
  for (const test::Case& each : cases) {
    INFO("errors.txt:" << each.line << "\n" << each.text);
    CHECK(test::outcome(each.text) == each.expected);
  }
}

namespace {
std::string message_of(const std::string& text) {
  try {
    static_cast<void>(parse_pipeline(text, "fixed.sql"));
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}
}  // namespace

TEST_CASE("an error shows its line, a caret and a hint") {
  const std::string text =
      "CREATE TABLE bids (bidder bigint, at timestamptz)\n"
      "  WITH (topic = 'bids', event_time = 'at', max_out_of_orderness = '5s');\n"
      "CREATE MATERIALIZED VIEW v AS\n"
      "  SELECT bidder\n"
      "  FROM bids\n"
      "  WHERE 'é' = '' OR bider > 100;\n";
  CHECK(message_of(text) ==
        "fixed.sql:6:21: unknown column \"bider\"\n"
        "    WHERE 'é' = '' OR bider > 100;\n"
        "                      ^\n"
        "hint: did you mean \"bidder\"?");
}

TEST_CASE("the shown line is short, without tabs and carriage returns") {
  const sql::SourceText tabs("a\r\n\tb c\r\n", "f");
  CHECK(tabs.report(6, "m") == "f:2:4: m\n    b c\n      ^");
  const sql::SourceText wide("x = '" + std::string(1000, 'y') + "' z", "f");
  const std::string report = wide.report(1007, "m");
  CHECK(report.size() < 400);
  CHECK(report.substr(0, 12) == "f:1:1008: m\n");
  CHECK(sql::SourceText("", "f").report(0, "m") == "f:1:1: m\n    \n    ^");
  CHECK(sql::SourceText("ab", "f").report(99, "m") == "f:1:3: m\n    ab\n      ^");
}
