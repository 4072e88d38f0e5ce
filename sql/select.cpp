// SELECT without aggregates: the select list, WHERE, the last projection.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kappa/sql/peers.h"
#include "kappa/sql/planner.h"

namespace kappa::sql {

namespace {
/// A SelectStmt has no place of its own: that of its first output.
int select_location(const Json& select) {
  const Json* leftmost = &select;
  while (member(*leftmost, "larg").is_object()) leftmost = &member(*leftmost, "larg");
  const Json& targets = member(*leftmost, "targetList");
  if (!targets.empty()) return location_of(targets.front());
  const Json& rows = member(*leftmost, "valuesLists");
  const Json& items = member(body_of(rows.empty() ? null_json() : rows.front()), "items");
  return items.empty() ? -1 : location_of(items.front());
}

bool is_star(const Json& node) { return is_kind(node, "ColumnRef") && column_parts(body_of(node)).back() == "*"; }

std::vector<CommonTable> read_common_tables(const SourceText& source, const Json& with, const std::string& prefix) {
  std::vector<CommonTable> tables;
  if (flag_of(with, "recursive"))
    source.error(with.value("location", -1), "WITH RECURSIVE is not available", "write WITH name AS (SELECT …)");
  for (const Json& node : member(with, "ctes")) {
    const Json& body = body_of(node);
    CommonTable table;
    table.name = text_of(body, "ctename");
    check_name(source, table.name, location_of(node));
    table.prefix = prefix + "/" + table.name;
    if (!is_kind(member(body, "ctequery"), "SelectStmt"))
      source.error(location_of(node), "WITH takes SELECTs only", kStatements);
    table.query = &body_of(member(body, "ctequery"));
    table.column_names = strings_of(member(body, "aliascolnames"));
    for (const CommonTable& other : tables)
      if (other.name == table.name)
        source.error(location_of(node), fmt::format("\"{}\" is declared twice", table.name));
    tables.push_back(std::move(table));
  }
  return tables;
}
}  // namespace

std::string Planner::unique_prefix(const std::string& prefix) {
  std::string unique = prefix;
  for (int n = 2; !prefixes_.insert(unique).second; ++n) unique = fmt::format("{}-{}", prefix, n);
  return unique;
}

Draft Planner::draft(const Json& select, const std::string& prefix, const Names& names, CommonTables* common) {
  std::vector<CommonTable> tables;
  CommonTables scope{common, &tables, 0};
  if (const Json& with = member(select, "withClause"); with.is_object()) {
    tables = read_common_tables(source_, with, prefix);
    for (CommonTable& table : tables) table.prefix = unique_prefix(table.prefix);
    scope.visible = tables.size();
    common = &scope;
  }
  refuse_clauses(select);
  Draft made = text_of(select, "op") == "SETOP_NONE" ? draft_single(select, prefix, common)
                                                     : draft_union(select, prefix, names, common);
  for (const CommonTable& table : tables)
    if (!table.planned)
      source_.error(select_location(select), fmt::format("\"{}\" of WITH is never read", table.name), "remove it");
  if (made.location < 0) made.location = select_location(select);
  if (names.needed && names.given.size() > made.outputs.size())
    source_.error(made.location, fmt::format("{} names for {} columns", names.given.size(), made.outputs.size()));
  for (std::size_t i = 0; i < std::min(names.given.size(), made.outputs.size()); ++i)
    made.outputs[i].name = names.given[i];
  if (names.needed) check_outputs(made, names);
  return made;
}

void Planner::refuse_clauses(const Json& select) const {
  const int location = select_location(select);
  const auto place = [&](const Json& clause) {
    const Json& node = clause.is_array() && !clause.empty() ? clause.front() : clause;
    const int own = is_kind(node, "SortBy") ? location_of(member(body_of(node), "node")) : location_of(node);
    return own < 0 ? location : own;
  };
  static const std::vector<std::array<const char*, 3>> clauses = {
      {"valuesLists", "VALUES is not available", "a pipeline's rows come from topics"},
      {"distinctClause", "DISTINCT is not available yet", "GROUP BY the columns within a window"},
      {"sortClause", "ORDER BY does not apply to streams", "a window's results come ordered by window end and key"},
      {"limitCount", "LIMIT does not apply to streams", "remove it"},
      {"limitOffset", "OFFSET does not apply to streams", "remove it"},
      {"windowClause", "window functions are not available", kWindowHint},
      {"lockingClause", "FOR UPDATE and FOR SHARE do not apply to streams", "remove it"},
      {"intoClause", "SELECT INTO is not supported", "write CREATE MATERIALIZED VIEW name AS SELECT …"},
  };
  for (const auto& [clause, message, hint] : clauses)
    if (const Json& found = member(select, clause); !found.is_null()) source_.error(place(found), message, hint);
}

Draft Planner::draft_single(const Json& select, const std::string& prefix, CommonTables* common) {
  if (member(select, "targetList").empty())
    source_.error(select_location(select), "the select list is empty", "name a column, or write *");
  Scope scope = filtered(scope_of(select, prefix, common), member(select, "whereClause"), prefix);
  const Json& targets = member(select, "targetList");
  const bool aggregates = std::any_of(targets.begin(), targets.end(),
                                      [](const Json& t) { return has_aggregate(member(body_of(t), "val")); });
  if (aggregates || scope.windowed || select.contains("groupClause") || select.contains("havingClause"))
    return draft_groups(select, std::move(scope), prefix);
  return draft_rows(select, scope);
}

Scope Planner::filtered(Scope scope, const Json& condition, const std::string& prefix) {
  if (condition.is_null()) return scope;
  RowResolver resolver(source_, scope, "WHERE");
  const ExpressionPtr predicate = bind_expression(source_, condition, resolver);
  const int location = location_of(condition);
  if (predicate->type().kind != TypeKind::boolean)
    source_.error(location, fmt::format("WHERE takes a boolean, not {}", to_string(predicate->type())));
  scope.relation.node =
      source_.located(location, [&] { return add_filter(graph_, prefix + "/where", scope.relation.node, predicate); });
  return scope;
}

void Planner::add_star(const Json& column_ref, int location, const Scope& scope, std::vector<Output>& outputs) const {
  const std::vector<std::string> parts = column_parts(column_ref);
  if (parts.size() > 2 || (parts.size() == 2 && parts.front() != scope.alias))
    source_.error(location, fmt::format("unknown table \"{}\"", parts.front()),
                  fmt::format("FROM names \"{}\"", scope.alias));
  for (int i = 0; i < scope.schema.size(); ++i) {
    Output output;
    output.name = scope.names[static_cast<std::size_t>(i)];
    output.expression = column(scope.schema, i);
    output.location = location;
    outputs.push_back(std::move(output));
  }
}

void Planner::name_output(const Json& target, Output& output) const {
  const Json& value = member(target, "val");
  output.name = text_of(target, "name");
  if (output.name.empty()) output.name = derived_name(value);
  output.location = location_of(value);
  output.untyped = is_untyped_literal(value);
}

Draft Planner::draft_rows(const Json& select, const Scope& scope) {
  Draft made;
  made.node = scope.relation.node;
  made.event_time_name = scope.relation.event_time_name;
  made.windowed = scope.relation.windowed;
  for (const int key : scope.relation.key) made.key_names.push_back(scope.names[static_cast<std::size_t>(key)]);
  RowResolver resolver(source_, scope, "a select list without GROUP BY");
  for (const Json& node : member(select, "targetList")) {
    const Json& value = member(body_of(node), "val");
    if (is_star(value)) {
      add_star(body_of(value), location_of(value), scope, made.outputs);
      continue;
    }
    Output output;
    name_output(body_of(node), output);
    output.expression = bind_expression(source_, value, resolver);
    made.outputs.push_back(std::move(output));
  }
  for (Output& output : made.outputs) {
    const int index = output.expression->column_index();
    if (index < 0) continue;
    output.event_time = index == scope.relation.event_time;
    output.window_end = index == scope.relation.window_end;
    const std::vector<int>& key = scope.relation.key;
    const auto place = std::find(key.begin(), key.end(), index);
    if (place != key.end()) output.key = static_cast<int>(place - key.begin());
  }
  return made;
}

void Planner::check_outputs(const Draft& draft, const Names& names) const {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < draft.outputs.size(); ++i) {
    const Output& output = draft.outputs[i];
    if (output.name.empty()) source_.error(output.location, "this output has no name", "give it one: … AS name");
    if (!seen.insert(output.name).second)
      source_.error(output.location, fmt::format("two columns are named \"{}\"", output.name),
                    i < names.given.size() ? "" : "give one another name: … AS name");
  }
}

