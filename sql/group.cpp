// SELECT with GROUP BY over a window: keys, aggregates, HAVING, and what is computed from them.
#include <fmt/format.h>

#include <algorithm>

#include "kappa/sql/peers.h"
#include "kappa/sql/planner.h"

namespace kappa::sql {

struct Planner::Grouping {
  struct Key {
    std::string shape;
    ExpressionPtr bound;
    std::string name;
    int column = -1;  // of FROM; -1: computed
  };
  struct Aggregate {
    AggregateFunction function = AggregateFunction::count;
    ExpressionPtr argument;  // null: count(*)
    ExpressionPtr filter;    // null: none
    std::string identity;
    std::string name;
  };
  std::vector<Key> keys;
  std::vector<Aggregate> aggregates;
  std::map<std::string, int> shapes;  // of a call → aggregate
  bool by_window = false;

  [[nodiscard]] int window_start() const { return static_cast<int>(keys.size()); }
  [[nodiscard]] bool has_name(const std::string& name) const {
    return name == "window_start" || name == "window_end" ||
           std::any_of(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; }) ||
           std::any_of(aggregates.begin(), aggregates.end(), [&](const Aggregate& a) { return a.name == name; });
  }
  [[nodiscard]] std::string unique(const std::string& name) const {
    std::string unique = name;
    for (int n = 2; has_name(unique); ++n) unique = fmt::format("{}_{}", name, n);
    return unique;
  }
};

/// Expressions over results: HAVING and the select list.
class Planner::GroupResolver : public Resolver {
 public:
  GroupResolver(const SourceText& source, const Scope& scope, const Grouping& grouping, const Schema& schema)
      : source_(source), scope_(scope), grouping_(grouping), schema_(schema) {
    for (const Grouping::Key& key : grouping.keys) computed_ = computed_ || key.column < 0;
  }

  ExpressionPtr column(const Json& column_ref, int location) override {
    const Reference found = resolve(source_, scope_, column_ref, location);
    if (found.kind == Reference::Kind::window_start) return kappa::column(schema_, grouping_.window_start());
    if (found.kind == Reference::Kind::window_end) return kappa::column(schema_, grouping_.window_start() + 1);
    if (found.kind == Reference::Kind::window_time) return window_time(schema_, grouping_.window_start() + 1);
    for (std::size_t i = 0; i < grouping_.keys.size(); ++i)
      if (grouping_.keys[i].column == found.column) return kappa::column(schema_, static_cast<int>(i));
    source_.error(
        location,
        fmt::format("column \"{}\" is neither in GROUP BY nor in an aggregate", column_parts(column_ref).back()),
        "add it to GROUP BY, or take its min, max, sum, …");
  }
  ExpressionPtr aggregate(const Json& call) override {
    const int index = grouping_.shapes.at(shape_of(call));
    return kappa::column(schema_, grouping_.window_start() + 2 + index);
  }
  ExpressionPtr whole(const Json& node) override {
    if (!computed_ || is_kind(node, "ColumnRef") || is_kind(node, "A_Const")) return nullptr;
    const std::string shape = shape_of(node);
    for (std::size_t i = 0; i < grouping_.keys.size(); ++i)
      if (grouping_.keys[i].column < 0 && grouping_.keys[i].shape == shape)
        return kappa::column(schema_, static_cast<int>(i));
    return nullptr;
  }

 private:
  const SourceText& source_;
  const Scope& scope_;
  const Grouping& grouping_;
  const Schema& schema_;
  bool computed_ = false;
};

