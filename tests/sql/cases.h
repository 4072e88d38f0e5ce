// kappa/tests/sql/cases.h: pipelines and what they give, read from text files beside the tests.
#pragma once

#include <string>
#include <vector>

namespace kappa::test {

/// The tables that the cases read: one line, put in front of each text.
inline constexpr const char* kTables =
    "CREATE TABLE t (a bigint, b text, p double precision, at timestamptz, n numeric(10,2), f boolean) WITH (topic = "
    "'t', "
    "event_time = 'at', max_out_of_orderness = '5s', partitioned_by = 'a');\n";

struct Case {
  int line = 0;  // of the file
  std::string text;
  std::string expected;
};

/// A case is a text, a line "=>", what is expected, a line "---". A text that begins with "!" stands alone, others get
/// kTables in front.
std::vector<Case> read_cases(const std::string& file);

/// What parse_pipeline says to `text`: the graph's nodes and warnings, or the error without the lines that show the
/// place; those are checked.
std::string outcome(const std::string& text);

}  // namespace kappa::test
