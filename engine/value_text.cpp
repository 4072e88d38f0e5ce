#include "kappa/engine/value_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "kappa/engine/time_text.h"

namespace kappa {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

// The length of the longest run from `from` that JSON takes as it is: printable ASCII but for quote and backslash.
std::size_t plain_run(std::string_view text, std::size_t from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHigh = 0x8080808080808080U;
  std::size_t i = from;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    // Exact for the lowest marked byte, which is all that counts: a borrow only marks bytes above it.
    const auto zero_bytes = [](std::uint64_t w) { return (w - kOnes) & ~w & kHigh; };
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t marked =
        (word & kHigh) | control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
    if (marked != 0) return i + static_cast<std::size_t>(std::countr_zero(marked)) / 8 - from;
  }
  for (; i < text.size(); ++i) {
    const std::uint8_t c = byte_at(text, i);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
  }
  return i - from;
}

void append_escape(std::string& out, std::uint8_t c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

// Decodes one base64 digit; 64 and above: none.
constexpr std::array<std::uint8_t, 256> make_base64_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(255);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    digits[static_cast<std::uint8_t>(kBase64[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}
constexpr std::array<std::uint8_t, 256> kBase64Digits = make_base64_digits();

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  const std::uint8_t second = byte_at(text, 1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;  // overlong, surrogates
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;  // overlong, above U+10FFFF
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t run = plain_run(text, i);
    out.append(text.data() + i, run);
    i += run;
    if (i == text.size()) break;
    const std::uint8_t c = byte_at(text, i);
    if (c < 0x80) {
      append_escape(out, c);
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      out += kReplacement;
      ++i;
    } else {
      out.append(text.data() + i, length);
      i += length;
    }
  }
  out += '"';
}

void append_bigint(std::string& out, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
}

void append_numeric(std::string& out, Int128 value, int scale) {
  if (scale == 0 && value >= INT64_MIN && value <= INT64_MAX) {  // the common sum of integers
    append_bigint(out, static_cast<std::int64_t>(value));
    return;
  }
  std::array<char, 80> text{};
  std::size_t begin = text.size();
  auto rest = value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  for (int digit = 0; rest != 0 || digit <= scale; ++digit) {
    if (digit == scale && scale > 0) text[--begin] = '.';
    text[--begin] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value < 0) text[--begin] = '-';
  out.append(text.data() + begin, text.size() - begin);
}

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? byte_at(bytes, i + k) : 0U);
    const std::array<char, 4> digits{kBase64[group >> 18], kBase64[group >> 12 & 63],
                                     n > 1 ? kBase64[group >> 6 & 63] : '=', n > 2 ? kBase64[group & 63] : '='};
    out.append(digits.data(), digits.size());
  }
}

bool append_base64_decoded(std::string& out, std::string_view text) {
  if (text.size() % 4 != 0) return false;
  const std::size_t before = out.size();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t digits = text.size() - padding;
  std::uint32_t bits = 0;
  int bit_count = 0;
  bool valid = true;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t digit = kBase64Digits[byte_at(text, i)];
    valid &= digit < 64;
    bits = bits << 6 | (digit & 63U);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out += static_cast<char>(bits >> bit_count & 0xFFU);
    }
  }
  valid &= (bits & ((1U << bit_count) - 1)) == 0;
  if (!valid) out.resize(before);
  return valid;
}

void append_text(std::string& out, const Column& column, std::int64_t row) {
  if (column.is_null(row)) return;
  switch (column.type().kind) {
    case TypeKind::boolean: out += column.bit(row) ? "true" : "false"; return;
    case TypeKind::bigint: append_bigint(out, column.i64()[row]); return;
    case TypeKind::float64: append_double(out, column.f64()[row]); return;
    case TypeKind::numeric: append_numeric(out, column.i128()[row], column.type().scale); return;
    case TypeKind::text: out += column.bytes(row); return;
    case TypeKind::bytea: append_base64(out, column.bytes(row)); return;
    case TypeKind::timestamptz: append_timestamp(out, column.i64()[row]); return;
    case TypeKind::interval: append_interval(out, column.intervals()[row]); return;
  }
}

void append_json(std::string& out, const Column& column, std::int64_t row) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type().kind) {
    case TypeKind::text: append_json_string(out, column.bytes(row)); return;
    case TypeKind::bytea:
    case TypeKind::timestamptz:
    case TypeKind::interval: break;
    case TypeKind::float64:
      if (!std::isfinite(column.f64()[row])) break;
      [[fallthrough]];
    default: append_text(out, column, row); return;
  }
  out += '"';
  append_text(out, column, row);
  out += '"';
}

void append_json_row(std::string& out, const Schema& schema, const Batch& batch, std::int64_t row) {
  KAPPA_CHECK(static_cast<std::size_t>(schema.size()) == batch.columns.size(), "a batch has its schema's columns");
  out += '{';
  for (int i = 0; i < schema.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, schema[i].name);
    out += ':';
    append_json(out, batch.columns[static_cast<std::size_t>(i)], row);
  }
  out += '}';
}

bool append_key(std::string& out, std::span<const Column* const> key_columns, std::int64_t row, bool as_array) {
  if (key_columns.empty()) return false;
  if (key_columns.size() == 1 && !as_array) {
    if (key_columns.front()->is_null(row)) return false;
    append_text(out, *key_columns.front(), row);
    return true;
  }
  out += '[';
  for (const Column* column : key_columns) {
    if (column != key_columns.front()) out += ',';
    append_json(out, *column, row);
  }
  out += ']';
  return true;
}

}  // namespace kappa
