#include "kappa/operators/expression/numeric.h"
#include "kappa/engine/value_text.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "kappa/operators/expression/value_parse.h"

namespace kappa {

namespace {
struct Wide {
  UInt128 high = 0, low = 0;
};

Wide multiply_wide(UInt128 a, UInt128 b) {
  constexpr UInt128 kMask = ~std::uint64_t{0};
  const UInt128 a0 = a & kMask, a1 = a >> 64, b0 = b & kMask, b1 = b >> 64;
  const UInt128 low = a0 * b0, cross1 = a1 * b0, cross2 = a0 * b1;
  const UInt128 middle = (low >> 64) + (cross1 & kMask) + (cross2 & kMask);
  return {a1 * b1 + (cross1 >> 64) + (cross2 >> 64) + (middle >> 64), (middle << 64) | (low & kMask)};
}

// Quotient rounded half up; false where it needs more than 128 bits. One bit at a time: only for wide products.
bool divide_wide(Wide n, UInt128 divisor, UInt128& out) {
  if (n.high >= divisor) return false;
  UInt128 remainder = n.high, quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    const bool carry = (remainder >> 127) != 0;
    remainder = (remainder << 1) | ((n.low >> bit) & 1);
    quotient <<= 1;
    if (carry || remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  out = quotient + (remainder >= divisor - remainder ? 1 : 0);
  return true;
}

bool divide_rounded(Wide n, UInt128 divisor, UInt128& out) {
  if (n.high != 0) return divide_wide(n, divisor, out);
  const UInt128 remainder = n.low % divisor;
  out = n.low / divisor + (remainder >= divisor - remainder ? 1 : 0);
  return true;
}

bool with_sign(UInt128 value, bool negative, Int128& out) {
  if (value >= kNumericLimit) return false;
  out = negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
  return true;
}
}  // namespace

bool numeric_multiply(Int128 a, Int128 b, int cut, Int128& out) {
  UInt128 value = 0;
  const Wide product = multiply_wide(magnitude(a), magnitude(b));
  return divide_rounded(product, static_cast<UInt128>(power_of_ten(cut)), value) &&
         with_sign(value, (a < 0) != (b < 0), out);
}

bool numeric_divide(Int128 a, Int128 b, int shift, Int128& out) {
  UInt128 value = 0;
  const Wide shifted = multiply_wide(magnitude(a), static_cast<UInt128>(power_of_ten(shift)));
  return divide_rounded(shifted, magnitude(b), value) && with_sign(value, (a < 0) != (b < 0), out);
}

bool numeric_rescale(Int128 value, int from_scale, int to_scale, Int128& out) {
  if (to_scale >= from_scale)
    return !__builtin_mul_overflow(value, power_of_ten(to_scale - from_scale), &out) && magnitude(out) < kNumericLimit;
  return numeric_divide(value, power_of_ten(from_scale - to_scale), 0, out);
}

int numeric_compare(Int128 a, int scale_a, Int128 b, int scale_b) {
  if (scale_a < scale_b) return -numeric_compare(b, scale_b, a, scale_a);
  Int128 scaled = 0;
  // A b that leaves 128 bits when scaled is greater than every a, or smaller.
  if (__builtin_mul_overflow(b, power_of_ten(scale_a - scale_b), &scaled)) return b < 0 ? 1 : -1;
  return a < scaled ? -1 : a > scaled ? 1 : 0;
}

double numeric_to_double(Int128 value, int scale) {
  // Through the decimal text: correctly rounded, where a division of two roundings would not be. The two short cuts
  // are exact: integers, and quotients of two exactly representable numbers.
  if (scale == 0) return static_cast<double>(value);
  if (magnitude(value) < (UInt128{1} << 53) && scale <= 22)
    return static_cast<double>(value) / static_cast<double>(power_of_ten(scale));
  std::string text;
  append_numeric(text, value, scale);
  return parse_double(text).value_or(0);
}

bool numeric_from_double(double value, int scale, Int128& out) {
  if (!(std::fabs(value) < 1e38)) return false;
  char text[40];
  const char* end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const auto decimal = parse_decimal(std::string_view(text, static_cast<std::size_t>(end - text)), scale);
  return decimal && numeric_rescale(decimal->value, decimal->scale, scale, out);
}

bool numeric_to_bigint(Int128 value, int scale, std::int64_t& out) {
  Int128 whole = 0;
  if (!numeric_rescale(value, scale, 0, whole)) return false;
  out = static_cast<std::int64_t>(whole);
  return out == whole;
}

}  // namespace kappa
