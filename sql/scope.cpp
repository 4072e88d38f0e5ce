#include "kappa/sql/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/sql/peers.h"

namespace kappa::sql {

namespace {
[[noreturn]] void unknown_column(const SourceText& source, const Scope& scope, const std::string& name, int location) {
  std::string hint;
  if (name == "window_start" || name == "window_end" || name == "window_time") hint = kWindowHint;
  if (hint.empty()) {
    std::vector<std::string> candidates = scope.names;
    if (scope.windowed) candidates.insert(candidates.end(), {"window_start", "window_end", "window_time"});
    if (const std::string near = nearest_word(name, candidates); !near.empty())
      hint = fmt::format("did you mean \"{}\"?", near);
  }
  if (hint.empty()) hint = hint_for_function(name);
  source.error(location, fmt::format("unknown column \"{}\"", name), hint);
}

void check_qualifier(const SourceText& source, const Scope& scope, const std::vector<std::string>& parts,
                     int location) {
  if (parts.size() > 2)
    source.error(location, "names have at most two parts: table.column",
                 "nested fields are columns with a path: WITH (path.column = 'user.id')");
  if (parts.size() < 2 || parts.front() == scope.alias) return;
  const bool is_column = std::count(scope.names.begin(), scope.names.end(), parts.front()) > 0;
  source.error(location, fmt::format("unknown table \"{}\"", parts.front()),
               is_column ? "nested fields are columns with a path: WITH (path.column = 'user.id')"
                         : fmt::format("FROM names \"{}\"", scope.alias));
}
}  // namespace

Reference resolve(const SourceText& source, const Scope& scope, const Json& column_ref, int location) {
  const std::vector<std::string> parts = column_parts(column_ref);
  check_qualifier(source, scope, parts, location);
  const std::string& name = parts.back();
  if (name == "*")
    source.error(location, "* stands in a select list only", "count(*) counts rows; name the column otherwise");
  if (scope.windowed) {
    if (name == "window_start") return {Reference::Kind::window_start, -1};
    if (name == "window_end") return {Reference::Kind::window_end, -1};
    if (name == "window_time") return {Reference::Kind::window_time, -1};
  }
  const auto found = std::find(scope.names.begin(), scope.names.end(), name);
  if (found == scope.names.end()) unknown_column(source, scope, name, location);
  return {Reference::Kind::column, static_cast<int>(found - scope.names.begin())};
}

ExpressionPtr RowResolver::column(const Json& column_ref, int location) {
  const Reference found = resolve(source_, scope_, column_ref, location);
  if (found.kind != Reference::Kind::column)
    source_.error(location, fmt::format("a window's bounds are not known in {}", clause_),
                  "they belong to the results: use them in the select list or in HAVING");
  return kappa::column(scope_.schema, found.column);
}

ExpressionPtr RowResolver::aggregate(const Json& call) {
  source_.error(location_of(call),
                fmt::format("{}() is an aggregate, which {} cannot have", function_name(call), clause_),
                clause_ == "WHERE" ? "conditions on results stand in HAVING" : "");
}

std::string derived_name(const Json& node) {
  const Json& body = body_of(node);
  if (is_kind(node, "ColumnRef")) return column_parts(body).back();
  if (is_kind(node, "FuncCall")) return function_name(node);
  if (is_kind(node, "CaseExpr")) {
    const std::string inner = derived_name(member(body, "defresult"));
    return inner.empty() ? "case" : inner;
  }
  if (is_kind(node, "CoalesceExpr")) return "coalesce";
  if (is_kind(node, "MinMaxExpr")) return text_of(body, "op") == "IS_LEAST" ? "least" : "greatest";
  if (is_kind(node, "A_Expr") && text_of(body, "kind") == "AEXPR_NULLIF") return "nullif";
  if (is_kind(node, "TypeCast")) {
    const std::string inner = derived_name(member(body, "arg"));
    const std::vector<std::string> names = strings_of(member(member(body, "typeName"), "names"));
    return inner.empty() && !names.empty() ? names.back() : inner;
  }
  return {};
}

ExpressionPtr window_time(const Schema& schema, int window_end) {
  Value millisecond{Type::interval(), Interval{0, 0, 1000}};
  return call("-", {column(schema, window_end), literal(std::move(millisecond))});
}

}  // namespace kappa::sql
