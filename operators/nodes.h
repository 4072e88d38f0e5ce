// kappa/operators/nodes.h: adds the kinds of nodes to a graph under construction. SQL and the typed skin both build
// with these, so both spellings of a pipeline give the same nodes and the same bytes.
//
// Every function checks its arguments against the schemas and throws Error{usage} naming the node; each returns the new
// node's index.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/graph.h"
#include "kappa/operators/expression/expression.h"

namespace kappa {

struct SourceOptions {
  std::string topic;
  std::string format = "json";                          // json, raw
  std::string event_time;                               // column
  std::optional<std::int64_t> max_out_of_orderness_us;  // required
  std::int64_t max_future_us = 3'600'000'000;
  std::int64_t idle_timeout_us = 0;
  std::int64_t max_drift_us = 0;
  std::string timestamp_unit = "ms";  // of integers in timestamptz columns: ms, s, us
  std::string partitioned_by;         // column
  bool partitioned_by_trust = false;
  std::map<std::string, std::string> paths;     // column → 'user.id'
  std::map<std::string, std::string> metadata;  // column → 'key', 'header:NAME', 'topic', 'partition', 'offset', …
};
/// `columns`: names as the JSON fields spell them are in `json_names` (same order; empty: the column names).
int add_source(GraphDraft& graph, const std::string& name, const SourceOptions& options, const Schema& columns,
               const std::vector<std::string>& json_names = {});

/// Rows for which `predicate` (boolean) is true go on; false and null are filtered.
int add_filter(GraphDraft& graph, const std::string& name, int input, ExpressionPtr predicate);

struct NamedExpression {
  std::string name;
  ExpressionPtr expression;
};
/// Event times stay those of the rows.
int add_project(GraphDraft& graph, const std::string& name, int input, std::vector<NamedExpression> columns);

/// All inputs have the same column types; the first one's names hold. Rows are merged by their order key.
int add_union(GraphDraft& graph, const std::string& name, std::vector<int> inputs);

/// Declares the key. Adds a repartition node "<name>" in front where rows are not already partitioned by exactly these
/// columns (one column that is the source's partitioned_by, carried through filters and projections, or the same key as
/// an earlier repartition); otherwise a key_by node that passes rows on.
int add_key_by(GraphDraft& graph, const std::string& name, int input, std::vector<int> key_columns);

enum class AggregateFunction : std::uint8_t { count, sum, min, max, avg, count_distinct };
struct AggregateCall {
  AggregateFunction function = AggregateFunction::count;
  int argument = -1;  // input column; -1: count(*)
  int filter = -1;    // boolean input column of FILTER (WHERE …); -1: none
  std::string name;   // of the result column
};
/// PostgreSQL's type of the result: count → bigint, sum(bigint) → numeric(38,0), sum(numeric(p,s)) → numeric(38,s),
/// sum(double) → double, avg(bigint) → double, avg(double) → double, avg(numeric) → numeric(38,max(s,6)), min/max → the
/// argument's.
[[nodiscard]] Type result_type(AggregateFunction function, std::optional<Type> argument);

struct TumbleSpec {
  std::int64_t size_us = 0;
};
/// Input: rows behind add_key_by with the same `key_columns`. Output columns: the keys, window_start, window_end
/// (timestamptz, not null), then one per call. Results' event time is window_end − 1 ms.
int add_tumble(GraphDraft& graph, const std::string& name, int input, TumbleSpec window, std::vector<int> key_columns,
               std::vector<AggregateCall> calls);

struct SinkOptions {
  std::string topic;                     // empty: the node's name
  std::vector<std::string> key_columns;  // of the record key, in order; empty: the record key is null
  std::string partition_by;              // column; empty: task i writes partition i
  bool windowed = false;                 // results of windows: their key is a JSON array even of one column
};
/// Values are JSON objects with the input's columns in order. Keys as docs/FORMAT.md says: one column: its text;
/// several: a JSON array.
int add_sink(GraphDraft& graph, const std::string& name, int input, const SinkOptions& options);

}  // namespace kappa
