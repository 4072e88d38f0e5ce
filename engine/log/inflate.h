// kappa/engine/log/inflate.h: opens the compressed part of a RecordBatch v2.
//
// Threads:  functions; share nothing.
// Errors:   a text that says what is wrong, or null; never throws but for memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kappa::detail {

/// As in the low three bits of a batch's attributes.
enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

/// A batch that opens into more is refused: memory is bounded whatever the bytes say.
inline constexpr std::size_t kInflatedBytesMax = std::size_t{256} << 20;

/// Replaces `out` by the opened bytes. Null if all went well, else what is wrong.
[[nodiscard]] const char* inflate(Compression kind, std::string_view in, std::string& out);

}  // namespace kappa::detail
