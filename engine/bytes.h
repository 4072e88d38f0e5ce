// kappa/engine/bytes.h: appending and reading the primitives of kappa's own byte formats (docs/FORMAT.md).
//
// Errors:   a ByteReader that runs out of bytes, or meets an overlong varint, throws Error{failed} with `what`.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "kappa/engine/error.h"

namespace kappa {

inline void append_u8(std::string& out, std::uint8_t v) { out += static_cast<char>(v); }
inline void append_u32_be(std::string& out, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift);
}
inline void append_u64_be(std::string& out, std::uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift);
}
inline void append_i64_be(std::string& out, std::int64_t v) { append_u64_be(out, static_cast<std::uint64_t>(v)); }
/// Big-endian with the sign bit flipped: bytes compare as the numbers do.
inline void append_ordered_i64(std::string& out, std::int64_t v) {
  append_u64_be(out, static_cast<std::uint64_t>(v) ^ 0x8000'0000'0000'0000ULL);
}
inline void append_varint(std::string& out, std::uint64_t v) {
  while (v >= 0x80) {
    out += static_cast<char>(v | 0x80);
    v >>= 7;
  }
  out += static_cast<char>(v);
}
inline void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out += bytes;
}

class ByteReader {
 public:
  ByteReader(std::string_view bytes, const char* what) : bytes_(bytes), what_(what) {}
  [[nodiscard]] std::string_view take(std::size_t n) {
    if (bytes_.size() < n) fail(std::string(what_) + " ends early");
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return taken;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t u32_be() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::int64_t i64_be() { return static_cast<std::int64_t>(big_endian(8)); }
  std::int64_t ordered_i64() { return static_cast<std::int64_t>(big_endian(8) ^ 0x8000'0000'0000'0000ULL); }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    fail(std::string(what_) + " holds an overlong number");
  }
  std::string_view sized() { return take(varint()); }
  /// Takes all that is left.
  [[nodiscard]] std::string_view rest() { return take(bytes_.size()); }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::uint64_t big_endian(std::size_t n) {
    std::uint64_t v = 0;
    for (const char c : take(n)) v = v << 8 | static_cast<unsigned char>(c);
    return v;
  }
  std::string_view bytes_;
  const char* what_;
};

}  // namespace kappa
