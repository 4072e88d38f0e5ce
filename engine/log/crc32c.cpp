#include "kappa/engine/log/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace kappa {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, bits reversed

constexpr std::array<std::uint32_t, 256> byte_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kByteTable = byte_table();

std::uint32_t by_bytes(std::uint32_t crc, const unsigned char* p, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) crc = kByteTable[(crc ^ p[i]) & 0xffu] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)

// The crc32 instruction has a latency of three cycles and a throughput of one, so three lanes run side by side; their
// results are joined by the linear map "append kLane zero bytes", kept as four tables of 256.
constexpr std::size_t kLane = 1024;
using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

ShiftTable make_shift_table() {
  std::array<std::uint32_t, 32> image{};
  const std::array<unsigned char, kLane> zeros{};
  for (std::size_t bit = 0; bit < 32; ++bit) image[bit] = by_bytes(std::uint32_t{1} << bit, zeros.data(), kLane);
  ShiftTable table{};
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::size_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1u) != 0) table[byte][value] ^= image[8 * byte + bit];
      }
    }
  }
  return table;
}

const ShiftTable kShift = make_shift_table();

std::uint32_t shift_lane(std::uint32_t crc) {
  return kShift[0][crc & 0xffu] ^ kShift[1][crc >> 8 & 0xffu] ^ kShift[2][crc >> 16 & 0xffu] ^ kShift[3][crc >> 24];
}

std::uint64_t load8(const unsigned char* p) {
  std::uint64_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t crc, const unsigned char* p,
                                                               std::size_t size) {
  for (; size >= 3 * kLane; p += 3 * kLane, size -= 3 * kLane) {
    std::uint64_t a = crc, b = 0, c = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      a = _mm_crc32_u64(a, load8(p + i));
      b = _mm_crc32_u64(b, load8(p + kLane + i));
      c = _mm_crc32_u64(c, load8(p + 2 * kLane + i));
    }
    crc = shift_lane(shift_lane(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b)) ^
          static_cast<std::uint32_t>(c);
  }
  std::uint64_t wide = crc;
  for (; size >= 8; p += 8, size -= 8) wide = _mm_crc32_u64(wide, load8(p));
  crc = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++p, --size) crc = _mm_crc32_u8(crc, *p);
  return crc;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before) {
#if defined(__x86_64__)
  if (kHasInstruction) return ~by_instruction(~before, static_cast<const unsigned char*>(data), size);
#endif
  return detail::crc32c_by_table(data, size, before);
}

std::uint32_t detail::crc32c_by_table(const void* data, std::size_t size, std::uint32_t before) {
  return ~by_bytes(~before, static_cast<const unsigned char*>(data), size);
}

}  // namespace kappa
