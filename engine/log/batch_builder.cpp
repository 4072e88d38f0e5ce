#include "kappa/engine/log/batch_builder.h"

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/log/crc32c.h"
#include "kappa/engine/log/record_batch.h"
#include "kappa/engine/log/varint.h"

namespace kappa {
namespace {

using detail::append_varint;
using detail::store_big_endian;
using detail::varint_size;

constexpr std::size_t kKeptBytesMax = std::size_t{16} << 20;

std::int64_t nullable_size(std::string_view bytes, bool is_null) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  return is_null ? 1 : varint_size(size) + size;
}

void append_nullable(std::string& out, std::string_view bytes, bool is_null) {
  append_varint(out, is_null ? -1 : static_cast<std::int64_t>(bytes.size()));
  if (!is_null) out.append(bytes);
}

std::int64_t headers_size(std::span<const Header> headers) {
  std::int64_t size = varint_size(static_cast<std::int64_t>(headers.size()));
  for (const Header& header : headers) {
    size += nullable_size(header.name, false) + nullable_size(header.value, header.value_is_null);
  }
  return size;
}

}  // namespace

void BatchBuilder::add(const OutRecord& record) {
  if (open_ && static_cast<std::int64_t>(bytes_.size() - batches_.back().at) >= batch_bytes_) finish();
  if (!open_) begin(record.timestamp_ms);
  Batch& batch = batches_.back();
  // Wraps for senseless timestamps; the decoder wraps back.
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(record.timestamp_ms) -
                                                         static_cast<std::uint64_t>(base_timestamp_ms_));
  const std::int64_t size = 1 + varint_size(timestamp_delta) + varint_size(batch.records) +
                            nullable_size(record.key, record.key_is_null) +
                            nullable_size(record.value, record.value_is_null) + headers_size(record.headers);
  if (size > kRecordBytesMax) refuse("a record of " + std::to_string(size) + " bytes is too large; the bound is 64 MB");
  append_varint(bytes_, size);
  bytes_.push_back(0);
  append_varint(bytes_, timestamp_delta);
  append_varint(bytes_, batch.records);
  append_nullable(bytes_, record.key, record.key_is_null);
  append_nullable(bytes_, record.value, record.value_is_null);
  append_varint(bytes_, static_cast<std::int64_t>(record.headers.size()));
  for (const Header& header : record.headers) {
    append_nullable(bytes_, header.name, false);
    append_nullable(bytes_, header.value, header.value_is_null);
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, record.timestamp_ms);
  ++batch.records;
  ++records_;
}

void BatchBuilder::begin(std::int64_t timestamp_ms) {
  batches_.push_back({bytes_.size(), 0});
  bytes_.append(static_cast<std::size_t>(kBatchHeaderBytes), '\0');
  base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  open_ = true;
}

void BatchBuilder::finish() {
  if (!open_) return;
  open_ = false;
  const Batch& batch = batches_.back();
  if (batch.records == 0) {  // its only record was refused
    bytes_.resize(batch.at);
    batches_.pop_back();
    return;
  }
  char* p = bytes_.data() + batch.at;
  const std::size_t size = bytes_.size() - batch.at;
  store_big_endian<std::int32_t>(p + 8, static_cast<std::int32_t>(size - 12));
  store_big_endian<std::int32_t>(p + 12, -1);  // leader epoch: none
  p[16] = 2;
  store_big_endian<std::int32_t>(p + 23, batch.records - 1);
  store_big_endian<std::int64_t>(p + 27, base_timestamp_ms_);
  store_big_endian<std::int64_t>(p + 35, max_timestamp_ms_);
  store_big_endian<std::int64_t>(p + 43, -1);  // no producer id, epoch, sequence
  store_big_endian<std::int16_t>(p + 51, -1);
  store_big_endian<std::int32_t>(p + 53, -1);
  store_big_endian<std::int32_t>(p + 57, batch.records);
  store_big_endian<std::uint32_t>(p + 17, crc32c(p + 21, size - 21));
}

void BatchBuilder::rebase(std::int64_t base) {
  for (const Batch& batch : batches_) {
    store_big_endian<std::int64_t>(bytes_.data() + batch.at, base);
    base += batch.records;
  }
}

void BatchBuilder::clear() {
  bytes_.clear();
  if (bytes_.capacity() > kKeptBytesMax) bytes_.shrink_to_fit();
  batches_.clear();
  open_ = false;
  records_ = 0;
}

}  // namespace kappa
