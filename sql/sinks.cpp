#include "kappa/sql/sinks.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/sql/peers.h"

namespace kappa::sql {

namespace {
/// The columns of the record key where none is given: GROUP BY's with the window's start last, or the input's key.
std::vector<std::string> default_key(const SourceText& source, const Draft& draft) {
  std::vector<std::string> key;
  for (std::size_t place = 0; place < draft.key_names.size(); ++place) {
    const auto found = std::find_if(draft.outputs.begin(), draft.outputs.end(),
                                    [&](const Output& o) { return o.key == static_cast<int>(place); });
    if (found != draft.outputs.end()) {
      key.push_back(found->name);
    } else if (!draft.aggregated) {
      return {};
    } else {
      source.error(draft.location,
                   fmt::format("\"{}\" is part of the results' record key, but not selected", draft.key_names[place]),
                   "select it, or name the columns of the key: WITH (key = 'a, b'); '' for records without a key");
    }
  }
  return key;
}

std::string output_option(const SourceText& source, const Draft& draft, const std::optional<Option>& option,
                          const std::string& name) {
  std::vector<Field> fields;
  for (const Output& output : draft.outputs) fields.push_back({output.name, output.expression->type(), true});
  const Schema schema(std::move(fields));
  if (const std::optional<int> found = find_column(schema, {}, name)) return schema[*found].name;
  const std::string near = schema.nearest(name);
  source.error(option->location, fmt::format("{}: the results have no column \"{}\"", option->name, name),
               near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

bool is_number(Type type) {
  return type.kind == TypeKind::bigint || type.kind == TypeKind::float64 || type.kind == TypeKind::numeric;
}

/// PostgreSQL's assignment: numbers into numbers, literals into anything, else the same type.
void assign(const SourceText& source, const Field& column, Output& output) {
  const Type from = output.expression->type();
  const bool allowed = output.untyped || (is_number(from) && is_number(column.type));
  if (from != column.type && !allowed)
    source.error(
        output.location,
        fmt::format("column \"{}\" is {}, but this is {}", column.name, to_string(column.type), to_string(from)),
        fmt::format("cast it: (…)::{}", to_string(column.type)));
  if (from != column.type) {
    output.expression = source.located(output.location, [&] { return cast(output.expression, column.type); });
    output.key = -1;
  }
  if (!column.nullable && output.expression->nullable())
    source.error(output.location, fmt::format("column \"{}\" is NOT NULL, but this may be null", column.name),
                 "coalesce(…, 0) gives nulls a value; or declare the column without NOT NULL");
}

/// The JSON names that the outputs get, as far as they can be told.
std::vector<std::string> json_names(const Table& table, const Json& columns) {
  if (columns.empty()) return table.json_names;
  std::vector<std::string> names;
  for (const Json& column : columns) {
    const std::optional<int> found = table.columns.find(text_of(body_of(column), "name"));
    if (!found) return {};
    names.push_back(table.json_names[static_cast<std::size_t>(*found)]);
  }
  return names;
}

/// Which output goes into each column of the table; -1: none.
std::vector<int> places(const SourceText& source, const Table& table, const Json& columns, const Draft& draft) {
  std::vector<int> place(static_cast<std::size_t>(table.columns.size()), -1);
  const std::size_t expected = columns.empty() ? place.size() : columns.size();
  if (draft.outputs.size() != expected)
    source.error(draft.location, fmt::format("INSERT INTO \"{}\" takes {} columns, SELECT has {}", table.name, expected,
                                             draft.outputs.size()));
  if (columns.empty())
    for (std::size_t i = 0; i < place.size(); ++i) place[i] = static_cast<int>(i);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = text_of(body_of(columns[i]), "name");
    const std::optional<int> found = table.columns.find(name);
    const std::string near = table.columns.nearest(name);
    if (!found)
      source.error(location_of(columns[i]), fmt::format("table \"{}\" has no column \"{}\"", table.name, name),
                   near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    if (place[static_cast<std::size_t>(*found)] >= 0)
      source.error(location_of(columns[i]), fmt::format("column \"{}\" is named twice", name));
    place[static_cast<std::size_t>(*found)] = static_cast<int>(i);
  }
  return place;
}

/// The table's columns in its order, under their JSON names.
void fit(const SourceText& source, const Table& table, const Json& columns, Draft& draft) {
  std::vector<Output> fitted;
  const std::vector<int> place = places(source, table, columns, draft);
  for (std::size_t i = 0; i < place.size(); ++i) {
    Output output;
    if (place[i] >= 0) {
      output = draft.outputs[static_cast<std::size_t>(place[i])];
    } else {
      output.expression = literal(Value{Type::text(), {}});
      output.untyped = true;
      output.location = draft.location;
    }
    assign(source, table.columns[static_cast<int>(i)], output);
    output.name = table.json_names[i];
    fitted.push_back(std::move(output));
  }
  draft.outputs = std::move(fitted);
}
}  // namespace

void Sinks::add_topic(const SourceText& source, const std::string& topic, int location) {
  if (!topics_.emplace(topic, location).second)
    source.error(location, fmt::format("topic \"{}\" is written twice", topic),
                 "give it another topic, or join the SELECTs with UNION ALL");
}

void Sinks::materialize(const SourceText& source, Planner& planner, const Json& statement, int location) {
  if (text_of(statement, "objtype") != "OBJECT_MATVIEW")
    source.error(location, "CREATE TABLE … AS is not supported",
                 "CREATE MATERIALIZED VIEW name AS SELECT … writes the topic \"name\"");
  const Json& into = member(statement, "into");
  const Json& relation = member(into, "rel");
  View view;
  view.name = text_of(relation, "relname");
  view.location = relation.value("location", location);
  check_name(source, view.name, view.location);
  if (!is_kind(member(statement, "query"), "SelectStmt")) source.error(view.location, "a view is a SELECT");
  view.query = body_of(member(statement, "query"));
  planner.add_view(view);
  const Draft draft = planner.draft(view.query, view.name, Names{strings_of(member(into, "colNames")), true});
  Options options(source, member(into, "options"), fmt::format("view \"{}\"", view.name),
                  {"topic", "partition_by", "key"});
  SinkOptions sink;
  sink.topic = options.take_text("topic", view.name);
  if (const std::optional<Option> by = options.take("partition_by"))
    sink.partition_by = output_option(source, draft, by, by->value);
  if (const std::optional<Option> key = options.take("key")) {
    for (const std::string& name : split_names(source, *key))
      sink.key_columns.push_back(output_option(source, draft, key, name));
  } else {
    sink.key_columns = default_key(source, draft);
    sink.windowed = draft.aggregated;
  }
  options.finish();
  add_topic(source, sink.topic, view.location);
  const Relation made = planner.finish(draft, view.name);
  planner.find_view(view.name)->planned = made;
  source.located(view.location, [&] { return add_sink(planner.graph(), view.name, made.node, sink); });
}

void Sinks::insert(const SourceText& source, Planner& planner, const Json& statement, int location) {
  const Json& relation = member(statement, "relation");
  const int place = relation.value("location", location);
  const std::string name = text_of(relation, "relname");
  Table* table = planner.find_table(name);
  if (table == nullptr)
    source.error(place,
                 planner.find_view(name) != nullptr ? fmt::format("\"{}\" is a view", name)
                                                    : fmt::format("unknown table \"{}\"", name),
                 "INSERT INTO takes a table: CREATE TABLE name (columns…) WITH (topic = '…')");
  for (const char* clause : {"onConflictClause", "returningList", "withClause"})
    if (statement.contains(clause))
      source.error(location, "INSERT INTO table [(columns…)] SELECT … has no other clauses");
  if (!is_kind(member(statement, "selectStmt"), "SelectStmt")) source.error(place, "INSERT INTO takes a SELECT");
  if (table->written)
    source.error(place, fmt::format("\"{}\" is written twice", name), "join the SELECTs with UNION ALL");
  if (table->planned)
    source.error(place, fmt::format("\"{}\" is both read and written", name), "a pipeline must not feed itself");
  if (!table->source.metadata.empty())
    source.error(place, fmt::format("table \"{}\" has columns of metadata, which are read only", name),
                 "write a table without metadata.column, or CREATE MATERIALIZED VIEW");
  table->written = true;
  const Names names{json_names(*table, member(statement, "cols")), false};
  Draft draft = planner.draft(body_of(member(statement, "selectStmt")), name, names);
  fit(source, *table, member(statement, "cols"), draft);
  SinkOptions sink = table->sink;
  for (std::string& column : sink.key_columns)
    column = table->json_names[static_cast<std::size_t>(*table->columns.find(column))];
  if (!sink.partition_by.empty())
    sink.partition_by = table->json_names[static_cast<std::size_t>(*table->columns.find(sink.partition_by))];
  if (sink.key_columns.empty() && !table->keyless) {
    sink.key_columns = default_key(source, draft);
    sink.windowed = draft.aggregated;
  }
  if (table->source.format != "json") source.error(place, "results are written as JSON only", "format = 'json'");
  add_topic(source, sink.topic, place);
  const Relation made = planner.finish(draft, name);
  source.located(place, [&] { return add_sink(planner.graph(), name, made.node, sink); });
}

void Sinks::check(const SourceText& source, const Planner& planner) const {
  if (topics_.empty())
    source.error(-1, "the pipeline writes nothing",
                 "CREATE MATERIALIZED VIEW name AS SELECT … writes the topic \"name\"");
  for (const auto& [name, table] : planner.tables())
    if (const auto written = topics_.find(table.source.topic); table.planned && written != topics_.end())
      source.error(written->second, fmt::format("topic \"{}\" is both read and written", table.source.topic),
                   "a pipeline must not feed itself: give the results another topic");
}

}  // namespace kappa::sql
