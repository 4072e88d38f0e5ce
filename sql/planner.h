// kappa/sql/planner.h: SELECT → nodes.
//
// A view's nodes are called <view>/<clause>; those of a part of it (a sub-select, a branch of a union)
// <view>/<part>/<clause>, where the part is named by its alias or its input, so that reordering renames nothing.
//
// Threads:  one. Copies are independent: a copy checks a view that nobody reads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "kappa/sql/scope.h"

namespace kappa::sql {

/// A column that a SELECT puts out, before its node exists.
struct Output {
  std::string name;
  ExpressionPtr expression;
  int location = -1;
  bool untyped = false;     // a literal that takes the type of where it goes
  bool event_time = false;  // it is the rows' event time
  bool window_end = false;
  int key = -1;  // its place in the record key
};

/// A SELECT whose last projection is still to be added: INSERT and UNION adjust the columns first.
struct Draft {
  int node = -1;
  std::vector<Output> outputs;
  std::string event_time_name;
  std::vector<std::string> key_names;  // of the record key, in order, selected or not
  bool windowed = false;
  bool aggregated = false;  // by this SELECT itself
  int location = -1;
};

/// What the columns of a SELECT are called.
struct Names {
  std::vector<std::string> given;  // by the statement: CREATE VIEW v (a, b)
  bool needed = true;              // false: the columns go by position, so there may be none, or too many
};

/// WITH … AS (…): a name sees those before it and those of the SELECTs around it.
struct CommonTable {
  std::string name;
  std::string prefix;
  const Json* query = nullptr;
  std::vector<std::string> column_names;
  std::optional<Relation> planned;
};
struct CommonTables {
  CommonTables* outer = nullptr;
  std::vector<CommonTable>* tables = nullptr;
  std::size_t visible = 0;
};

class Planner {
 public:
  Planner(const SourceText& source, const std::string& name) : source_(source), graph_(name) {}

  GraphDraft& graph() { return graph_; }
  void add_table(Table table);
  void add_view(View view);
  [[nodiscard]] Table* find_table(const std::string& name);
  [[nodiscard]] View* find_view(const std::string& name);
  [[nodiscard]] const std::map<std::string, Table>& tables() const { return tables_; }
  [[nodiscard]] const std::map<std::string, View>& views() const { return views_; }
  /// Every table and view of the text, for "it is declared below".
  void declare(std::map<std::string, int> positions) { declared_ = std::move(positions); }

  [[nodiscard]] Draft draft(const Json& select, const std::string& prefix, const Names& names,
                            CommonTables* common = nullptr);
  /// Adds the projection <prefix>/select unless the outputs are the node's own columns.
  Relation finish(const Draft& draft, const std::string& prefix);
  Relation plan_view(View& view);

 private:
  struct Grouping;
  class GroupResolver;

  // from.cpp
  Scope scope_of(const Json& select, const std::string& prefix, CommonTables* common);
  Scope range(const Json& item, const std::string& prefix, CommonTables* common);
  Scope table_function(const Json& range_function, const std::string& prefix, CommonTables* common);
  Scope tumble(const Json& call, const std::string& prefix, CommonTables* common);
  Scope tumble_input(const Json& node, const std::string& prefix, CommonTables* common);
  void check_time_argument(const Scope& scope, const Json& node) const;
  Relation relation(const std::string& name, int location, CommonTables* common);
  Relation source_relation(Table& table, int location);
  Scope plain_scope(const Relation& relation, std::string alias) const;
  void rename(Scope& scope, const Json& alias) const;

  // select.cpp
  void refuse_clauses(const Json& select) const;
  Draft draft_single(const Json& select, const std::string& prefix, CommonTables* common);
  Draft draft_rows(const Json& select, const Scope& scope);
  void add_star(const Json& column_ref, int location, const Scope& scope, std::vector<Output>& outputs) const;
  void name_output(const Json& target, Output& output) const;
  void check_outputs(const Draft& draft, const Names& names) const;
  Scope filtered(Scope scope, const Json& condition, const std::string& prefix);
  std::string unique_prefix(const std::string& prefix);

  // union.cpp
  Draft draft_union(const Json& select, const std::string& prefix, const Names& names, CommonTables* common);
  void collect_branches(const Json& select, std::vector<const Json*>& branches) const;
  void unify(std::vector<Draft>& drafts) const;
  Draft join_branches(const std::vector<Draft>& drafts, const std::vector<std::string>& parts,
                      const std::string& prefix);

  // group.cpp
  Draft draft_groups(const Json& select, Scope scope, const std::string& prefix);
  void read_groups(const Json& select, const Scope& scope, Grouping& grouping) const;
  void read_aggregates(const Json& node, const Scope& scope, Grouping& grouping) const;
  void add_aggregate(const Json& call, const Scope& scope, Grouping& grouping) const;
  void name_aggregates(const Json& select, Grouping& grouping) const;
  int add_window(const Scope& scope, Grouping& grouping, const std::string& prefix);
  Draft group_outputs(const Json& select, const Scope& scope, Grouping& grouping, int node) const;
  [[noreturn]] void no_window(const Json& select) const;

  const SourceText& source_;
  GraphDraft graph_;
  std::map<std::string, Table> tables_;
  std::map<std::string, View> views_;
  std::map<std::string, int> declared_;
  std::set<std::string> prefixes_;
};

}  // namespace kappa::sql
