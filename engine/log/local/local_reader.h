// kappa/engine/log/local/local_reader.h: reads one partition of the embedded log.
//
// Threads:  belongs to one thread.
// Owns:     the open segment; read memory is shared with the blocks, and used again when nobody holds it.
// Errors:   kappa::Error `failed` for damage, naming file and byte.
#pragma once

#include <cstdint>
#include <memory>

#include "kappa/engine/log/chunk_pool.h"
#include "kappa/engine/log/local/log_core.h"
#include "kappa/engine/log/record_batch.h"

namespace kappa::detail {

class LocalReader : public Reader {
 public:
  LocalReader(LogCore& core, TopicPartition at, std::int64_t from);
  ~LocalReader() override;

  void read(RecordBlock& block, std::int64_t records_max, std::int64_t before) override;
  [[nodiscard]] std::int64_t position() const override { return position_; }

 private:
  void find_start(const PartitionState& partition);
  bool open_next_batch(std::int64_t before);
  bool has_bytes(std::int64_t before);
  bool is_wanted(const BatchHeader& header) const;
  const char* load_batch(BatchHeader& header);
  const char* fill(std::int64_t bytes);
  void advance(std::int64_t next_offset, std::int64_t before);

  LogCore& core_;
  TopicPartition at_;
  std::int64_t position_ = 0;
  std::shared_ptr<const std::vector<AbortedRange>> aborted_;

  std::size_t segment_index_ = 0;
  SegmentView view_;
  File file_;
  std::int64_t byte_ = 0;  // where the next batch begins in the segment

  std::shared_ptr<ChunkPool> pool_;
  std::shared_ptr<Chunk> chunk_;
  std::int64_t chunk_at_ = 0;    // the segment's byte at the front of the read piece
  std::int64_t chunk_from_ = 0;  // where that piece begins in the chunk
  std::int64_t chunk_to_ = 0;    // and ends
  BatchDecoder decoder_;
};

}  // namespace kappa::detail