Relation Planner::finish(const Draft& draft, const std::string& prefix) {
  const Schema& schema = graph_.node(draft.node).schema;
  bool natural = static_cast<int>(draft.outputs.size()) == schema.size();
  std::vector<NamedExpression> columns;
  Relation made;
  made.windowed = draft.windowed;
  made.event_time_name = draft.event_time_name;
  std::vector<int> key(draft.key_names.size(), -1);
  for (std::size_t i = 0; i < draft.outputs.size(); ++i) {
    const Output& output = draft.outputs[i];
    const int index = static_cast<int>(i);
    natural = natural && output.expression->column_index() == index && schema[index].name == output.name;
    columns.push_back({output.name, output.expression});
    if (output.event_time && made.event_time < 0) made.event_time = index;
    if (output.window_end && made.window_end < 0) made.window_end = index;
    if (output.key >= 0 && key[static_cast<std::size_t>(output.key)] < 0)
      key[static_cast<std::size_t>(output.key)] = index;
  }
  if (std::count(key.begin(), key.end(), -1) == 0) made.key = std::move(key);
  made.node = natural ? draft.node : source_.located(draft.location, [&] {
    return add_project(graph_, prefix + "/select", draft.node, std::move(columns));
  });
  return made;
}

}  // namespace kappa::sql
