// kappa/operators/expression/comparison.h: comparisons as kernels (internal to this directory).
#pragma once

#include "kappa/operators/expression/nodes.h"

namespace kappa::expression {

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

/// Compares two arguments of one kind; numerics may differ in scale.
[[nodiscard]] Kernel comparison_kernel(Comparison op);

/// PostgreSQL's rule: a month counts as 30 days, a day as 24 hours.
[[nodiscard]] Int128 interval_total(const Interval& v);

/// An untyped literal as the number it spells: bigint, else numeric with the digits written, else double. NULL stays.
[[nodiscard]] ExpressionPtr as_number_literal(const ExpressionPtr& literal);

}  // namespace kappa::expression
