// kappa/operators/row_operators.h: the operators that look at one row at a time: filter and project.
//
// Threads:  each belongs to one task; expressions are immutable and shared.
#pragma once

#include <memory>
#include <vector>

#include "kappa/engine/operator.h"
#include "kappa/operators/expression/expression.h"

namespace kappa {

/// Passes on the rows for which `predicate` is true. `schema`: of the input, for dead letters.
[[nodiscard]] std::unique_ptr<Operator> make_filter(const Schema& schema, ExpressionPtr predicate);

/// Replaces the columns by the values of `columns`.
[[nodiscard]] std::unique_ptr<Operator> make_project(const Schema& schema, std::vector<ExpressionPtr> columns);

}  // namespace kappa
