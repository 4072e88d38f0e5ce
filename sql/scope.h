// kappa/sql/scope.h: the names that one SELECT sees.
#pragma once

#include <string>
#include <vector>

#include "kappa/sql/bind.h"
#include "kappa/sql/catalog.h"

namespace kappa::sql {

/// What stands in FROM.
struct Scope {
  Relation relation;
  Schema schema;                   // of the relation's node
  std::vector<std::string> names;  // of its columns, as FROM t AS a (x, y) may rename them
  std::string alias;
  bool windowed = false;  // over TUMBLE: window_start, window_end and window_time hide columns of these names
  std::int64_t window_us = 0;
};

struct Reference {
  enum class Kind { column, window_start, window_end, window_time };
  Kind kind = Kind::column;
  int column = -1;
};

/// Throws Error{usage} for unknown names, with the nearest as a hint.
[[nodiscard]] Reference resolve(const SourceText& source, const Scope& scope, const Json& column_ref, int location);

/// Expressions over the rows of FROM: WHERE, GROUP BY, the arguments of aggregates, a select list without aggregates.
class RowResolver : public Resolver {
 public:
  /// `clause`: "WHERE", for messages.
  RowResolver(const SourceText& source, const Scope& scope, std::string clause)
      : source_(source), scope_(scope), clause_(std::move(clause)) {}
  ExpressionPtr column(const Json& column_ref, int location) override;
  ExpressionPtr aggregate(const Json& call) override;

 private:
  const SourceText& source_;
  const Scope& scope_;
  std::string clause_;
};

/// The name that PostgreSQL gives an output column without AS; empty where it gives none.
[[nodiscard]] std::string derived_name(const Json& node);
/// window_end − 1 ms.
[[nodiscard]] ExpressionPtr window_time(const Schema& schema, int window_end);

}  // namespace kappa::sql
