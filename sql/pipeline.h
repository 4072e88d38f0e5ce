// kappa/sql/pipeline.h: SQL text → Graph.
//
// The grammar is PostgreSQL's (libpg_query). docs/SQL.md is the reference: statements, WITH options, windows, types and
// the differences from PostgreSQL, Flink and ksqlDB.
//
// Threads:  the functions share nothing; a Graph is immutable.
// Errors:   Error{usage}. The message names file, line and column (counted in code points, from 1), shows the line with
//           a caret under the place, and ends with a hint where one helps:
//               fixed.sql:7:12: unknown column "bider"
//                   WHERE bider > 100
//                         ^
//               hint: did you mean "bidder"?
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "kappa/engine/graph.h"

namespace kappa {

struct Pipeline {
  Graph graph;
  /// What is legal but looks like a mistake: a table that no view reads. Formatted like errors.
  std::vector<std::string> warnings;
};

/// Longer texts are refused.
inline constexpr std::size_t kPipelineBytesMax = 1 << 20;

/// `file_name` is for messages and, where neither `SET application.id` nor `settings_override` gives one, its stem is
/// the graph's name. Only `application.id` of `settings_override` is looked at; it wins over the text's SET.
[[nodiscard]] Pipeline parse_pipeline(const std::string& text, const std::string& file_name,
                                      const std::map<std::string, std::string>& settings_override = {});

}  // namespace kappa
