// kappa/operators/format/json_number.h: JSON's numbers, read eight digits at a time. Inline: this is where decoding
// spends its time.
//
// `text` is readable 8 bytes past the number's end.
//
// Threads:  functions; share nothing.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace kappa {

[[nodiscard]] inline bool starts_number(char c) { return c == '-' || (c >= '0' && c <= '9'); }

namespace json_digits {

[[nodiscard]] inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Eight bytes as a word, the first one lowest.
[[nodiscard]] inline std::uint64_t load_word(const char* text) {
  static_assert(std::endian::native == std::endian::little, "digits are read as words");
  std::uint64_t word = 0;
  std::memcpy(&word, text, 8);
  return word;
}

// How many of the eight characters, from the first on, are digits.
[[nodiscard]] inline int leading_digits(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  // A digit has the high half 3, and still has it with 6 added. Bytes from 0xFA on carry into the next, but mark
  // themselves first, and only the lowest mark counts.
  const std::uint64_t marks =
      ((word & kOnes * 0xF0) ^ kOnes * 0x30) | (((word + kOnes * 6) & kOnes * 0xF0) ^ kOnes * 0x30);
  return marks == 0 ? 8 : std::countr_zero(marks) / 8;
}

[[nodiscard]] inline const char* skip_digits(const char* text) {
  for (;;) {
    const int digits = leading_digits(load_word(text));
    text += digits;
    if (digits < 8) return text;
  }
}

[[nodiscard]] inline std::uint64_t eight_digits(std::uint64_t word) {
  constexpr std::uint64_t kPairs = 0x000000FF000000FFU;
  word -= 0x3030303030303030U;
  word = word * 10 + (word >> 8);
  return ((word & kPairs) * 0x000F424000000064U + (word >> 16 & kPairs) * 0x0000271000000001U) >> 32;
}

// The number that the first 0 to 8 digits are, without a branch on how many. (A shift by 64 is not defined, two halves
// of it are.)
[[nodiscard]] inline std::uint64_t leading_number(std::uint64_t word, int digits) {
  constexpr std::uint64_t kZeros = 0x3030303030303030U;
  const int kept = 4 * digits, rest = 32 - kept;
  return eight_digits(word << rest << rest | kZeros >> kept >> kept);
}

inline constexpr std::array<std::uint64_t, 9> kPowersOfTen{1,       10,        100,        1000,       10'000,
                                                           100'000, 1'000'000, 10'000'000, 100'000'000};

}  // namespace json_digits

/// The end of the JSON number that starts here; null if its grammar is wrong. Does not look at what follows.
[[nodiscard]] inline const char* json_number_end(const char* text) {
  if (*text == '-') ++text;
  if (!json_digits::is_digit(*text)) return nullptr;
  text = *text == '0' ? text + 1 : json_digits::skip_digits(text);
  if (*text == '.') {
    if (!json_digits::is_digit(*++text)) return nullptr;
    text = json_digits::skip_digits(text);
  }
  if (*text == 'e' || *text == 'E') {
    ++text;
    if (*text == '+' || *text == '-') ++text;
    if (!json_digits::is_digit(*text)) return nullptr;
    text = json_digits::skip_digits(text);
  }
  return text;
}

/// Reads the integer that starts here, whose grammar is right; false where it is no integer, or out of range.
/// (Not as std::optional: g++ 12 returns one through memory, and the reader waits for it.)
[[nodiscard]] inline bool read_bigint(const char* text, std::int64_t& result) {
  constexpr std::uint64_t kMax = INT64_MAX;
  const bool negative = *text == '-';
  if (negative) ++text;
  std::uint64_t word = json_digits::load_word(text);
  int digits = json_digits::leading_digits(word);
  std::uint64_t value = json_digits::leading_number(word, digits);
  text += digits;
  if (digits == 8) {
    word = json_digits::load_word(text);
    digits = json_digits::leading_digits(word);
    value =
        value * json_digits::kPowersOfTen[static_cast<std::size_t>(digits)] + json_digits::leading_number(word, digits);
    text += digits;
    for (int more = 0; digits == 8 && json_digits::is_digit(*text);
         ++more, ++text) {  // 17 digits or more, no leading zeros
      const auto digit = static_cast<std::uint64_t>(*text - '0');
      if (more > 2 || value > (kMax + 1 - digit) / 10) return false;
      value = value * 10 + digit;
    }
  }
  if (*text == '.' || (*text | 0x20) == 'e' || value > kMax + (negative ? 1 : 0)) return false;
  result = static_cast<std::int64_t>(negative ? 0 - value : value);
  return true;
}

}  // namespace kappa
