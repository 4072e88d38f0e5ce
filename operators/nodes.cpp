// The nodes between sources and sinks; sources and sinks: endpoints.cpp.
#include "kappa/operators/nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kappa/engine/error.h"
#include "kappa/operators/partitioning.h"
#include "kappa/operators/row_operators.h"
#include "kappa/operators/tumble.h"

namespace kappa {

namespace {
std::string column_list(const Schema& schema, const std::vector<int>& columns) {
  std::string out;
  for (const int column : columns) out += (out.empty() ? "" : ", ") + schema[column].name;
  return "(" + out + ")";
}

void check_columns(const std::string& name, const Schema& schema, const std::vector<int>& columns) {
  for (const int column : columns)
    KAPPA_CHECK(column >= 0 && column < schema.size(), "key columns are columns of the input");
  if (std::set<int>(columns.begin(), columns.end()).size() != columns.size())
    usage_error(fmt::format("node \"{}\": the key {} names a column twice", name, column_list(schema, columns)));
}
}  // namespace

bool is_partitioned_by(const GraphDraft& graph, int index, std::vector<int> columns) {
  const Node& node = graph.node(index);
  if (node.kind == NodeKind::source)
    return columns.size() == 1 && !node.source.partitioned_by.empty() &&
           node.schema[columns[0]].name == node.source.partitioned_by;
  if (node.kind == NodeKind::repartition) return node.repartition.key_columns == columns;
  if (!node.carried.empty())
    for (int& column : columns) {
      column = node.carried[static_cast<std::size_t>(column)];
      if (column < 0) return false;
    }
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](int input) { return is_partitioned_by(graph, input, columns); });
}

int add_filter(GraphDraft& graph, const std::string& name, int input, ExpressionPtr predicate) {
  if (predicate->type() != Type::boolean())
    usage_error(fmt::format("node \"{}\": a filter needs a boolean, but {} is {}", name, predicate->text(),
                            to_string(predicate->type())));
  Node node;
  node.name = name;
  node.kind = NodeKind::filter;
  node.inputs = {input};
  node.schema = graph.node(input).schema;
  node.detail = predicate->text();
  node.factory = [schema = node.schema, predicate = std::move(predicate)](const OperatorContext&) {
    return make_filter(schema, predicate);
  };
  return graph.add(std::move(node));
}

int add_project(GraphDraft& graph, const std::string& name, int input, std::vector<NamedExpression> columns) {
  if (columns.empty()) usage_error(fmt::format("node \"{}\": a projection needs at least one column", name));
  Node node;
  node.name = name;
  node.kind = NodeKind::project;
  node.inputs = {input};
  std::vector<Field> fields;
  std::vector<ExpressionPtr> expressions;
  for (NamedExpression& column : columns) {
    node.detail += (node.detail.empty() ? "" : ", ") + column.expression->text() + " AS " + column.name;
    node.carried.push_back(column.expression->column_index());
    fields.push_back({std::move(column.name), column.expression->type(), column.expression->nullable()});
    expressions.push_back(std::move(column.expression));
  }
  node.schema = Schema(std::move(fields));
  node.factory = [schema = graph.node(input).schema, expressions = std::move(expressions)](const OperatorContext&) {
    return make_project(schema, expressions);
  };
  return graph.add(std::move(node));
}

int add_union(GraphDraft& graph, const std::string& name, std::vector<int> inputs) {
  KAPPA_CHECK(!inputs.empty(), "a union has inputs");
  const Node& first = graph.node(inputs.front());
  std::vector<Field> fields = first.schema.fields();
  for (const int input : inputs) {
    const Node& other = graph.node(input);
    if (other.schema.size() != first.schema.size())
      usage_error(
          fmt::format("node \"{}\": \"{}\" has {} columns and \"{}\" has {}; all inputs of a union need the same", name,
                      first.name, first.schema.size(), other.name, other.schema.size()));
    for (int c = 0; c < other.schema.size(); ++c) {
      Field& field = fields[static_cast<std::size_t>(c)];
      if (other.schema[c].type != field.type)
        usage_error(fmt::format("node \"{}\": column {} is {} in \"{}\" and {} in \"{}\"; cast one of them", name,
                                field.name, to_string(field.type), first.name, to_string(other.schema[c].type),
                                other.name));
      field.nullable |= other.schema[c].nullable;
    }
  }
  Node node;
  node.name = name;
  node.kind = NodeKind::union_all;
  node.inputs = std::move(inputs);
  node.schema = Schema(std::move(fields));
  return graph.add(std::move(node));
}

int add_key_by(GraphDraft& graph, const std::string& name, int input, std::vector<int> key_columns) {
  const Schema& schema = graph.node(input).schema;
  check_columns(name, schema, key_columns);
  Node node;
  node.name = name;
  node.inputs = {input};
  node.schema = schema;
  node.detail = "key=" + column_list(schema, key_columns);
  if (is_partitioned_by(graph, input, key_columns)) {
    node.kind = NodeKind::key_by;
  } else {
    node.kind = NodeKind::repartition;
    // Without a key all rows are one group, which lives in one partition.
    node.repartition.partitions = key_columns.empty() ? 1 : 0;
    node.repartition.key_columns = std::move(key_columns);
  }
  return graph.add(std::move(node));
}

