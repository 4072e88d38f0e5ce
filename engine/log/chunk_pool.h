// kappa/engine/log/chunk_pool.h: memory that records are read into, used again when nobody holds it any more.
//
// Fresh memory would cost a page fault per 4 KB. A chunk can be read kBatchPadding bytes past its end.
//
// Threads:  safe from any thread: chunks come back when their last holder lets go, which may be after the reader.
// Owns:     the free chunks; a chunk that is held keeps its pool alive.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "kappa/engine/log/record_batch.h"

namespace kappa::detail {

struct Chunk {
  explicit Chunk(std::int64_t bytes) : size(bytes), data(new char[static_cast<std::size_t>(bytes + kBatchPadding)]) {}
  std::int64_t size;
  std::unique_ptr<char[]> data;  // deliberately not cleared
};

class ChunkPool : public std::enable_shared_from_this<ChunkPool> {
 public:
  /// Keeps up to `kept_max` free chunks of `chunk_bytes`.
  ChunkPool(std::int64_t chunk_bytes, std::size_t kept_max) : chunk_bytes_(chunk_bytes), kept_max_(kept_max) {}

  /// At least `bytes`; more than `chunk_bytes` is memory of its own.
  [[nodiscard]] std::shared_ptr<Chunk> take(std::int64_t bytes) {
    std::unique_ptr<Chunk> chunk;
    if (bytes <= chunk_bytes_) {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        chunk = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (chunk == nullptr) chunk = std::make_unique<Chunk>(std::max(bytes, chunk_bytes_));
    return {chunk.release(), [pool = shared_from_this()](Chunk* used) { pool->give_back(used); }};
  }

 private:
  void give_back(Chunk* used) {
    std::unique_ptr<Chunk> chunk(used);
    const std::lock_guard lock(mutex_);
    if (chunk->size == chunk_bytes_ && free_.size() < kept_max_) free_.push_back(std::move(chunk));
  }

  const std::int64_t chunk_bytes_;
  const std::size_t kept_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Chunk>> free_;  // guarded by mutex_
};

}  // namespace kappa::detail
