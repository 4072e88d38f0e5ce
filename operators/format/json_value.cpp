#include "kappa/operators/format/json_value.h"

#include <algorithm>
#include <charconv>

#include "kappa/operators/format/json_number.h"

namespace kappa {

namespace {

using json_digits::is_digit;

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of the \uXXXX that starts at `i`; none if it is not one.
std::optional<std::uint32_t> code_unit(std::string_view content, std::size_t i) {
  if (i + 6 > content.size() || content[i] != '\\' || content[i + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  for (std::size_t k = i + 2; k < i + 6; ++k) {
    const int digit = hex_digit(content[k]);
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return unit;
}

bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

struct Escape {
  std::uint32_t code_point = 0;
  std::size_t length = 0;
};

// The escape that starts at `i`, where a backslash stands.
std::optional<Escape> escape_at(std::string_view content, std::size_t i) {
  if (i + 2 > content.size()) return std::nullopt;
  switch (content[i + 1]) {
    case '"':
    case '\\':
    case '/': return Escape{static_cast<std::uint8_t>(content[i + 1]), 2};
    case 'b': return Escape{'\b', 2};
    case 'f': return Escape{'\f', 2};
    case 'n': return Escape{'\n', 2};
    case 'r': return Escape{'\r', 2};
    case 't': return Escape{'\t', 2};
    case 'u': break;
    default: return std::nullopt;
  }
  const auto unit = code_unit(content, i);
  if (!unit || is_low_surrogate(*unit)) return std::nullopt;
  if (!is_high_surrogate(*unit)) return Escape{*unit, 6};
  const auto low = code_unit(content, i + 6);
  if (!low || !is_low_surrogate(*low)) return std::nullopt;
  return Escape{0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), 12};
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12), tail(6), tail(0);
  }
}

// A number's significant digits and where its decimal point stands.
struct DecimalText {
  const char* digits = nullptr;  // the first one that is not zero; a point may stand among them
  std::int64_t count = 0;        // of digits from there on
  std::int64_t point = 0;        // value = 0.d1d2d3… · 10^point
  bool negative = false;
};

std::int64_t saturated_exponent(const char* text) {
  constexpr std::int64_t kFar = 1'000'000'000'000;  // beyond any record's digits
  const bool negative = *text == '-';
  if (*text == '-' || *text == '+') ++text;
  std::int64_t exponent = 0;
  for (; is_digit(*text); ++text) exponent = std::min(kFar, exponent * 10 + (*text - '0'));
  return negative ? -exponent : exponent;
}

DecimalText decimal_of(const char* text) {
  DecimalText d;
  d.negative = *text == '-';
  if (d.negative) ++text;
  std::int64_t before_point = 0, zeros_behind_point = 0;
  bool behind_point = false;
  for (;; ++text) {
    if (*text == '.') {
      behind_point = true;
      continue;
    }
    if (!is_digit(*text)) break;
    if (d.digits == nullptr && *text == '0') {
      if (behind_point) ++zeros_behind_point;
      continue;
    }
    if (d.digits == nullptr) d.digits = text;
    ++d.count;
    if (!behind_point) ++before_point;
  }
  d.point = before_point > 0 ? before_point : -zeros_behind_point;
  if (*text == 'e' || *text == 'E') d.point += saturated_exponent(text + 1);
  return d;
}

}  // namespace

std::string_view json_string(const char* text) {
  const char* end = text + 1;
  for (; *end != '"'; ++end) {
    if (*end == '\\') ++end;
  }
  return {text + 1, static_cast<std::size_t>(end - text - 1)};
}

bool valid_escapes(std::string_view content) {
  for (std::size_t i = content.find('\\'); i != std::string_view::npos; i = content.find('\\', i)) {
    const auto escape = escape_at(content, i);
    if (!escape) return false;
    i += escape->length;
  }
  return true;
}

void append_unescaped(std::string& out, std::string_view content) {
  for (std::size_t i = 0; i < content.size();) {
    const std::size_t backslash = std::min(content.find('\\', i), content.size());
    out.append(content, i, backslash - i);
    i = backslash;
    if (i == content.size()) return;
    const auto escape = escape_at(content, i);
    if (!escape) return;
    append_utf8(out, escape->code_point);
    i += escape->length;
  }
}

std::optional<double> json_double(const char* text) {
  double value = 0;
  const auto result = std::from_chars(text, json_number_end(text), value);
  if (result.ec == std::errc()) return value;
  if (result.ec != std::errc::result_out_of_range) return std::nullopt;
  // Too small is zero, as rounding says; too large is nothing.
  const DecimalText decimal = decimal_of(text);
  if (decimal.point > 0) return std::nullopt;
  return decimal.negative ? -0.0 : 0.0;
}

std::optional<Int128> json_numeric(const char* text, int precision, int scale) {
  const DecimalText d = decimal_of(text);
  const std::int64_t kept = d.point + scale;  // digits before the place where it is rounded
  if (d.count == 0 || kept < 0) return Int128{0};
  if (kept > precision) return std::nullopt;
  UInt128 value = 0, limit = 1;
  const char* digit = d.digits;
  for (std::int64_t k = 0; k < kept; ++k) {
    value *= 10;
    if (k >= d.count) continue;
    if (*digit == '.') ++digit;
    value += static_cast<UInt128>(*digit++ - '0');
  }
  if (kept < d.count) {
    if (*digit == '.') ++digit;
    if (*digit >= '5') ++value;
  }
  for (int k = 0; k < precision; ++k) limit *= 10;
  if (value >= limit) return std::nullopt;
  return d.negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t size = bytes_max;
  while (size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string describe_json(const char* text, const char* end) {
  constexpr std::size_t kShownMax = 80;
  if (*text == '{') return "an object";
  if (*text == '[') return "an array";
  std::string_view shown;
  if (*text == '"') {
    shown = {text, json_string(text).size() + 2};
  } else {
    const char* stop = text;
    while (stop < end && std::string_view(",]} \t\r\n").find(*stop) == std::string_view::npos) ++stop;
    shown = {text, static_cast<std::size_t>(stop - text)};
  }
  const std::string_view prefix = utf8_prefix(shown, kShownMax);
  return std::string(prefix) + (prefix.size() < shown.size() ? "…" : "");
}

}  // namespace kappa
