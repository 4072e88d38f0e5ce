// UNION ALL: branches, and the types of their columns.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "kappa/sql/planner.h"

namespace kappa::sql {

namespace {
/// What the branch reads names its nodes.
std::string branch_name(const Json& select) {
  const Json& from = member(select, "fromClause");
  if (from.empty()) return "branch";
  const Json& body = body_of(from.front());
  const std::string alias = text_of(member(body, "alias"), "aliasname");
  if (!alias.empty()) return alias;
  if (is_kind(from.front(), "RangeVar")) return text_of(body, "relname");
  const Json& functions = member(body, "functions");
  const Json& items = member(body_of(functions.empty() ? null_json() : functions.front()), "items");
  const Json& arguments = member(body_of(items.empty() ? null_json() : items.front()), "args");
  if (!arguments.empty() && is_kind(arguments.front(), "ColumnRef"))
    return column_parts(body_of(arguments.front())).back();
  return "branch";
}

bool is_number(Type type) {
  return type.kind == TypeKind::bigint || type.kind == TypeKind::float64 || type.kind == TypeKind::numeric;
}

/// The type that PostgreSQL would choose; nothing if it would refuse.
std::optional<Type> common_type(Type a, Type b) {
  if (a == b) return a;
  if (!is_number(a) || !is_number(b)) return std::nullopt;
  if (a.kind == TypeKind::float64 || b.kind == TypeKind::float64) return Type::float64();
  const auto whole = [](Type t) { return t.kind == TypeKind::bigint ? 19 : t.precision - t.scale; };
  const int scale = std::max<int>(a.scale, b.scale);
  const int precision = std::min(38, std::max(whole(a), whole(b)) + scale);
  return Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
}
}  // namespace

void Planner::collect_branches(const Json& select, std::vector<const Json*>& branches) const {
  const std::string op = text_of(select, "op");
  if (op == "SETOP_NONE" || select.contains("withClause")) {
    branches.push_back(&select);
    return;
  }
  const Json& right = member(select, "rarg");
  if (op != "SETOP_UNION" || !flag_of(select, "all")) {
    const Json& targets = member(right, "targetList");
    const std::string name = op == "SETOP_UNION" ? "UNION" : op == "SETOP_EXCEPT" ? "EXCEPT" : "INTERSECT";
    source_.error(targets.empty() ? -1 : location_of(targets.front()),
                  fmt::format("{} needs all rows at once, which streams never have", name), "write UNION ALL");
  }
  for (const Json* side : {&member(select, "larg"), &right}) {
    refuse_clauses(*side);
    collect_branches(*side, branches);
  }
}

void Planner::unify(std::vector<Draft>& drafts) const {
  Draft& first = drafts.front();
  for (const Draft& draft : drafts)
    if (draft.outputs.size() != first.outputs.size())
      source_.error(draft.location, fmt::format("the branches of UNION ALL have {} and {} columns",
                                                first.outputs.size(), draft.outputs.size()));
  for (std::size_t i = 0; i < first.outputs.size(); ++i) {
    std::optional<Type> type;
    for (const Draft& draft : drafts) {
      const Output& output = draft.outputs[i];
      if (output.untyped) continue;
      const Type own = output.expression->type();
      const std::optional<Type> common = type ? common_type(*type, own) : own;
      if (!common)
        source_.error(output.location,
                      fmt::format("column \"{}\" of UNION ALL is {} in one branch and {} in another",
                                  first.outputs[i].name, to_string(*type), to_string(own)),
                      "cast one: x::type");
      type = common;
    }
    if (!type) continue;  // literals only: they stay text
    for (Draft& draft : drafts) {
      Output& output = draft.outputs[i];
      if (output.expression->type() == *type) continue;
      output.expression = source_.located(output.location, [&] { return cast(output.expression, *type); });
      output.event_time = output.window_end = false;
      output.key = -1;
    }
  }
}

Draft Planner::draft_union(const Json& select, const std::string& prefix, const Names& names, CommonTables* common) {
  std::vector<const Json*> branches;
  for (const char* side : {"larg", "rarg"}) refuse_clauses(member(select, side));
  Json without_with;  // the WITH belongs to the whole: draft() has read it
  const Json* whole = &select;
  if (select.contains("withClause")) {
    without_with = select;
    without_with.erase("withClause");
    whole = &without_with;
  }
  collect_branches(*whole, branches);
  std::vector<Draft> drafts;
  std::vector<std::string> parts;
  for (const Json* branch : branches) {
    const std::string name = branch_name(*branch);
    parts.push_back(unique_prefix(prefix + "/" + name));
    const Names own = drafts.empty() ? names : Names{{}, false};  // the first branch's names hold
    drafts.push_back(draft(*branch, parts.back(), own, common));
  }
  unify(drafts);
  for (std::size_t i = 0; i < drafts.front().outputs.size(); ++i) {
    std::string name = drafts.front().outputs[i].name;
    if (!names.needed && i >= names.given.size()) name = fmt::format("column{}", i + 1);
    for (Draft& each : drafts) each.outputs[i].name = name;
  }
  return join_branches(drafts, parts, prefix);
}

Draft Planner::join_branches(const std::vector<Draft>& drafts, const std::vector<std::string>& parts,
                             const std::string& prefix) {
  std::vector<int> inputs;
  const Draft& first = drafts.front();
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const std::vector<int> before = inputs;
    inputs.push_back(finish(drafts[i], parts[i]).node);
    if (std::count(before.begin(), before.end(), inputs.back()) == 0) continue;
    std::vector<NamedExpression> columns;  // the same rows twice: two edges need two nodes
    for (const Output& output : drafts[i].outputs) columns.push_back({output.name, output.expression});
    inputs.back() = add_project(graph_, parts[i] + "/select", inputs.back(), std::move(columns));
  }
  Draft made;
  made.location = first.location;
  made.node = source_.located(first.location, [&] { return add_union(graph_, prefix + "/union", inputs); });
  const auto all = [&](auto same) { return std::all_of(drafts.begin(), drafts.end(), same); };
  if (all([&](const Draft& d) {
        return d.key_names.size() == first.key_names.size() && d.windowed == first.windowed;
      })) {
    made.key_names = first.key_names;
    made.windowed = first.windowed;
  }
  for (std::size_t i = 0; i < first.outputs.size(); ++i) {
    Output output = first.outputs[i];
    output.expression = column(graph_.node(made.node).schema, static_cast<int>(i));
    output.untyped = false;
    output.event_time = all([&](const Draft& d) { return d.outputs[i].event_time; });
    output.window_end = all([&](const Draft& d) { return d.outputs[i].window_end; });
    if (made.key_names.empty() || !all([&](const Draft& d) { return d.outputs[i].key == output.key; })) output.key = -1;
    made.outputs.push_back(std::move(output));
  }
  return made;
}

}  // namespace kappa::sql
