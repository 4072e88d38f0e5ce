// CREATE TABLE: columns, types and WITH options.
#include <fmt/format.h>

#include <algorithm>

#include "kappa/operators/format/metadata.h"
#include "kappa/sql/catalog.h"
#include "kappa/sql/peers.h"

namespace kappa::sql {

namespace {
std::string folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

/// PostgreSQL's parser gives its catalog's names.
std::string sql_type_name(const std::string& name) {
  static const std::map<std::string, std::string> names = {
      {"int8", "bigint"},
      {"int4", "integer"},
      {"int2", "smallint"},
      {"float4", "real"},
      {"float8", "double precision"},
      {"bool", "boolean"},
  };
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

/// The column's name as the text spells it; `name` where it is quoted or escaped.
std::string spelling_at(const SourceText& source, const std::string& name, int location) {
  if (location < 0) return name;
  const std::string written = source.text().substr(static_cast<std::size_t>(location), name.size());
  return folded(written) == name ? written : name;
}

bool read_constraints(const SourceText& source, const Json& column) {
  bool nullable = true;
  for (const Json& node : member(column, "constraints")) {
    const std::string type = text_of(body_of(node), "contype");
    if (type == "CONSTR_NOTNULL") nullable = false;
    if (type == "CONSTR_NOTNULL" || type == "CONSTR_NULL") continue;
    const bool key = type == "CONSTR_PRIMARY" || type == "CONSTR_UNIQUE";
    source.error(location_of(node), "a column has no constraints but NOT NULL",
                 key ? "WITH (partitioned_by = 'column') says which column is the record's key"
                     : "computed and default values belong into a view: CREATE VIEW name AS SELECT … FROM table");
  }
  return nullable;
}

void read_column(const SourceText& source, const Json& column, Table& table, std::vector<Field>& fields) {
  const int location = column.value("location", -1);
  Field field;
  field.name = text_of(column, "colname");
  for (const Field& other : fields)
    if (other.name == field.name) source.error(location, fmt::format("column \"{}\" is declared twice", field.name));
  field.type = read_type(source, member(column, "typeName"));
  field.nullable = read_constraints(source, column);
  table.json_names.push_back(spelling_at(source, field.name, location));
  fields.push_back(std::move(field));
}

void read_columns(const SourceText& source, const Json& statement, Table& table) {
  std::vector<Field> fields;
  for (const Json& node : member(statement, "tableElts")) {
    if (!is_kind(node, "ColumnDef"))
      source.error(location_of(node), "a table has columns only, no constraints",
                   "WITH (partitioned_by = 'column') says which column is the record's key");
    read_column(source, body_of(node), table, fields);
  }
  if (fields.empty()) source.error(table.location, fmt::format("table \"{}\" has no columns", table.name));
  table.columns = Schema(std::move(fields));
}

std::string column_option(const SourceText& source, const Table& table, const std::optional<Option>& option) {
  if (!option) return {};
  const std::optional<int> found = find_column(table.columns, table.json_names, option->value);
  if (found) return table.columns[*found].name;
  const std::string near = table.columns.nearest(option->value);
  source.error(option->location,
               fmt::format("{}: table \"{}\" has no column \"{}\"", option->name, table.name, option->value),
               near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void one_of(const SourceText& source, const std::optional<Option>& option, const std::vector<std::string>& allowed,
            std::string& value) {
  if (!option) return;
  value = folded(option->value);
  if (std::count(allowed.begin(), allowed.end(), value) > 0) return;
  source.error(option->location, fmt::format("{} = '{}' is not known", option->name, option->value),
               fmt::format("it is one of {}", fmt::join(allowed, ", ")));
}

void read_event_time(const SourceText& source, Options& options, Table& table) {
  SourceOptions& spec = table.source;
  const std::optional<Option> event_time = options.take("event_time");
  spec.event_time = column_option(source, table, event_time);
  spec.max_out_of_orderness_us = options.take_duration_us("max_out_of_orderness");
  if (!event_time) return;
  const Type type = table.columns[*table.columns.find(spec.event_time)].type;
  if (type.kind != TypeKind::timestamptz)
    source.error(event_time->location,
                 fmt::format("event_time must be a timestamptz column; \"{}\" is {}", spec.event_time, to_string(type)),
                 "declare it as timestamptz: RFC 3339 text, or integers in timestamp_unit (ms, s, us)");
  if (!spec.max_out_of_orderness_us)
    source.error(event_time->location, "event_time needs max_out_of_orderness: later records would be dropped as late",
                 "add max_out_of_orderness = '5s' (or '0s' if every partition is in order)");
}

void read_metadata(const SourceText& source, Options& options, Table& table) {
  for (const Option& option : options.take_all("metadata")) {
    const std::string column = column_option(source, table, Option{"metadata", option.name, option.location});
    if (table.source.paths.count(column) > 0)
      source.error(option.location, fmt::format("column \"{}\" has both a path and metadata", column));
    source.located(option.location, [&] { check_metadata(table.columns[*table.columns.find(column)], option.value); });
    table.source.metadata[column] = option.value;
  }
}

void read_options(const SourceText& source, const Json& statement, Table& table) {
  Options options(source, member(statement, "options"), fmt::format("table \"{}\"", table.name),
                  {"topic", "format", "event_time", "max_out_of_orderness", "max_future", "idle_timeout", "max_drift",
                   "timestamp_unit", "partitioned_by", "partitioned_by_trust", "partition_by", "key"});
  SourceOptions& spec = table.source;
  const std::optional<Option> topic = options.take("topic");
  one_of(source, options.take("format"), {"json", "raw"}, spec.format);
  read_event_time(source, options, table);
  spec.max_future_us = options.take_duration_us("max_future").value_or(spec.max_future_us);
  spec.idle_timeout_us = options.take_duration_us("idle_timeout").value_or(spec.idle_timeout_us);
  spec.max_drift_us = options.take_duration_us("max_drift").value_or(spec.max_drift_us);
  one_of(source, options.take("timestamp_unit"), {"ms", "s", "us"}, spec.timestamp_unit);
  spec.partitioned_by = column_option(source, table, options.take("partitioned_by"));
  spec.partitioned_by_trust = options.take_flag("partitioned_by_trust");
  table.sink.partition_by = column_option(source, table, options.take("partition_by"));
  if (const std::optional<Option> key = options.take("key")) {
    for (const std::string& name : split_names(source, *key))
      table.sink.key_columns.push_back(column_option(source, table, Option{"key", name, key->location}));
    table.keyless = table.sink.key_columns.empty();
  }
  for (const Option& path : options.take_all("path"))
    spec.paths[column_option(source, table, Option{"path", path.name, path.location})] = path.value;
  read_metadata(source, options, table);
  options.finish();
  if (!topic || topic->value.empty())
    source.error(table.location, fmt::format("table \"{}\" has no topic", table.name),
                 fmt::format("add WITH (topic = '{}', event_time = '…', max_out_of_orderness = '5s')", table.name));
  spec.topic = table.sink.topic = topic->value;
}
}  // namespace

Type read_type(const SourceText& source, const Json& type_name) {
  const int location = type_name.value("location", -1);
  const std::vector<std::string> names = strings_of(member(type_name, "names"));
  const std::string name = names.empty() ? std::string() : names.back();
  std::vector<int> modifiers;
  for (const Json& node : member(type_name, "typmods"))
    modifiers.push_back(
        member(member(body_of(node), "ival"), "ival").is_number() ? body_of(node)["ival"]["ival"].get<int>() : -1);
  if (!member(type_name, "arrayBounds").is_null() || flag_of(type_name, "setof"))
    source.error(location, "arrays are not available", "declare the elements you need as columns");
  const std::optional<Type> type = source.located(location, [&] { return parse_type(sql_type_name(name), modifiers); });
  if (type) return *type;
  const std::string shown =
      sql_type_name(name) + (modifiers.empty() ? "" : fmt::format("({})", fmt::join(modifiers, ",")));
  source.error(location, fmt::format("there is no type {}", shown), hint_for_type(name));
}

std::optional<int> find_column(const Schema& schema, const std::vector<std::string>& json_names,
                               const std::string& name) {
  if (const std::optional<int> exact = schema.find(name)) return exact;
  for (std::size_t i = 0; i < json_names.size(); ++i)
    if (json_names[i] == name) return static_cast<int>(i);
  return schema.find(folded(name));
}

void check_name(const SourceText& source, const std::string& name, int location) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), allowed)) return;
  source.error(location, fmt::format("the name \"{}\" cannot be used", name),
               "names of tables and views name topics and state: 1 to 100 of A-Z a-z 0-9 . _ -");
}

