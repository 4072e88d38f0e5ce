// kappa/operators/expression/numeric.h: checked arithmetic on Int128 counts of 10^-scale, |value| < 10^38.
//
// Every operation gives false where the exact result, rounded half away from zero, does not fit; intermediate products
// are 256 bits wide. Any bits are legal input, also such that are no legal numeric: null rows are computed too.
//
// Threads:  pure functions.
#pragma once

#include <array>

#include "kappa/engine/types.h"

namespace kappa {

namespace detail {
constexpr std::array<Int128, 39> powers_of_ten() {
  std::array<Int128, 39> powers{};
  Int128 power = 1;
  for (Int128& p : powers) {
    p = power;
    if (&p != &powers.back()) power *= 10;
  }
  return powers;
}
inline constexpr std::array<Int128, 39> kPowersOfTen = powers_of_ten();
}  // namespace detail

/// Requires: 0 <= exponent <= 38.
[[nodiscard]] constexpr Int128 power_of_ten(int exponent) {
  return detail::kPowersOfTen[static_cast<std::size_t>(exponent)];
}
inline constexpr UInt128 kNumericLimit = static_cast<UInt128>(detail::kPowersOfTen[38]);

[[nodiscard]] constexpr UInt128 magnitude(Int128 v) {
  return v < 0 ? -static_cast<UInt128>(v) : static_cast<UInt128>(v);
}
[[nodiscard]] constexpr bool fits_precision(Int128 v, int precision) {
  return magnitude(v) < static_cast<UInt128>(power_of_ten(precision));
}

inline bool numeric_add(Int128 a, Int128 b, Int128& out) {
  return !__builtin_add_overflow(a, b, &out) && magnitude(out) < kNumericLimit;
}
inline bool numeric_subtract(Int128 a, Int128 b, Int128& out) {
  return !__builtin_sub_overflow(a, b, &out) && magnitude(out) < kNumericLimit;
}
/// a * b / 10^cut.
bool numeric_multiply(Int128 a, Int128 b, int cut, Int128& out);
/// a * 10^shift / b. Requires: b != 0, 0 <= shift <= 38.
bool numeric_divide(Int128 a, Int128 b, int shift, Int128& out);
/// Changes the scale: more digits, or fewer with rounding.
bool numeric_rescale(Int128 value, int from_scale, int to_scale, Int128& out);
/// -1, 0, 1.
int numeric_compare(Int128 a, int scale_a, Int128 b, int scale_b);
[[nodiscard]] double numeric_to_double(Int128 value, int scale);
bool numeric_from_double(double value, int scale, Int128& out);
/// Rounded half away from zero.
bool numeric_to_bigint(Int128 value, int scale, std::int64_t& out);

}  // namespace kappa