namespace {
/// GROUP BY 2, and GROUP BY alias where no input column has the name, mean an item of the select list.
const Json& group_item(const SourceText& source, const Json& item, const Json& targets, const Scope& scope) {
  if (is_kind(item, "A_Const")) {
    const Json& ordinal = member(member(body_of(item), "ival"), "ival");
    if (!ordinal.is_number_integer() || ordinal.get<int>() < 1 || ordinal.get<std::size_t>() > targets.size())
      source.error(location_of(item),
                   fmt::format("GROUP BY takes a place of the select list from 1 to {}", targets.size()));
    return member(body_of(targets[ordinal.get<std::size_t>() - 1]), "val");
  }
  if (!is_kind(item, "ColumnRef") || column_parts(body_of(item)).size() != 1) return item;
  const std::string name = column_parts(body_of(item)).front();
  if (std::count(scope.names.begin(), scope.names.end(), name) > 0) return item;
  for (const Json& target : targets)
    if (text_of(body_of(target), "name") == name) return member(body_of(target), "val");
  return item;
}

std::string name_of_key(const Json& item, const Json& targets) {
  const std::string shape = shape_of(item);
  for (const Json& target : targets)
    if (const std::string name = text_of(body_of(target), "name"); !name.empty())
      if (shape_of(member(body_of(target), "val")) == shape) return name;
  const std::string derived = derived_name(item);
  return derived.empty() ? "key" : derived;
}

AggregateFunction aggregate_function(const SourceText& source, const std::string& name, bool distinct, int location) {
  static const std::map<std::string, AggregateFunction> functions = {
      {"count", AggregateFunction::count}, {"sum", AggregateFunction::sum}, {"min", AggregateFunction::min},
      {"max", AggregateFunction::max},     {"avg", AggregateFunction::avg},
  };
  const auto found = functions.find(name);
  if (found == functions.end())
    source.error(location, fmt::format("the aggregate {}() is not available yet", name),
                 "there are count, count(DISTINCT x), sum, min, max and avg");
  if (distinct && name == "count") return AggregateFunction::count_distinct;
  if (distinct && (name == "sum" || name == "avg"))
    source.error(location, fmt::format("{}(DISTINCT x) is not available yet", name), "there is count(DISTINCT x)");
  return found->second;
}
}  // namespace

void Planner::no_window(const Json& select) const {
  for (const Json& group : member(select, "groupClause"))
    if (const std::string name = function_name(group); name == "tumble" || name == "hop" || name == "session")
      source_.error(location_of(group), "windows stand in FROM, not in GROUP BY", kWindowHint);
  const Json* place = &null_json();
  if (const Json& groups = member(select, "groupClause"); !groups.empty()) place = &groups.front();
  if (place->is_null()) place = &member(select, "havingClause");
  for (const Json& target : member(select, "targetList"))
    if (place->is_null() && has_aggregate(member(body_of(target), "val"))) place = &member(body_of(target), "val");
  source_.error(location_of(*place), "running aggregates are not available yet",
                std::string("group by a window; ") + kWindowHint);
}

void Planner::read_groups(const Json& select, const Scope& scope, Grouping& grouping) const {
  const Json& targets = member(select, "targetList");
  RowResolver resolver(source_, scope, "GROUP BY");
  for (const Json& written : member(select, "groupClause")) {
    if (is_kind(written, "GroupingSet"))
      source_.error(location_of(written), "GROUPING SETS, ROLLUP and CUBE are not available",
                    "write one view for each");
    const Json& item = group_item(source_, written, targets, scope);
    Grouping::Key key;
    if (is_kind(item, "ColumnRef")) {
      const Reference found = resolve(source_, scope, body_of(item), location_of(written));
      if (found.kind != Reference::Kind::column) {
        grouping.by_window = true;
        continue;
      }
      key.column = found.column;
    }
    key.shape = shape_of(item);
    const auto same = [&](const Grouping::Key& k) {
      return key.column >= 0 ? k.column == key.column : k.shape == key.shape;
    };
    if (std::any_of(grouping.keys.begin(), grouping.keys.end(), same)) continue;
    key.bound = bind_expression(source_, item, resolver);
    key.name = key.column >= 0 ? scope.schema[key.column].name : grouping.unique(name_of_key(item, targets));
    grouping.keys.push_back(std::move(key));
  }
}

void Planner::read_aggregates(const Json& node, const Scope& scope, Grouping& grouping) const {
  if (is_aggregate(node)) {
    add_aggregate(node, scope, grouping);
  } else if (node.is_structured() && !is_kind(node, "SubLink")) {
    for (const Json& child : node) read_aggregates(child, scope, grouping);
  }
}

