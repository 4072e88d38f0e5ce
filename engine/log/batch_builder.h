// kappa/engine/log/batch_builder.h: writes records as a row of uncompressed RecordBatch v2 batches.
//
// Batches are complete but for their base offset, which lies outside the CRC and is set last, by rebase(): so the work
// is done before the log's lock is taken.
//
// Threads:  a builder belongs to one thread.
// Owns:     the bytes; records are copied.
// Errors:   `refused` for a record above kRecordBytesMax.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa {

inline constexpr std::int64_t kRecordBytesMax = std::int64_t{64} << 20;

class BatchBuilder {
 public:
  /// A batch is closed when it reaches this size.
  explicit BatchBuilder(std::int64_t batch_bytes = 128 << 10) : batch_bytes_(batch_bytes) {}

  void add(const OutRecord& record);
  /// Closes the open batch; bytes() is then a row of whole batches.
  void finish();
  /// Gives the finished batches offsets from `base` on.
  void rebase(std::int64_t base);
  /// Forgets everything, and keeps the memory unless it is large.
  void clear();

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t records() const { return records_; }

 private:
  void begin(std::int64_t timestamp_ms);

  struct Batch {
    std::size_t at = 0;
    std::int32_t records = 0;
  };

  std::int64_t batch_bytes_;
  std::string bytes_;
  std::vector<Batch> batches_;
  bool open_ = false;
  std::int64_t base_timestamp_ms_ = 0, max_timestamp_ms_ = 0;
  std::int64_t records_ = 0;
};

}  // namespace kappa
