// kappa/operators/expression/arithmetic.h: kernels of + - * / % and their numeric result types (internal to this
// directory).
#pragma once

#include "kappa/operators/expression/nodes.h"

namespace kappa::expression {

/// The kernel of '+', '-', '*', '/' or '%' over two bigints, or two doubles (no '%').
[[nodiscard]] Kernel bigint_kernel(char op);
[[nodiscard]] Kernel double_kernel(char op);
/// Of two numerics: the result's type, and the kernel for these scales.
[[nodiscard]] Type numeric_type(char op, Type a, Type b);
[[nodiscard]] Kernel numeric_kernel(char op, Type a, Type b);

}  // namespace kappa::expression
