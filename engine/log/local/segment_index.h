// kappa/engine/log/local/segment_index.h: where in a segment an offset or a time lies.
//
// Made by walking the batches' headers, kept in memory, and extended when the segment has grown.
//
// Threads:  not safe; LogCore guards it.
// Errors:   kappa::Error `failed` for a damaged header, naming file and byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kappa/engine/log/local/file.h"
#include "kappa/engine/log/local/journal_state.h"
#include "kappa/engine/log/record_batch.h"

namespace kappa::detail {

/// Steps from batch to batch of a file without reading their records.
class BatchWalker {
 public:
  BatchWalker(const File& file, std::int64_t from, std::int64_t to) : file_(file), next_(from), end_(to) {}

  /// False at the end; then at() is the end.
  bool step();
  /// The byte where the batch begins.
  [[nodiscard]] std::int64_t at() const { return at_; }
  [[nodiscard]] const BatchHeader& header() const { return header_; }

 private:
  const File& file_;
  std::int64_t at_ = 0, next_ = 0, end_ = 0;
  BatchHeader header_;
  std::string window_;
  std::int64_t window_at_ = 0, window_size_ = 0;
};

/// "the segment FILE is damaged at byte N: PROBLEM"
[[noreturn]] void fail_on_batch(const File& file, std::int64_t at, const char* problem);

class SegmentIndex {
 public:
  /// Walks on to `bytes`, the visible end; aborted batches and control batches have no times.
  void extend(const File& file, std::int64_t bytes, const std::vector<AbortedRange>* aborted);

  /// A byte where a batch begins, at or in front of the one that holds `offset` or the first one behind it.
  [[nodiscard]] std::int64_t byte_before(std::int64_t offset) const;
  /// The same for the first record at or after a time; none if the segment has no such record.
  [[nodiscard]] std::int64_t byte_before_time(std::int64_t timestamp_ms) const;

 private:
  struct Entry {
    std::int64_t offset = 0, byte = 0;
    std::int64_t max_timestamp_ms = 0;  // of the segment up to the next entry
  };
  std::vector<Entry> entries_;
  std::int64_t covered_ = 0;
};

}  // namespace kappa::detail
