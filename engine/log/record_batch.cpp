#include "kappa/engine/log/record_batch.h"

#include "kappa/engine/log/crc32c.h"
#include "kappa/engine/log/varint.h"

namespace kappa {
namespace {

using detail::load_big_endian;
using detail::read_varint;

constexpr std::int64_t kLengthEnd = 12;      // base offset and length: what the length does not count
constexpr std::int64_t kChecksummedAt = 21;  // attributes: where the CRC begins
constexpr std::int64_t kRecordBytesMin = 7;  // length, attributes, two deltas, key and value length, header count

// Walks the headers of a record; they must end where it does. `at` may stand at most 21 bytes past `end` (padding).
const char* check_headers(const char* at, const char* end) {
  constexpr const char* kCut = "a record's headers do not fit";
  std::int64_t count = 0;
  if (at >= end || (at = read_varint(at, count)) == nullptr || at > end) return kCut;
  if (count < 0 || count > (end - at) / 2) return kCut;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t size = 0;
    if (at >= end || (at = read_varint(at, size)) == nullptr || at > end) return kCut;
    if (size < 0 || size >= end - at) return kCut;
    if ((at = read_varint(at + size, size)) == nullptr || at > end) return kCut;
    if (size < -1 || size > end - at) return kCut;
    if (size > 0) at += size;
  }
  return at == end ? nullptr : "a record does not end where its length says";
}

}  // namespace

const char* parse_batch_header(const char* data, BatchHeader& header) {
  header.base_offset = load_big_endian<std::int64_t>(data);
  header.bytes = kLengthEnd + load_big_endian<std::int32_t>(data + 8);
  const auto magic = static_cast<std::int8_t>(data[16]);
  header.crc = load_big_endian<std::uint32_t>(data + 17);
  header.attributes = load_big_endian<std::int16_t>(data + 21);
  header.last_offset_delta = load_big_endian<std::int32_t>(data + 23);
  header.base_timestamp_ms = load_big_endian<std::int64_t>(data + 27);
  header.max_timestamp_ms = load_big_endian<std::int64_t>(data + 35);
  header.producer_id = load_big_endian<std::int64_t>(data + 43);
  header.producer_epoch = load_big_endian<std::int16_t>(data + 51);
  header.base_sequence = load_big_endian<std::int32_t>(data + 53);
  header.records = load_big_endian<std::int32_t>(data + 57);
  if (magic != 2)
    return magic == 0 || magic == 1 ? "the batch is of Kafka's old format (before 0.11)" : "no batch here";
  if (header.bytes < kBatchHeaderBytes) return "the batch's length is too small";
  if (header.base_offset < 0 || header.last_offset_delta < 0) return "the batch has negative offsets";
  if (header.base_offset > std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1) {
    return "the batch's offsets are too large";
  }
  if (header.records < 0 || header.records > std::int64_t{header.last_offset_delta} + 1) {
    return "the batch has more records than offsets";
  }
  if (header.compression() > 4) return "the batch's compression is unknown";
  return nullptr;
}

const char* BatchDecoder::open(const BatchHeader& header, const char* data) {
  header_ = header;
  left_ = 0;
  held_ = false;
  last_offset_ = header.base_offset - 1;
  memory_.reset();
  const auto checksummed = static_cast<std::size_t>(header.bytes - kChecksummedAt);
  if (crc32c(data + kChecksummedAt, checksummed) != header.crc) return "the batch's checksum (CRC) does not match";
  at_ = data + kBatchHeaderBytes;
  end_ = data + header.bytes;
  if (header.compression() != 0) {
    auto opened = std::make_shared<std::string>();
    const std::string_view packed(at_, static_cast<std::size_t>(end_ - at_));
    if (const char* problem =
            detail::inflate(static_cast<detail::Compression>(header.compression()), packed, *opened)) {
      return problem;
    }
    const std::size_t size = opened->size();
    opened->resize(size + kBatchPadding);
    at_ = opened->data();
    end_ = at_ + size;
    memory_ = std::shared_ptr<const void>(opened, opened->data());
  }
  if (header.records > (end_ - at_) / kRecordBytesMin) return "the batch is too short for its number of records";
  left_ = header.records;
  return left_ == 0 && at_ != end_ ? "bytes follow the batch's last record" : nullptr;
}

