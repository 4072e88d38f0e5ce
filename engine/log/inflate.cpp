#include "kappa/engine/log/inflate.h"

#include <algorithm>
#include <memory>

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "kappa/engine/log/varint.h"

namespace kappa::detail {
namespace {

constexpr const char* kTooLarge = "the batch opens into more than 256 MB";

/// Makes room for more output behind `used` bytes; false at the bound.
bool grow(std::string& out, std::size_t used, std::size_t hint) {
  if (used < out.size()) return true;
  if (used >= kInflatedBytesMax) return false;
  out.resize(std::min(kInflatedBytesMax, std::max({used * 2, hint, std::size_t{4096}})));
  return true;
}

const char* inflate_gzip(std::string_view in, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return "zlib cannot start";
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  std::size_t used = 0;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    if (!grow(out, used, in.size() * 4)) return kTooLarge;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    const uInt room = stream.avail_out;
    result = ::inflate(&stream, Z_NO_FLUSH);
    used += room - stream.avail_out;
    const bool stuck = stream.avail_in == 0 && stream.avail_out != 0;
    if (result != Z_STREAM_END && (result != Z_OK || stuck)) return "the gzip data is damaged or cut";
  }
  out.resize(used);
  return nullptr;
}

const char* append_snappy_block(std::string_view in, std::string& out) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(in.data(), in.size(), &size)) return "the snappy data has no length";
  if (size > kInflatedBytesMax - out.size()) return kTooLarge;
  // A snappy block expands at most 21-fold (64 bytes from a copy of 3), so a length beyond that is a lie.
  if (size > in.size() * 32 + 64) return "the snappy data says an impossible length";
  const std::size_t before = out.size();
  out.resize(before + size);
  if (!snappy::RawUncompress(in.data(), in.size(), out.data() + before)) return "the snappy data is damaged";
  return nullptr;
}

// Java's clients write xerial's framing (magic, two versions, then blocks with a length each); others a bare block.
const char* inflate_snappy(std::string_view in, std::string& out) {
  constexpr std::string_view kMagic("\x82SNAPPY\0", 8);
  out.clear();
  if (!in.starts_with(kMagic)) return append_snappy_block(in, out);
  if (in.size() < 16) return "the snappy framing is cut";
  in.remove_prefix(16);
  while (!in.empty()) {
    if (in.size() < 4) return "the snappy framing is cut";
    const auto size = load_big_endian<std::uint32_t>(in.data());
    in.remove_prefix(4);
    if (size > in.size()) return "the snappy framing is cut";
    if (const char* problem = append_snappy_block(in.substr(0, size), out)) return problem;
    in.remove_prefix(size);
  }
  return nullptr;
}

const char* inflate_lz4(std::string_view in, std::string& out) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) return "lz4 cannot start";
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> end(context, &LZ4F_freeDecompressionContext);
  std::size_t used = 0;
  for (std::size_t hint = 1; hint != 0;) {
    if (!grow(out, used, in.size() * 4)) return kTooLarge;
    std::size_t produced = out.size() - used, consumed = in.size();
    hint = LZ4F_decompress(context, out.data() + used, &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(hint) != 0) return "the lz4 data is damaged";
    used += produced;
    in.remove_prefix(consumed);
    if (hint != 0 && consumed == 0 && produced == 0) return "the lz4 data is cut";
  }
  out.resize(used);
  return nullptr;
}

const char* inflate_zstd(std::string_view in, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (context == nullptr) return "zstd cannot start";
  ZSTD_inBuffer source{in.data(), in.size(), 0};
  std::size_t used = 0;
  for (std::size_t hint = 1; hint != 0;) {
    if (!grow(out, used, in.size() * 4)) return kTooLarge;
    ZSTD_outBuffer target{out.data() + used, out.size() - used, 0};
    const std::size_t before = source.pos;
    hint = ZSTD_decompressStream(context.get(), &target, &source);
    if (ZSTD_isError(hint) != 0) return "the zstd data is damaged";
    used += target.pos;
    if (hint != 0 && source.pos == before && target.pos == 0) return "the zstd data is cut";
  }
  out.resize(used);
  return nullptr;
}

}  // namespace

const char* inflate(Compression kind, std::string_view in, std::string& out) {
  switch (kind) {
    case Compression::none: out.assign(in); return nullptr;
    case Compression::gzip: return inflate_gzip(in, out);
    case Compression::snappy: return inflate_snappy(in, out);
    case Compression::lz4: return inflate_lz4(in, out);
    case Compression::zstd: return inflate_zstd(in, out);
  }
  return "the compression is unknown";
}

}  // namespace kappa::detail
