// kappa/engine/log/crc32c.h: CRC-32C (Castagnoli), the checksum of RecordBatch v2 and of our journal.
//
// Threads:  functions; share only constant tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kappa {

/// The checksum of `size` bytes; `before` continues that of the bytes in front of them. Uses SSE4.2 where the processor
/// has it.
[[nodiscard]] std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before = 0);

namespace detail {
/// The way of processors without SSE4.2; for tests.
[[nodiscard]] std::uint32_t crc32c_by_table(const void* data, std::size_t size, std::uint32_t before = 0);
}  // namespace detail

}  // namespace kappa