// Fields in front of the key take at most 21 bytes, so they are read first and compared with the record's end after.
const char* BatchDecoder::decode(RecordView& record, const char*& next) const {
  constexpr const char* kCut = "a record does not fit into its batch";
  std::int64_t length = 0, timestamp_delta = 0, offset_delta = 0, key_size = 0, value_size = 0;
  const char* at = read_varint(at_, length);
  if (at == nullptr || length < kRecordBytesMin - 1 || length > end_ - at) return kCut;
  const char* end = at + length;
  ++at;  // attributes, unused
  if ((at = detail::read_varlong(at, timestamp_delta)) == nullptr) return kCut;
  if ((at = read_varint(at, offset_delta)) == nullptr || (at = read_varint(at, key_size)) == nullptr) return kCut;
  if (key_size < -1 || key_size > end - at) return kCut;
  record.key_data = key_size < 0 ? nullptr : at;
  record.key_size = key_size < 0 ? 0 : static_cast<std::int32_t>(key_size);
  at += record.key_size;
  if (at >= end || (at = read_varint(at, value_size)) == nullptr) return kCut;
  if (value_size < -1 || value_size > end - at) return kCut;
  record.value_data = value_size < 0 ? nullptr : at;
  record.value_size = value_size < 0 ? 0 : static_cast<std::int32_t>(value_size);
  at += record.value_size;
  record.headers_data = at;
  record.headers_size = static_cast<std::int32_t>(end - at);
  if (end - at != 1 || *at != 0) {
    if (const char* problem = check_headers(at, end)) return problem;
  }
  record.offset = header_.base_offset + offset_delta;
  record.timestamp_ms = header_.is_log_append_time()
                            ? header_.max_timestamp_ms
                            : static_cast<std::int64_t>(static_cast<std::uint64_t>(header_.base_timestamp_ms) +
                                                        static_cast<std::uint64_t>(timestamp_delta));
  if (record.offset <= last_offset_ || offset_delta > header_.last_offset_delta) {
    return "a record's offset is out of order";
  }
  next = end;
  return nullptr;
}

const char* BatchDecoder::read(std::vector<RecordView>& out, std::int64_t records_max, std::int64_t from,
                               std::int64_t before) {
  held_ = false;
  while (left_ > 0 && records_max > 0) {
    RecordView& record = out.emplace_back();
    const char* next = nullptr;
    if (const char* problem = decode(record, next)) {
      out.pop_back();
      return problem;
    }
    if (record.offset >= before) {
      out.pop_back();
      held_ = true;
      return nullptr;
    }
    at_ = next;
    last_offset_ = record.offset;
    --left_;
    if (record.offset < from) {
      out.pop_back();
    } else {
      --records_max;
    }
    if (left_ == 0 && at_ != end_) return "bytes follow the batch's last record";
  }
  return nullptr;
}

const char* read_control(BatchDecoder& decoder, ControlKind& kind) {
  std::vector<RecordView> records;
  if (const char* problem = decoder.read(records, 1, 0, std::numeric_limits<std::int64_t>::max())) return problem;
  // The key is a version and a type: 0 aborts, 1 commits; others (leader changes, snapshots) are not about records.
  if (records.size() != 1 || records[0].key_size < 4) return "a control batch without a control record";
  const auto type = load_big_endian<std::int16_t>(records[0].key_data + 2);
  kind = type == 0 ? ControlKind::abort : type == 1 ? ControlKind::commit : ControlKind::other;
  return nullptr;
}

}  // namespace kappa