void Planner::add_aggregate(const Json& call, const Scope& scope, Grouping& grouping) const {
  const Json& body = body_of(call);
  const int location = location_of(call);
  const std::string name = function_name(call);
  const bool distinct = flag_of(body, "agg_distinct");
  for (const char* clause : {"agg_order", "agg_within_group", "func_variadic"})
    if (body.contains(clause)) source_.error(location, fmt::format("{}() takes neither ORDER BY nor VARIADIC", name));
  Grouping::Aggregate made;
  made.function = aggregate_function(source_, name, distinct, location);
  const Json& arguments = member(body, "args");
  const bool star = flag_of(body, "agg_star");
  if (star ? name != "count" : arguments.size() != 1)
    source_.error(location, fmt::format("{} takes one argument", name), name == "count" ? "count(*) counts rows" : "");
  RowResolver resolver(source_, scope, "an aggregate's argument");
  if (!star) made.argument = bind_expression(source_, arguments.front(), resolver);
  if (const Json& filter = member(body, "agg_filter"); !filter.is_null()) {
    made.filter = bind_expression(source_, filter, resolver);
    if (made.filter->type().kind != TypeKind::boolean)
      source_.error(location_of(filter), fmt::format("FILTER takes a boolean, not {}", to_string(made.filter->type())));
  }
  const auto type = made.argument ? std::optional<Type>(made.argument->type()) : std::nullopt;
  source_.located(location, [&] { return result_type(made.function, type); });
  made.identity = fmt::format("{}|{}|{}", static_cast<int>(made.function), made.argument ? made.argument->text() : "*",
                              made.filter ? made.filter->text() : "");
  auto& all = grouping.aggregates;
  const auto same = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.identity == made.identity; });
  grouping.shapes[shape_of(call)] = static_cast<int>(same - all.begin());
  if (same == all.end()) all.push_back(std::move(made));
}

void Planner::name_aggregates(const Json& select, Grouping& grouping) const {
  for (const Json& target : member(select, "targetList")) {
    const Json& value = member(body_of(target), "val");
    if (!is_aggregate(value)) continue;
    auto& aggregate = grouping.aggregates[static_cast<std::size_t>(grouping.shapes.at(shape_of(value)))];
    if (!aggregate.name.empty()) continue;
    const std::string alias = text_of(body_of(target), "name");
    aggregate.name = grouping.unique(alias.empty() ? function_name(value) : alias);
  }
  static const char* const names[] = {"count", "sum", "min", "max", "avg", "count_distinct"};
  for (auto& aggregate : grouping.aggregates)
    if (aggregate.name.empty()) aggregate.name = grouping.unique(names[static_cast<std::size_t>(aggregate.function)]);
}

namespace {
/// The columns that the window reads: those of FROM, or, where one is computed, a projection to just what is needed.
class Arguments {
 public:
  explicit Arguments(const Schema& schema) : schema_(schema) {}
  int place(const ExpressionPtr& expression, const std::string& name) {
    if (!expression) return -1;
    const int column = expression->column_index();
    needed_ = needed_ || column < 0;
    direct_.push_back(column);
    const std::string text = expression->text();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].expression->text() == text) return remember(static_cast<int>(i));
    std::string unique = column >= 0 ? schema_[column].name : name;
    const auto taken = [&] {
      return std::any_of(columns_.begin(), columns_.end(), [&](const auto& c) { return c.name == unique; });
    };
    while (taken()) unique += "'";
    columns_.push_back({unique, expression});
    return remember(static_cast<int>(columns_.size()) - 1);
  }
  /// Where the `i`-th placed expression is.
  [[nodiscard]] int operator[](int i) const {
    return i < 0 ? -1 : (needed_ ? projected_ : direct_)[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] bool needed() const { return needed_; }
  [[nodiscard]] const std::vector<NamedExpression>& columns() const { return columns_; }

 private:
  int remember(int projected) {
    projected_.push_back(projected);
    return static_cast<int>(projected_.size()) - 1;
  }
  const Schema& schema_;
  std::vector<NamedExpression> columns_;
  std::vector<int> direct_;
  std::vector<int> projected_;
  bool needed_ = false;
};
}  // namespace

