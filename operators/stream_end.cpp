#include "kappa/operators/stream_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kappa/engine/error.h"

namespace kappa::detail {

namespace {
/// The field of KAPPA_ROW that has this type.
std::string cpp_type(Type type) {
  switch (type.kind) {
    case TypeKind::boolean: return "bool";
    case TypeKind::bigint: return "std::int64_t";
    case TypeKind::float64: return "double";
    case TypeKind::text: return "std::string_view";
    case TypeKind::timestamptz: return "kappa::Timestamp";
    case TypeKind::numeric: return type == Type::numeric(38, 0) ? "kappa::Int128" : "";
    case TypeKind::bytea:
    case TypeKind::interval: return "";
  }
  return "";
}

std::vector<int> indexes_of(const Schema& schema, const std::vector<std::string>& columns) {
  std::vector<int> indexes;
  for (const std::string& column : columns) {
    const std::optional<int> found = schema.find(column);
    KAPPA_CHECK(found, "the columns are fields of the struct, whose schema this is");
    indexes.push_back(*found);
  }
  return indexes;
}

/// The column for a field of `.as<Struct>`.
int matching(const std::string& name, const Node& from, const Field& field) {
  const Schema& schema = from.schema;
  const std::optional<int> found = schema.find(field.name);
  const auto refuse_field = [&](const std::string& why, const std::string& hint) {
    usage_error(fmt::format("node \"{}\": field {} {}{}", name, field.name, why, hint.empty() ? "" : "; " + hint));
  };
  if (!found) {
    const std::string near = schema.nearest(field.name);
    refuse_field(fmt::format("is no column of \"{}\"", from.name),
                 near.empty() ? "the columns are " + to_string(schema) : "did you mean " + near + "?");
  }
  const Field& column = schema[*found];
  if (column.type != field.type) {
    const std::string hint = cpp_type(column.type);
    refuse_field(
        fmt::format("is {} in the struct and {} in \"{}\"", to_string(field.type), to_string(column.type), from.name),
        hint.empty() ? "no C++ type stands for that: leave the field out" : "make it " + hint);
  }
  if (column.nullable && !field.nullable)
    refuse_field(fmt::format("may be null in \"{}\"", from.name),
                 fmt::format("make it std::optional<{}>", cpp_type(column.type)));
  return *found;
}

void check_names(const std::string& name, const Schema& input, const std::vector<int>& keys,
                 const std::vector<AggregateSpec>& aggregates) {
  std::set<std::string> seen = {"window_start", "window_end"};
  for (const int key : keys)
    if (!seen.insert(input[key].name).second)
      usage_error(fmt::format("node \"{}\": a key cannot be called {}: results have a column of that name", name,
                              input[key].name));
  for (const AggregateSpec& aggregate : aggregates)
    if (!seen.insert(aggregate.name).second)
      usage_error(
          fmt::format("node \"{}\": two columns are named \"{}\"; rename one with .as(\"…\")", name, aggregate.name));
}
}  // namespace

StreamEnd::StreamEnd(GraphDraft& graph, const std::string& name, const SourceSettings& settings, const Schema& columns)
    : graph_(&graph) {
  SourceOptions options;
  options.topic = settings.topic;
  options.format = settings.format;
  options.event_time = settings.event_time;
  if (settings.max_out_of_orderness) options.max_out_of_orderness_us = settings.max_out_of_orderness->count();
  options.max_future_us = settings.max_future.count();
  options.idle_timeout_us = settings.idle_timeout.count();
  options.max_drift_us = settings.max_drift.count();
  options.timestamp_unit = settings.timestamp_unit;
  options.partitioned_by = settings.partitioned_by;
  options.partitioned_by_trust = settings.partitioned_by_trust;
  options.paths = settings.paths;
  options.metadata = settings.metadata;
  node_ = add_source(graph, name, options, columns);
  if (!settings.partitioned_by.empty()) key_ = {settings.partitioned_by};
}

StreamEnd StreamEnd::with(int node) const {
  StreamEnd end = *this;
  end.node_ = node;
  end.is_function_ = false;
  return end;
}

StreamEnd StreamEnd::add_function(const std::string& name, NodeKind kind, const Schema& made,
                                  RowFunction function) const {
  Node node;
  node.name = name;
  node.kind = kind;
  node.inputs = {node_};
  node.schema = made;
  node.detail = "C++ function";
  // What a function makes of a column cannot be seen, so none counts as carried.
  if (kind == NodeKind::project) node.carried.assign(static_cast<std::size_t>(made.size()), -1);
  node.factory = [kind, input = schema(), made, function = std::move(function)](const OperatorContext& context) {
    return kind == NodeKind::filter ? make_row_filter(context.node, input, function)
                                    : make_row_map(context.node, input, made, function);
  };
  StreamEnd end = with(graph_->add(std::move(node)));
  end.is_function_ = true;
  return end;
}

StreamEnd StreamEnd::filter(const std::string& name, RowFunction function) const {
  return add_function(name, NodeKind::filter, schema(), std::move(function));
}

StreamEnd StreamEnd::map(const std::string& name, const Schema& made, RowFunction function) const {
  return add_function(name, NodeKind::project, made, std::move(function));
}

StreamEnd StreamEnd::union_with(const std::string& name, const StreamEnd& other) const {
  if (graph_ != other.graph_)
    usage_error(fmt::format("node \"{}\": both streams of a union belong to one GraphBuilder", name));
  StreamEnd end = with(add_union(*graph_, name, {node_, other.node_}));
  if (other.key_ != key_) end.key_.clear();
  end.windowed_ = windowed_ && other.windowed_;
  return end;
}

StreamEnd StreamEnd::key_by(const std::string& name, const std::vector<std::string>& columns) const {
  StreamEnd end = with(add_key_by(*graph_, name, node_, indexes_of(schema(), columns)));
  end.key_ = columns;
  end.windowed_ = false;
  return end;
}

StreamEnd StreamEnd::tumble(const std::string& name, std::chrono::microseconds size,
                            const std::vector<AggregateSpec>& aggregates) const {
  const std::vector<int> keys = indexes_of(schema(), key_);
  check_names(name, schema(), keys, aggregates);
  std::vector<AggregateCall> calls;
  for (const AggregateSpec& aggregate : aggregates) {
    const int argument = aggregate.column.empty() ? -1 : indexes_of(schema(), {aggregate.column}).front();
    calls.push_back({aggregate.function, argument, -1, aggregate.name});
  }
  StreamEnd end = with(add_tumble(*graph_, name, node_, TumbleSpec{size.count()}, keys, std::move(calls)));
  end.key_.emplace_back("window_start");
  end.windowed_ = true;
  return end;
}

StreamEnd StreamEnd::as(const std::string& name, const Schema& wanted) const {
  std::vector<NamedExpression> columns;
  for (const Field& field : wanted.fields())
    columns.push_back({field.name, column(schema(), matching(name, graph_->node(node_), field))});
  return with(add_project(*graph_, name, node_, std::move(columns)));
}

/// As in SQL: rows that have lost a column of their key go without one, but results of a window must not by accident.
std::vector<std::string> StreamEnd::default_key(const std::string& name) const {
  for (const std::string& column : key_) {
    if (schema().find(column)) continue;
    if (windowed_)
      usage_error(
          fmt::format("node \"{}\": {} is part of the results' record key, but no field of the struct; add it, "
                      "or name the key: .key = {{…}}, or .no_key = true",
                      name, column));
    return {};
  }
  return key_;
}

void StreamEnd::sink(const std::string& name, const SinkSettings& settings) const {
  if (settings.no_key && !settings.key.empty())
    usage_error(fmt::format("node \"{}\": it has a key and .no_key = true; remove one of them", name));
  SinkOptions options;
  options.topic = settings.topic;
  options.key_columns = settings.key;
  if (settings.key.empty() && !settings.no_key) {
    options.key_columns = default_key(name);
    options.windowed = windowed_;
  }
  options.partition_by = settings.partition_by;
  add_sink(*graph_, name, node_, options);
}

void StreamEnd::set_version(std::int64_t version) const {
  if (!is_function_)
    usage_error(
        fmt::format("node \"{}\": version() stands right behind filter() or map(): only a function's body "
                    "cannot be seen",
                    graph_->node(node_).name));
  graph_->set_version(node_, version);
}

}  // namespace kappa::detail
