#include <algorithm>
#include <cmath>
#include <limits>

#include "kappa/operators/expression/arithmetic.h"
#include "kappa/operators/expression/numeric.h"

namespace kappa::expression {

namespace {

constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();

Fault range_fault(bool overflow) { return overflow ? Fault::bigint_range : Fault::none; }

Fault add64(std::int64_t& out, std::int64_t a, std::int64_t b) {
  return range_fault(__builtin_add_overflow(a, b, &out));
}
Fault subtract64(std::int64_t& out, std::int64_t a, std::int64_t b) {
  return range_fault(__builtin_sub_overflow(a, b, &out));
}
Fault multiply64(std::int64_t& out, std::int64_t a, std::int64_t b) {
  return range_fault(__builtin_mul_overflow(a, b, &out));
}
Fault divide64(std::int64_t& out, std::int64_t a, std::int64_t b) {
  const bool zero = b == 0;
  const bool overflow = (a == kMin64) & (b == -1);
  out = a / (zero | overflow ? 1 : b);
  return zero ? Fault::division_by_zero : range_fault(overflow);
}
Fault modulo64(std::int64_t& out, std::int64_t a, std::int64_t b) {
  const bool zero = b == 0;
  out = a % (zero | (b == -1) ? 1 : b);
  return zero ? Fault::division_by_zero : Fault::none;
}

// An infinite result of finite arguments is an overflow.
Fault double_fault(double out, double a, double b) {
  return std::isinf(out) && std::isfinite(a) && std::isfinite(b) ? Fault::double_range : Fault::none;
}
Fault divide_doubles(double& out, double a, double b) {
  out = a / b;
  return b == 0 && a == a ? Fault::division_by_zero : double_fault(out, a, b);
}

template <Fault (*f)(std::int64_t&, std::int64_t, std::int64_t)>
Column bigints(const Frame& frame) {
  return checked<std::int64_t, std::int64_t, std::int64_t>(
      frame, [](std::int64_t& out, std::int64_t a, std::int64_t b) { return f(out, a, b); });
}

template <class F>
Column doubles(const Frame& frame, F f) {
  return checked<double, double, double>(frame, [f](double& out, double a, double b) {
    out = f(a, b);
    return double_fault(out, a, b);
  });
}

template <class F>
Column numerics(const Frame& frame, F f) {
  return checked<Int128, Int128, Int128>(frame, f);
}

// + and -: both at the greater scale.
Kernel sum_kernel(bool minus, int up_a, int up_b) {
  if (up_a == 0 && up_b == 0 && !minus)
    return [](const Frame& frame) {
      return numerics(frame, [](Int128& out, Int128 a, Int128 b) { return numeric_fault(numeric_add(a, b, out)); });
    };
  return [=](const Frame& frame) {
    return numerics(frame, [=](Int128& out, Int128 a, Int128 b) {
      Int128 x = 0, y = 0;
      out = 0;
      if (!numeric_rescale(a, 0, up_a, x) || !numeric_rescale(b, 0, up_b, y)) return Fault::numeric_range;
      return numeric_fault(minus ? numeric_subtract(x, y, out) : numeric_add(x, y, out));
    });
  };
}

Kernel product_kernel(int cut) {
  return [cut](const Frame& frame) {
    return numerics(frame, [cut](Int128& out, Int128 a, Int128 b) {
      if (cut == 0 && !__builtin_mul_overflow(a, b, &out)) return numeric_fault(magnitude(out) < kNumericLimit);
      return numeric_fault(numeric_multiply(a, b, cut, out));
    });
  };
}

Kernel quotient_kernel(int shift) {
  return [shift](const Frame& frame) {
    return numerics(frame, [shift](Int128& out, Int128 a, Int128 b) {
      out = 0;
      return b == 0 ? Fault::division_by_zero : numeric_fault(numeric_divide(a, b, shift, out));
    });
  };
}

Kernel remainder_kernel(int up_a, int up_b) {
  return [=](const Frame& frame) {
    return numerics(frame, [=](Int128& out, Int128 a, Int128 b) {
      Int128 x = 0, y = 0;
      out = 0;
      if (b == 0) return Fault::division_by_zero;
      if (!numeric_rescale(a, 0, up_a, x) || !numeric_rescale(b, 0, up_b, y)) return Fault::numeric_range;
      out = y == -1 ? 0 : x % y;
      return Fault::none;
    });
  };
}

int quotient_scale(Type a, Type b) {
  const int wanted = std::max({static_cast<int>(a.scale), static_cast<int>(b.scale), 6});
  return std::min(wanted, 38 - b.scale + a.scale);
}

}  // namespace

Kernel bigint_kernel(char op) {
  switch (op) {
    case '+': return bigints<add64>;
    case '-': return bigints<subtract64>;
    case '*': return bigints<multiply64>;
    case '/': return bigints<divide64>;
    default: return bigints<modulo64>;
  }
}

Kernel double_kernel(char op) {
  switch (op) {
    case '+': return [](const Frame& f) { return doubles(f, [](double a, double b) { return a + b; }); };
    case '-': return [](const Frame& f) { return doubles(f, [](double a, double b) { return a - b; }); };
    case '*': return [](const Frame& f) { return doubles(f, [](double a, double b) { return a * b; }); };
    default: return [](const Frame& f) { return checked<double, double, double>(f, divide_doubles); };
  }
}

Type numeric_type(char op, Type a, Type b) {
  const int digits_a = a.precision - a.scale, digits_b = b.precision - b.scale;
  int scale = std::max(a.scale, b.scale);
  int precision = std::max(digits_a, digits_b) + scale;
  if (op == '+' || op == '-') ++precision;
  if (op == '*') {
    scale = std::min(a.scale + b.scale, 38);
    precision = a.precision + b.precision;
  }
  if (op == '/') {
    scale = quotient_scale(a, b);
    precision = digits_a + b.scale + scale;
  }
  precision = std::clamp(precision, std::max(scale, 1), 38);
  return Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
}

Kernel numeric_kernel(char op, Type a, Type b) {
  const int scale = std::max(a.scale, b.scale);
  switch (op) {
    case '+':
    case '-': return sum_kernel(op == '-', scale - a.scale, scale - b.scale);
    case '*': return product_kernel(std::max(0, a.scale + b.scale - 38));
    case '/': return quotient_kernel(quotient_scale(a, b) + b.scale - a.scale);
    default: return remainder_kernel(scale - a.scale, scale - b.scale);
  }
}

}  // namespace kappa::expression