std::vector<std::string> split_names(const SourceText& source, const Option& option) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  if (option.value.find_first_not_of(' ') == std::string::npos) return names;
  while (begin <= option.value.size()) {
    const std::size_t end = std::min(option.value.find(',', begin), option.value.size());
    std::string name = option.value.substr(begin, end - begin);
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    if (name.empty())
      source.error(option.location, fmt::format("{} = '{}' has an empty name", option.name, option.value));
    names.push_back(std::move(name));
    begin = end + 1;
  }
  return names;
}

Table read_table(const SourceText& source, const Json& create_statement) {
  const Json& relation = member(create_statement, "relation");
  Table table;
  table.name = text_of(relation, "relname");
  table.location = relation.value("location", -1);
  check_name(source, table.name, table.location);
  if (relation.contains("schemaname"))
    source.error(table.location, "tables have no schema in front of their name", "write the table's name alone");
  if (text_of(relation, "relpersistence") != "p")
    source.error(table.location, "tables are neither temporary nor unlogged");
  for (const char* clause : {"inhRelations", "partspec", "ofTypename", "partbound"})
    if (create_statement.contains(clause)) source.error(table.location, "tables have columns and WITH options only");
  read_columns(source, create_statement, table);
  read_options(source, create_statement, table);
  return table;
}

}  // namespace kappa::sql
