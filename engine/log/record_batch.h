// kappa/engine/log/record_batch.h: reads Kafka's RecordBatch v2 (magic 2), the format of broker segments, of fetch
// responses and of the embedded log.
//
// Every length, count and varint is checked, so the bytes may be hostile; what is wrong comes back as a text, to which
// the caller adds file and byte or topic, partition and offset. Bytes given to a decoder must be readable for
// kBatchPadding bytes past their end.
//
// Threads:  a decoder belongs to one thread.
// Owns:     a decoder of a compressed batch owns the opened bytes (`memory()`); else records point into the given ones.
// Errors:   a text, or null if all is well; never throws but for memory.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/log.h"
#include "kappa/engine/log/inflate.h"

namespace kappa {

inline constexpr std::int64_t kBatchPadding = 64;
inline constexpr std::int64_t kBatchHeaderBytes = 61;

/// The fixed fields in front of a batch's records.
struct BatchHeader {
  std::int64_t base_offset = 0;
  std::int64_t bytes = 0;  // of the whole batch, this header included
  std::uint32_t crc = 0;   // of everything behind the field itself
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t records = 0;

  [[nodiscard]] std::int64_t last_offset() const { return base_offset + last_offset_delta; }
  [[nodiscard]] int compression() const { return attributes & 0x07; }
  [[nodiscard]] bool is_log_append_time() const { return (attributes & 0x08) != 0; }
  [[nodiscard]] bool is_transactional() const { return (attributes & 0x10) != 0; }
  [[nodiscard]] bool is_control() const { return (attributes & 0x20) != 0; }
};

/// Reads and checks the fields of a header; `data` holds at least kBatchHeaderBytes. The CRC is the decoder's to check.
[[nodiscard]] const char* parse_batch_header(const char* data, BatchHeader& header);

/// Hands out the records of one batch, in pieces if wanted.
class BatchDecoder {
 public:
  /// Checks the CRC and opens compressed bytes. `data` holds the whole batch and lives until the last read.
  [[nodiscard]] const char* open(const BatchHeader& header, const char* data);
  /// Appends at most `records_max` records with from ≤ offset < before.
  [[nodiscard]] const char* read(std::vector<RecordView>& out, std::int64_t records_max, std::int64_t from,
                                 std::int64_t before);

  /// No record is left in this batch.
  [[nodiscard]] bool is_done() const { return left_ == 0; }
  /// The next record lies at `before` of the last read or beyond.
  [[nodiscard]] bool is_held() const { return held_; }
  /// What the records of a compressed batch point into; null for other batches.
  [[nodiscard]] const std::shared_ptr<const void>& memory() const { return memory_; }
  [[nodiscard]] const BatchHeader& header() const { return header_; }

 private:
  const char* decode(RecordView& record, const char*& next) const;

  BatchHeader header_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::int64_t left_ = 0;
  std::int64_t last_offset_ = -1;
  bool held_ = false;
  std::shared_ptr<const void> memory_;
};

/// What a control batch says.
enum class ControlKind : std::uint8_t { abort, commit, other };
/// Reads the one record of a control batch that `decoder` has open.
[[nodiscard]] const char* read_control(BatchDecoder& decoder, ControlKind& kind);

}  // namespace kappa
