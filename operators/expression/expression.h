// kappa/operators/expression/expression.h: vectorised scalar expressions with SQL's null logic and PostgreSQL's result
// types.
//
// An Expression is bound: its column references are indexes into a batch and its type is known. Trees are immutable and
// shared (shared_ptr) between nodes, graphs and threads.
//
// A row whose evaluation fails (1/0, a cast, an overflow) is told to Failures with its cause, once, the first failure
// from the left; its value is null. Only rows that `active` selects can fail: CASE, AND, OR and COALESCE evaluate their
// parts just for the rows that reach them, left to right.
//
// Errors:   the factories throw Error{usage} ("function lower(bigint) does not exist; lower takes text"); no position
// in it, the
//           SQL room adds line and column.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kappa/engine/batch.h"
#include "kappa/engine/schema.h"

namespace kappa {

/// One cause per failed row, in row order after sort().
class Failures {
 public:
  void add(std::int64_t row, std::string cause);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] bool contains(std::int64_t row) const;
  /// Ascending by row.
  [[nodiscard]] const std::vector<std::pair<std::int64_t, std::string>>& rows() const { return rows_; }

 private:
  std::vector<std::pair<std::int64_t, std::string>> rows_;
};

/// A set of rows of a batch as bits (bitmap_bytes(rows) of them); null means all rows.
using RowMask = const std::uint8_t*;

class Expression {
 public:
  virtual ~Expression() = default;
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool nullable() const { return nullable_; }
  /// Canonical SQL-like text with column names; equal texts over equal schemas mean equal behaviour (fingerprints use
  /// it).
  [[nodiscard]] virtual std::string text() const = 0;
  /// A column of batch.rows values; values of rows outside `active` are unspecified.
  [[nodiscard]] virtual Column evaluate(const Batch& batch, RowMask active, Failures& failures) const = 0;
  /// Set for literals and folded constants only: SQL uses it for intervals and window sizes.
  [[nodiscard]] virtual bool is_constant() const { return false; }
  /// The column's index if this is a plain column reference, else -1.
  [[nodiscard]] virtual int column_index() const { return -1; }

 protected:
  Expression(Type type, bool nullable) : type_(type), nullable_(nullable) {}

 private:
  Type type_;
  bool nullable_;
};
using ExpressionPtr = std::shared_ptr<const Expression>;

/// A literal's value: null, boolean, bigint/timestamptz (int64), double, numeric (with its Type), text/bytea, interval.
struct Value {
  Type type;
  std::variant<std::monostate, bool, std::int64_t, double, Int128, std::string, Interval> data;
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }
};

[[nodiscard]] ExpressionPtr column(const Schema& schema, int index);
[[nodiscard]] ExpressionPtr literal(Value value);
/// Operators and functions by SQL name, case-insensitive: "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=",
/// "and", "or", "not", "||", "is null", "is not null", "is distinct from", "is not distinct from", "like", "not like",
/// "between", "in", "coalesce", "nullif", "lower", "upper", "length", "substring", "trim", "round", "floor", "ceil",
/// "abs", "date_trunc", "extract", … (docs/SQL.md lists all).
[[nodiscard]] ExpressionPtr call(const std::string& name, std::vector<ExpressionPtr> arguments);
/// CASE WHEN whens[i].first THEN whens[i].second … ELSE otherwise END; `otherwise` may be null (then NULL).
[[nodiscard]] ExpressionPtr case_when(std::vector<std::pair<ExpressionPtr, ExpressionPtr>> whens,
                                      ExpressionPtr otherwise);
[[nodiscard]] ExpressionPtr cast(ExpressionPtr from, Type to);
/// The value of a constant expression (literals and operators over them); throws Error{usage} if it is not constant or
/// fails.
[[nodiscard]] Value constant_value(const Expression& expression);
/// "bigint", "int", "integer", "smallint" → bigint; "real", "float8", "double precision" → double; "varchar" → text;
/// "numeric(10,2)"; ….
[[nodiscard]] std::optional<Type> parse_type(const std::string& name, std::vector<int> modifiers = {});
/// All names that call() knows, for "did you mean" and the SQL reference's test.
[[nodiscard]] std::vector<std::string> function_names();

}  // namespace kappa
