#include "kappa/operators/expression/value_parse.h"

#include <charconv>
#include <cmath>

#include "kappa/operators/expression/numeric.h"

namespace kappa {

namespace {
bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_sql_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i]) != lower[i]) return false;
  return true;
}

// Digits of a decimal as they are read: value * 10^exponent; `rest` is the first digit that did not fit.
struct Digits {
  UInt128 value = 0;
  int count = 0;  // significant
  int exponent = 0;
  int rest = 0;
  bool cut = false, any = false;
};

void take_digit(Digits& digits, int digit, bool behind_point) {
  digits.any = true;
  if (digits.cut || digits.count == 38) {
    if (!digits.cut) digits.rest = digit;
    digits.cut = true;
    if (!behind_point) ++digits.exponent;
    return;
  }
  if (digits.value != 0 || digit != 0) ++digits.count;
  digits.value = digits.value * 10 + static_cast<unsigned>(digit);
  if (behind_point) --digits.exponent;
}

// The exponent behind 'e', clamped; false where it is none.
bool take_exponent(std::string_view text, int& exponent) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return false;
  int value = 0;
  for (const char c : text) {
    if (!is_ascii_digit(c)) return false;
    if (value < 100'000) value = value * 10 + (c - '0');
  }
  exponent += negative ? -value : value;
  return true;
}

bool read_digits(std::string_view text, Digits& digits) {
  std::size_t at = 0;
  for (; at < text.size() && is_ascii_digit(text[at]); ++at) take_digit(digits, text[at] - '0', false);
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && is_ascii_digit(text[at]); ++at) take_digit(digits, text[at] - '0', true);
  if (!digits.any) return false;
  if (at == text.size()) return true;
  return (text[at] == 'e' || text[at] == 'E') && take_exponent(text.substr(at + 1), digits.exponent);
}

// Brings value * 10^exponent to an integer count of 10^-scale.
bool scale_digits(Digits& digits, int scale) {
  int shift = digits.exponent + scale;
  if (digits.cut && shift > 0) return false;  // digits that count were lost
  if (digits.value == 0) return true;
  if (shift > 38) return false;
  for (; shift > 0; --shift) {
    if (digits.value >= kNumericLimit / 10) return false;
    digits.value *= 10;
  }
  if (shift == 0) {
    digits.value += digits.rest >= 5 ? 1 : 0;
  } else if (shift < -38) {
    digits.value = 0;
  } else {
    const auto power = static_cast<UInt128>(power_of_ten(-shift));
    const UInt128 half = power / 2;
    digits.value = digits.value / power + (digits.value % power >= half ? 1 : 0);
  }
  return digits.value < kNumericLimit;
}
}  // namespace

void append_postgres_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  char text[40];
  const auto scientific = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  int exponent = 0;
  const char* e = scientific.ptr;
  while (e[-1] != 'e') --e;
  std::from_chars(*e == '+' ? e + 1 : e, scientific.ptr, exponent);
  char* end = scientific.ptr;
  if (exponent >= -4 && exponent < 15)
    end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  out.append(text, end);
}

std::optional<Decimal> parse_decimal(std::string_view text, int scale_max) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  Digits digits;
  if (!read_digits(text, digits)) return std::nullopt;
  Decimal result;
  result.scale = digits.exponent < 0 ? -digits.exponent : 0;
  if (scale_max >= 0 && (digits.cut || result.scale > scale_max)) result.scale = scale_max;
  if (scale_max < 0 && digits.cut) return std::nullopt;
  if (result.scale > 38 || !scale_digits(digits, result.scale)) return std::nullopt;
  result.value = negative ? -static_cast<Int128>(digits.value) : static_cast<Int128>(digits.value);
  while (result.precision < 38 && digits.value >= static_cast<UInt128>(power_of_ten(result.precision)))
    ++result.precision;
  if (result.precision < result.scale) result.precision = result.scale;
  return result;
}

std::optional<std::int64_t> parse_bigint(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view word = negative ? text.substr(1) : text;
  const double sign = negative ? -1.0 : 1.0;
  if (same_word(word, "infinity") || same_word(word, "inf")) return sign * HUGE_VAL;
  if (same_word(text, "nan")) return std::nan("");
  if (word.empty() || !(is_ascii_digit(word[0]) || word[0] == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view word : {"true", "t", "yes", "y", "on", "1"})
    if (same_word(text, word)) return true;
  for (const std::string_view word : {"false", "f", "no", "n", "off", "0"})
    if (same_word(text, word)) return false;
  return std::nullopt;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_sql_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_sql_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace kappa
