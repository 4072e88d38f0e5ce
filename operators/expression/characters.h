// kappa/operators/expression/characters.h: characters of UTF-8 text (internal to this directory).
//
// A character begins at the first byte and at each byte that does not continue one, so invalid UTF-8 has characters too
// and none is ever split or lost.
//
// Threads:  pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace kappa::expression {

inline bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

inline std::int64_t count_characters(std::string_view text) {
  std::int64_t count = !text.empty() && continues(text[0]) ? 1 : 0;
  for (const char c : text) count += continues(c) ? 0 : 1;
  return count;
}

/// Where the character behind the one at `at` begins. Requires: at < text.size().
inline std::size_t next_character(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && continues(text[at]); ++at) {
  }
  return at;
}

/// Where the character before `at` begins. Requires: at > 0.
inline std::size_t previous_character(std::string_view text, std::size_t at) {
  for (--at; at > 0 && continues(text[at]); --at) {
  }
  return at;
}

/// Where character `count` (from 0) begins, or the text's end.
inline std::size_t character_offset(std::string_view text, std::int64_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at = next_character(text, at);
  return at;
}

/// Where the last `count` characters begin, or the text's beginning.
inline std::size_t offset_from_end(std::string_view text, std::int64_t count) {
  std::size_t at = text.size();
  for (; count > 0 && at > 0; --count) at = previous_character(text, at);
  return at;
}

inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

/// Text that repeat, lpad, rpad, replace make from little: no value gets longer.
inline constexpr std::size_t kMadeTextMax = std::size_t{1} << 20;
inline constexpr std::string_view kMadeTextCause = "the text would be longer than 1 MiB";

}  // namespace kappa::expression
