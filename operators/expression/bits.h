// kappa/operators/expression/bits.h: bitmaps as 64-bit words (internal to this directory). Little endian; the bits
// behind the last row are unspecified.
//
// Threads:  pure functions.
#pragma once

#include <bit>
#include <cstring>
#include <vector>

#include "kappa/operators/expression/expression.h"

namespace kappa::expression {

using Words = std::vector<std::uint64_t>;

inline std::size_t word_count(std::int64_t rows) { return static_cast<std::size_t>((rows + 63) / 64); }
inline std::uint64_t word_at(const std::uint8_t* bits, std::size_t w) {
  std::uint64_t word = 0;
  std::memcpy(&word, bits + w * 8, 8);
  return word;
}
/// All ones where the bitmap is absent.
inline std::uint64_t word_or_ones(const std::uint8_t* bits, std::size_t w) { return bits ? word_at(bits, w) : ~0ULL; }
/// The bits of rows that exist in word `w`.
inline std::uint64_t row_bits(std::int64_t rows, std::size_t w) {
  const std::int64_t left = rows - static_cast<std::int64_t>(w) * 64;
  return left >= 64 ? ~0ULL : (1ULL << left) - 1;
}
inline RowMask as_mask(const Words& words) { return reinterpret_cast<RowMask>(words.data()); }
[[nodiscard]] Words words_of(RowMask mask, std::int64_t rows);
[[nodiscard]] bool any_bit(const Words& words, std::int64_t rows);

template <class F>
void for_each_bit(std::uint64_t word, std::size_t w, F f) {
  for (; word != 0; word &= word - 1) f(static_cast<std::int64_t>(w) * 64 + std::countr_zero(word));
}

/// A boolean value per row as bits.
template <class F>
Buffer pack(std::int64_t rows, F f) {
  Buffer buffer = Buffer::allocate(bitmap_bytes(rows));
  auto* words = buffer.as_mutable<std::uint64_t>();
  for (std::size_t w = 0; w < word_count(rows); ++w) {
    const std::int64_t first = static_cast<std::int64_t>(w) * 64;
    const std::int64_t n = rows - first < 64 ? rows - first : 64;
    std::uint64_t word = 0;
    for (std::int64_t j = 0; j < n; ++j) word |= static_cast<std::uint64_t>(f(first + j)) << j;
    words[w] = word;
  }
  return buffer;
}

/// Calls f(w) for each word of a new bitmap.
template <class F>
Buffer pack_words(std::int64_t rows, F f) {
  Buffer buffer = Buffer::allocate(bitmap_bytes(rows));
  auto* words = buffer.as_mutable<std::uint64_t>();
  for (std::size_t w = 0; w < word_count(rows); ++w) words[w] = f(w);
  return buffer;
}

}  // namespace kappa::expression
