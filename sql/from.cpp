// FROM: tables, views, sub-selects, TUMBLE.
#include <fmt/format.h>

#include "kappa/sql/peers.h"
#include "kappa/sql/planner.h"

namespace kappa::sql {

void Planner::add_table(Table table) {
  if (tables_.count(table.name) + views_.count(table.name) > 0)
    source_.error(table.location, fmt::format("\"{}\" is declared twice", table.name));
  tables_[table.name] = std::move(table);
}

void Planner::add_view(View view) {
  if (tables_.count(view.name) + views_.count(view.name) > 0)
    source_.error(view.location, fmt::format("\"{}\" is declared twice", view.name));
  views_[view.name] = std::move(view);
}

Table* Planner::find_table(const std::string& name) {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : &found->second;
}

View* Planner::find_view(const std::string& name) {
  const auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

Relation Planner::plan_view(View& view) {
  if (!view.planned) {
    const std::string prefix = unique_prefix(view.name);
    view.planned = finish(draft(view.query, prefix, Names{view.column_names, true}), prefix);
  }
  return *view.planned;
}

Relation Planner::source_relation(Table& table, int location) {
  if (table.planned) return *table.planned;
  if (table.written)
    source_.error(location, fmt::format("table \"{}\" is both read and written", table.name),
                  "a pipeline must not feed itself: read the view whose rows are inserted");
  if (table.source.event_time.empty())
    source_.error(table.location, fmt::format("table \"{}\" is read but has no event_time", table.name),
                  "add WITH (event_time = 'column', max_out_of_orderness = '5s')");
  Relation made;
  made.node = source_.located(
      table.location, [&] { return add_source(graph_, table.name, table.source, table.columns, table.json_names); });
  made.event_time = *table.columns.find(table.source.event_time);
  made.event_time_name = table.source.event_time;
  if (!table.source.partitioned_by.empty()) made.key = {*table.columns.find(table.source.partitioned_by)};
  table.planned = made;
  return made;
}

Relation Planner::relation(const std::string& name, int location, CommonTables* common) {
  for (CommonTables* scope = common; scope != nullptr; scope = scope->outer)
    for (std::size_t i = scope->visible; i-- > 0;) {
      CommonTable& table = (*scope->tables)[i];
      if (table.name != name) continue;
      if (!table.planned) {
        CommonTables before{scope->outer, scope->tables, i};
        table.planned =
            finish(draft(*table.query, table.prefix, Names{table.column_names, true}, &before), table.prefix);
      }
      return *table.planned;
    }
  if (Table* table = find_table(name)) return source_relation(*table, location);
  if (View* view = find_view(name)) return plan_view(*view);
  std::string hint;
  std::vector<std::string> candidates;
  for (const auto& [other, where] : declared_) candidates.push_back(other);
  if (declared_.count(name) > 0) {
    hint = "it is declared further down: move its statement up";
  } else if (const std::string near = nearest_word(name, candidates); !near.empty()) {
    hint = fmt::format("did you mean \"{}\"?", near);
  }
  source_.error(location, fmt::format("unknown table or view \"{}\"", name), hint);
}

Scope Planner::plain_scope(const Relation& relation, std::string alias) const {
  Scope scope;
  scope.relation = relation;
  scope.schema = graph_.node(relation.node).schema;
  scope.alias = std::move(alias);
  for (const Field& field : scope.schema.fields()) scope.names.push_back(field.name);
  return scope;
}

void Planner::rename(Scope& scope, const Json& alias) const {
  if (alias.is_null()) return;
  scope.alias = text_of(alias, "aliasname");
  const std::vector<std::string> names = strings_of(member(alias, "colnames"));
  if (names.size() > scope.names.size())
    source_.error(-1,
                  fmt::format("\"{}\" has {} columns, but {} names", scope.alias, scope.names.size(), names.size()));
  std::copy(names.begin(), names.end(), scope.names.begin());
}

Scope Planner::scope_of(const Json& select, const std::string& prefix, CommonTables* common) {
  const Json& from = member(select, "fromClause");
  if (from.empty()) {
    const Json& targets = member(select, "targetList");
    source_.error(targets.empty() ? -1 : location_of(targets.front()), "SELECT without FROM reads nothing",
                  "a view reads a table or another view");
  }
  if (from.size() > 1) {
    const int location = location_of(from[1]);
    source_.error(location, "joins are not available yet",
                  "a SELECT reads one table or view; UNION ALL merges several");
  }
  return range(from.front(), prefix, common);
}

Scope Planner::range(const Json& item, const std::string& prefix, CommonTables* common) {
  const Json& body = body_of(item);
  const int location = location_of(item);
  if (is_kind(item, "JoinExpr"))
    source_.error(location_of(member(body, "rarg")), "joins are not available yet",
                  "a SELECT reads one table or view; UNION ALL merges several");
  if (is_kind(item, "RangeVar")) {
    const std::string name = text_of(body, "relname");
    if (body.contains("schemaname"))
      source_.error(location, "tables have no schema in front of their name", "write the table's name alone");
    Scope scope = plain_scope(relation(name, location, common), name);
    rename(scope, member(body, "alias"));
    return scope;
  }
  if (is_kind(item, "RangeSubselect") && !flag_of(body, "lateral")) {
    const Json& alias = member(body, "alias");
    const std::string name = text_of(alias, "aliasname");
    check_name(source_, name, location);
    const std::string part = unique_prefix(prefix + "/" + name);
    const Draft inner = draft(body_of(member(body, "subquery")), part, Names{}, common);
    Scope scope = plain_scope(finish(inner, part), name);
    rename(scope, alias);
    return scope;
  }
  if (is_kind(item, "RangeFunction")) return table_function(body, prefix, common);
  source_.error(location, "FROM takes a table, a view, a sub-select or TUMBLE(…)");
}

Scope Planner::table_function(const Json& range_function, const std::string& prefix, CommonTables* common) {
  const Json& functions = member(range_function, "functions");
  const Json& items = member(body_of(functions.empty() ? null_json() : functions.front()), "items");
  const Json& call = items.empty() ? null_json() : items.front();
  const int location = location_of(call);
  const std::string name = function_name(call);
  const bool odd = functions.size() != 1 || range_function.contains("ordinality") ||
                   range_function.contains("lateral") || range_function.contains("coldeflist");
  if (odd || name.empty()) source_.error(location, "FROM takes a table, a view, a sub-select or TUMBLE(…)");
  if (name == "hop" || name == "cumulate" || name == "session")
    source_.error(location,
                  fmt::format("{} windows are not available yet", name == "hop"        ? "HOP"
                                                                  : name == "cumulate" ? "CUMULATE"
                                                                                       : "SESSION"),
                  kWindowHint);
  if (name != "tumble") source_.error(location, fmt::format("there is no table function {}()", name), kWindowHint);
  Scope scope = tumble(call, prefix, common);
  rename(scope, member(range_function, "alias"));
  return scope;
}

Scope Planner::tumble_input(const Json& node, const std::string& prefix, CommonTables* common) {
  const int location = location_of(node);
  if (is_kind(node, "ColumnRef") && column_parts(body_of(node)).size() == 1) {
    const std::string name = column_parts(body_of(node)).front();
    if (name != "*") return plain_scope(relation(name, location, common), name);
  }
  if (is_kind(node, "SubLink") && text_of(body_of(node), "subLinkType") == "EXPR_SUBLINK") {
    const std::string part = unique_prefix(prefix + "/input");
    const Draft inner = draft(body_of(member(body_of(node), "subselect")), part, Names{}, common);
    return plain_scope(finish(inner, part), "tumble");
  }
  source_.error(location, "TUMBLE's first argument is the name of a table or view", kWindowHint);
}

Scope Planner::tumble(const Json& call, const std::string& prefix, CommonTables* common) {
  const Json& arguments = member(body_of(call), "args");
  if (arguments.size() != 3)
    source_.error(location_of(call),
                  fmt::format("TUMBLE takes 3 arguments: input, time column, size; not {}", arguments.size()),
                  "FROM TUMBLE(bids, at, INTERVAL '10 seconds')");
  Scope scope = tumble_input(arguments[0], prefix, common);
  check_time_argument(scope, arguments[1]);
  scope.windowed = true;
  scope.window_us = length_us(source_, arguments[2], "the window's size");
  return scope;
}

void Planner::check_time_argument(const Scope& scope, const Json& node) const {
  const int location = location_of(node);
  if (function_name(node) == "descriptor")
    source_.error(location, "the time column is given by its name", "write it without DESCRIPTOR(…)");
  if (!is_kind(node, "ColumnRef"))
    source_.error(location, "TUMBLE's second argument is the event-time column", kWindowHint);
  const Relation& input = scope.relation;
  if (input.event_time < 0 && column_parts(body_of(node)).back() == input.event_time_name)
    source_.error(location,
                  fmt::format("\"{}\" does not have its event time \"{}\"", scope.alias, input.event_time_name),
                  "select it in the view");
  const Reference found = resolve(source_, scope, body_of(node), location);
  if (found.column == scope.relation.event_time) return;
  const std::string name = column_parts(body_of(node)).back();
  if (found.column == scope.relation.window_end)
    source_.error(location, fmt::format("\"{}\" is a window's end, not the event time of these rows", name),
                  "use window_time (the window's end − 1 ms), and select it in the view");
  const std::string message = fmt::format("\"{}\" is not the event time of \"{}\"", name, scope.alias);
  if (scope.relation.event_time >= 0) {
    const std::string& right = scope.names[static_cast<std::size_t>(scope.relation.event_time)];
    source_.error(location, message, fmt::format("its event time is \"{}\"", right));
  }
  source_.error(location, message,
                scope.relation.event_time_name.empty()
                    ? "the inputs of a UNION ALL must have their event time in the same column"
                    : fmt::format("its event time is \"{}\": select that in the view", scope.relation.event_time_name));
}

}  // namespace kappa::sql
