// kappa/operators/expression/nodes.h: the node classes behind ExpressionPtr (internal to this directory).
//
// Threads:  immutable after construction, except a literal's cached column, which is made once under a once_flag.
#pragma once

#include <functional>
#include <mutex>

#include "kappa/operators/expression/kernel.h"

namespace kappa::expression {

class Literal final : public Expression {
 public:
  explicit Literal(Value value);
  [[nodiscard]] std::string text() const override;
  [[nodiscard]] Column evaluate(const Batch& batch, RowMask active, Failures& failures) const override;
  [[nodiscard]] bool is_constant() const override { return true; }
  [[nodiscard]] const Value& value() const { return value_; }
  /// One row.
  [[nodiscard]] const Column& single() const { return single_; }

 private:
  Value value_;
  Column single_;
  mutable std::once_flag once_;
  mutable Column full_;  // kBatchRows rows; fixed-width only
};

/// The literal itself, or null if `expression` is none.
[[nodiscard]] const Literal* as_literal(const ExpressionPtr& expression);
/// A text literal or NULL: takes the type that its place asks for, as PostgreSQL's unknown does.
[[nodiscard]] bool is_untyped(const ExpressionPtr& expression);
[[nodiscard]] bool is_null_literal(const ExpressionPtr& expression);

using Kernel = std::function<Column(const Frame&)>;
/// unit_first: the second argument is written first, as in date_trunc(unit, instant).
enum class Style : std::uint8_t { function, infix, prefix, postfix, cast, unit_first };

/// A function of its evaluated arguments. Strict: null where any argument is null.
struct CallSpec {
  std::string name;
  Style style = Style::function;
  Type type;
  bool strict = true;
  bool nullable = false;  // of one that is not strict
  Kernel kernel;
  /// Arguments that the kernel wants; the rest are constants that it already holds.
  std::size_t evaluated = ~std::size_t{0};
};
[[nodiscard]] ExpressionPtr make_call(CallSpec spec, std::vector<ExpressionPtr> arguments);

/// A constant that evaluates without failure becomes a literal; anything else is returned as it is.
[[nodiscard]] ExpressionPtr fold(ExpressionPtr expression);
[[nodiscard]] bool all_constant(const std::vector<ExpressionPtr>& expressions);

/// "a" or "\"odd name\"".
[[nodiscard]] std::string quoted_name(const std::string& name);
/// "'it''s'".
[[nodiscard]] std::string quoted_text(std::string_view text);
/// A value of a text for a message: cut after 60 bytes at a character, control characters shown as '?'.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace kappa::expression
