// kappa/engine/log/varint.h: Kafka's variable-length integers (base 128, zigzag) and big-endian fields.
//
// The readers check no end: they may look up to 10 bytes beyond `p`, which the decoder's 64 readable bytes past the end
// allow, and the caller compares the returned pointer with its own end. A null pointer means: too long to be one.
//
// Threads:  functions; share nothing.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace kappa::detail {

inline const char* read_unsigned(const char* p, std::uint64_t& out) {
  auto byte = static_cast<std::uint8_t>(*p++);
  std::uint64_t value = byte & 0x7fu;
  for (unsigned shift = 7; (byte & 0x80u) != 0; shift += 7) {
    if (shift > 63) return nullptr;
    byte = static_cast<std::uint8_t>(*p++);
    value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
  }
  out = value;
  return p;
}

inline const char* read_varlong(const char* p, std::int64_t& out) {
  std::uint64_t raw = 0;
  p = read_unsigned(p, raw);
  out = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  return p;
}

/// As read_varlong, for fields of 32 bits; one and two bytes, nearly all lengths, take the short way.
inline const char* read_varint(const char* p, std::int64_t& out) {
  const auto first = static_cast<std::uint8_t>(p[0]);
  const auto second = static_cast<std::uint8_t>(p[1]);
  std::uint64_t raw = first;
  if (first < 0x80) {
    p += 1;
  } else if (second < 0x80) {
    raw = (first & 0x7fu) | static_cast<std::uint64_t>(second) << 7;
    p += 2;
  } else {
    p = read_unsigned(p, raw);
    if (p == nullptr || raw > 0xffff'ffffu) return nullptr;
  }
  out = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  return p;
}

inline void append_unsigned(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80u));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline void append_varint(std::string& out, std::int64_t value) { append_unsigned(out, zigzag(value)); }

/// Bytes that append_varint would add.
inline std::int64_t varint_size(std::int64_t value) { return (std::bit_width(zigzag(value) | 1u) + 6) / 7; }

template <typename T>
T load_big_endian(const char* p) {
  std::make_unsigned_t<T> value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<std::make_unsigned_t<T>>((static_cast<std::uint64_t>(value) << 8) |
                                                 static_cast<std::uint8_t>(p[i]));
  }
  return static_cast<T>(value);
}

template <typename T>
void store_big_endian(char* p, T value) {
  const auto raw = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    p[i] = static_cast<char>((static_cast<std::uint64_t>(raw) >> (8 * (sizeof(T) - 1 - i))) & 0xffu);
  }
}

}  // namespace kappa::detail
