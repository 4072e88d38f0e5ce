// kappa/sql/bind.h: an expression of the parse tree → a bound Expression.
//
// Errors:   Error{usage} at the place of the part that is wrong.
#pragma once

#include "kappa/operators/expression/expression.h"
#include "kappa/sql/tree.h"

namespace kappa::sql {

/// What an expression may refer to, which differs per clause.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// `column_ref`: the body of a ColumnRef.
  [[nodiscard]] virtual ExpressionPtr column(const Json& column_ref, int location) = 0;
  /// `call`: a FuncCall node for which is_aggregate().
  [[nodiscard]] virtual ExpressionPtr aggregate(const Json& call) = 0;
  /// An expression that stands for a column as a whole, as those of GROUP BY do after it; null: bind its parts.
  [[nodiscard]] virtual ExpressionPtr whole(const Json& /*node*/) { return nullptr; }
};

[[nodiscard]] ExpressionPtr bind_expression(const SourceText& source, const Json& node, Resolver& resolver);
/// count, sum, min, max, avg (and those that are not available yet), not in a window function.
[[nodiscard]] bool is_aggregate(const Json& node);
/// Is there an aggregate in it?
[[nodiscard]] bool has_aggregate(const Json& node);
/// The name of a function call, in lower case and without its schema; empty if the node is none.
[[nodiscard]] std::string function_name(const Json& node);
/// A string or NULL that takes its type from where it is used, as in PostgreSQL.
[[nodiscard]] bool is_untyped_literal(const Json& node);
/// An INTERVAL '…' or '…' that is a length: microseconds. `what` is for the message: "the window's size".
[[nodiscard]] std::int64_t length_us(const SourceText& source, const Json& node, const std::string& what);

}  // namespace kappa::sql