namespace {
std::string function_name(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::count:
    case AggregateFunction::count_distinct: return "count";
    case AggregateFunction::sum: return "sum";
    case AggregateFunction::min: return "min";
    case AggregateFunction::max: return "max";
    case AggregateFunction::avg: return "avg";
  }
  return "?";
}

std::string call_text(const AggregateCall& call, const Schema& input) {
  std::string out = function_name(call.function) + "(";
  if (call.function == AggregateFunction::count_distinct) out += "DISTINCT ";
  out += call.argument < 0 ? "*" : input[call.argument].name;
  out += ")";
  if (call.filter >= 0) out += " FILTER (WHERE " + input[call.filter].name + ")";
  return out + " AS " + call.name;
}

Field call_field(const std::string& node, const AggregateCall& call, const Schema& input) {
  KAPPA_CHECK(call.argument < input.size() && call.filter < input.size(), "calls take columns of the input");
  if (call.filter >= 0 && input[call.filter].type != Type::boolean())
    usage_error(fmt::format("node \"{}\": FILTER needs a boolean, but {} is {}", node, input[call.filter].name,
                            to_string(input[call.filter].type)));
  std::optional<Type> argument;
  if (call.argument >= 0) argument = input[call.argument].type;
  const bool counts = call.function == AggregateFunction::count || call.function == AggregateFunction::count_distinct;
  // A group has at least one row, so over a NOT NULL column only a FILTER can leave it without a value.
  const bool nullable = !counts && (call.filter >= 0 || call.argument < 0 || input[call.argument].nullable);
  try {
    return {call.name, result_type(call.function, argument), nullable};
  } catch (const Error& error) {
    usage_error(fmt::format("node \"{}\": {}", node, error.what()));
  }
}
}  // namespace

Type result_type(AggregateFunction function, std::optional<Type> argument) {
  if (function == AggregateFunction::count) return Type::bigint();
  if (!argument) usage_error(function_name(function) + "(*) does not exist; only count takes *");
  if (function == AggregateFunction::count_distinct) return Type::bigint();
  if (function == AggregateFunction::min || function == AggregateFunction::max) return *argument;
  const bool sums = function == AggregateFunction::sum;
  switch (argument->kind) {
    case TypeKind::bigint: return sums ? Type::numeric(38, 0) : Type::float64();
    case TypeKind::float64: return Type::float64();
    case TypeKind::numeric:
      return Type::numeric(38, sums ? argument->scale : std::max<std::uint8_t>(argument->scale, 6));
    default:
      usage_error(fmt::format("{}({}) does not exist; {} takes bigint, double precision or numeric",
                              function_name(function), to_string(*argument), function_name(function)));
  }
}

int add_tumble(GraphDraft& graph, const std::string& name, int input, TumbleSpec window, std::vector<int> key_columns,
               std::vector<AggregateCall> calls) {
  constexpr std::int64_t kLargest = 100LL * 366 * 86'400'000'000;  // a century: keeps window ends far from overflow
  if (window.size_us < 1000 || window.size_us > kLargest)
    usage_error(fmt::format("node \"{}\": a window of {} µs; its size must be between 1 millisecond and 100 years",
                            name, window.size_us));
  const Schema schema = graph.node(input).schema;
  check_columns(name, schema, key_columns);
  if (!is_partitioned_by(graph, input, key_columns))
    usage_error(fmt::format("node \"{}\": its input is not partitioned by {}; add key_by in front of it", name,
                            column_list(schema, key_columns)));
  Node node;
  node.name = name;
  node.kind = NodeKind::window_aggregate;
  node.inputs = {input};
  node.stateful = true;
  node.horizon_us = window.size_us;
  node.detail = fmt::format("tumble size={}us key={}", window.size_us, column_list(schema, key_columns));
  std::vector<Field> fields;
  for (const int column : key_columns) fields.push_back(schema[column]);
  fields.push_back({"window_start", Type::timestamptz(), false});
  fields.push_back({"window_end", Type::timestamptz(), false});
  for (const AggregateCall& call : calls) {
    fields.push_back(call_field(name, call, schema));
    node.detail += ", " + call_text(call, schema);
  }
  node.carried = key_columns;
  node.carried.resize(fields.size(), -1);
  node.schema = Schema(std::move(fields));
  auto plan =
      std::make_shared<const TumblePlan>(schema, node.schema, window.size_us, std::move(key_columns), std::move(calls));
  node.factory = [plan = std::move(plan)](const OperatorContext& context) {
    return std::make_unique<Tumble>(plan, context);
  };
  return graph.add(std::move(node));
}

}  // namespace kappa