int Planner::add_window(const Scope& scope, Grouping& grouping, const std::string& prefix) {
  Arguments arguments(scope.schema);
  std::vector<int> keys;
  std::vector<std::pair<int, int>> places;  // argument, filter
  for (const auto& key : grouping.keys) keys.push_back(arguments.place(key.bound, key.name));
  for (const auto& a : grouping.aggregates) {
    const int argument = arguments.place(a.argument, a.name + "/argument");
    places.emplace_back(argument, arguments.place(a.filter, a.name + "/filter"));
  }
  int node = scope.relation.node;
  if (arguments.needed()) node = add_project(graph_, prefix + "/arguments", node, arguments.columns());
  for (int& key : keys) key = arguments[key];
  std::vector<AggregateCall> calls;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& aggregate = grouping.aggregates[i];
    calls.push_back({aggregate.function, arguments[places[i].first], arguments[places[i].second], aggregate.name});
  }
  node = add_key_by(graph_, prefix + "/group", node, keys);
  return add_tumble(graph_, prefix + "/window", node, TumbleSpec{scope.window_us}, keys, std::move(calls));
}

Draft Planner::group_outputs(const Json& select, const Scope& scope, Grouping& grouping, int node) const {
  Draft made;
  made.node = node;
  made.event_time_name = "window_time";
  made.windowed = made.aggregated = true;
  for (const auto& key : grouping.keys) made.key_names.push_back(key.name);
  made.key_names.emplace_back("window_start");
  const Schema& schema = graph_.node(node).schema;
  GroupResolver resolver(source_, scope, grouping, schema);
  for (const Json& target : member(select, "targetList")) {
    const Json& value = member(body_of(target), "val");
    if (is_kind(value, "ColumnRef") && column_parts(body_of(value)).back() == "*")
      source_.error(location_of(value), "* has columns that are neither in GROUP BY nor in an aggregate",
                    "name the columns of GROUP BY");
    Output output;
    name_output(body_of(target), output);
    output.expression = bind_expression(source_, value, resolver);
    const int index = output.expression->column_index();
    if (index >= 0 && index <= grouping.window_start()) output.key = index;
    output.window_end = index == grouping.window_start() + 1;
    output.event_time = is_kind(value, "ColumnRef") && index < 0;  // window_time: the only one that is computed
    made.outputs.push_back(std::move(output));
  }
  return made;
}

Draft Planner::draft_groups(const Json& select, Scope scope, const std::string& prefix) {
  if (!scope.windowed) no_window(select);
  Grouping grouping;
  read_groups(select, scope, grouping);
  const Json& targets = member(select, "targetList");
  if (!grouping.by_window)
    source_.error(location_of(targets.front()), "a SELECT over TUMBLE has no window in its GROUP BY",
                  "add GROUP BY window_start, window_end");
  const Json& having = member(select, "havingClause");
  for (const Json& target : targets) read_aggregates(member(body_of(target), "val"), scope, grouping);
  read_aggregates(having, scope, grouping);
  name_aggregates(select, grouping);
  const int location = location_of(targets.front());
  int node = source_.located(location, [&] { return add_window(scope, grouping, prefix); });
  if (!having.is_null()) {
    const Schema schema = graph_.node(node).schema;
    GroupResolver resolver(source_, scope, grouping, schema);
    const ExpressionPtr predicate = bind_expression(source_, having, resolver);
    if (predicate->type().kind != TypeKind::boolean)
      source_.error(location_of(having), fmt::format("HAVING takes a boolean, not {}", to_string(predicate->type())));
    node =
        source_.located(location_of(having), [&] { return add_filter(graph_, prefix + "/having", node, predicate); });
  }
  return group_outputs(select, scope, grouping, node);
}

}  // namespace kappa::sql
