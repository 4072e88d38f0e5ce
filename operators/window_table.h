// kappa/operators/window_table.h: the groups of one window: key → group row, in memory.
//
// Group rows lie in chunks and never move, so growing copies nothing but the hash index's slots.
//
// Threads:  belongs to one thread at a time.
// Owns:     its chunks, which it takes from a pool and gives back; keys, text extremes and distinct values in its
// arena.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kappa/operators/accumulators.h"
#include "kappa/operators/byte_arena.h"
#include "kappa/operators/hash_index.h"

namespace kappa {

/// Keeps the chunks of closed windows for the next ones; never more than the last window that closed had.
class ChunkPool {
 public:
  static constexpr std::uint32_t kChunkShift = 8, kChunkRows = 1U << kChunkShift;
  using Chunk = std::unique_ptr<std::uint8_t[]>;

  explicit ChunkPool(std::size_t stride) : chunk_bytes_(stride * kChunkRows) {}
  [[nodiscard]] Chunk take();
  void give(std::vector<Chunk> chunks);
  [[nodiscard]] std::size_t chunk_bytes() const { return chunk_bytes_; }
  [[nodiscard]] std::size_t bytes() const { return free_.size() * chunk_bytes_; }

 private:
  std::size_t chunk_bytes_;
  std::vector<Chunk> free_;
};

/// The distinct values of one count(DISTINCT x) in all groups of a window.
class DistinctSet {
 public:
  struct Member {
    std::uint32_t group = 0, size = 0;
    const char* data = nullptr;
    [[nodiscard]] std::string_view value() const { return {data, size}; }
  };
  /// `value`: a state key, copied into `arena` if it is new. False: the group has it already.
  bool insert(std::uint32_t group, std::string_view value, ByteArena& arena);
  /// In the order of insertion.
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// Members from here on were inserted since the last mark_clean().
  [[nodiscard]] std::size_t first_dirty() const { return clean_; }
  void mark_clean() { clean_ = members_.size(); }
  [[nodiscard]] std::size_t bytes() const { return index_.bytes() + members_.capacity() * sizeof(Member); }

 private:
  HashIndex index_;
  std::vector<Member> members_;
  std::size_t clean_ = 0;
};

class WindowTable {
 public:
  /// Both outlive the table.
  WindowTable(const GroupLayout& layout, ChunkPool& pool);
  ~WindowTable();
  WindowTable(const WindowTable&) = delete;
  WindowTable& operator=(const WindowTable&) = delete;

  /// groups[k] becomes the group of key rows[k] of `keys` and is dirty. Requires: the layout has a fixed key.
  void resolve(const Column& keys, std::span<const std::int32_t> rows, GroupRow* groups);
  /// The same for keys[k], a state key. Requires: the layout has no fixed key.
  void resolve(std::span<const std::string_view> keys, GroupRow* groups);
  /// The group of a state key, made if it is new; not dirtied.
  GroupRow restore_group(std::string_view state_key);

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] GroupRow group(std::uint32_t number) const {
    return chunks_[number >> ChunkPool::kChunkShift].get() +
           static_cast<std::size_t>(number & (ChunkPool::kChunkRows - 1)) * stride_;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& dirty() const { return dirty_; }
  void mark_clean();
  [[nodiscard]] ByteArena& arena() { return arena_; }
  /// One per accumulator; only those of kind `distinct` hold anything.
  [[nodiscard]] std::vector<std::unique_ptr<DistinctSet>>& distinct() { return distinct_; }
  [[nodiscard]] const std::vector<std::unique_ptr<DistinctSet>>& distinct() const { return distinct_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  GroupRow find(std::int64_t key, std::uint32_t hash);
  GroupRow find(std::string_view key, std::uint32_t hash);
  GroupRow find_null();
  std::uint32_t add_group();
  template <bool kNulls>
  void resolve_block(const Column& keys, std::span<const std::int32_t> rows, GroupRow* groups);
  void touch(GroupRow row) {
    if ((row[GroupLayout::kFlags] & GroupLayout::kDirty) != 0) return;
    row[GroupLayout::kFlags] |= GroupLayout::kDirty;
    dirty_.push_back(load<std::uint32_t>(row + GroupLayout::kNumber));
  }

  const GroupLayout& layout_;
  ChunkPool& pool_;
  std::size_t stride_;
  HashIndex index_;
  std::uint32_t size_ = 0;
  bool has_null_ = false;
  std::uint32_t null_group_ = 0;  // of a fixed key
  std::vector<ChunkPool::Chunk> chunks_;
  std::vector<std::uint32_t> dirty_;
  ByteArena arena_;
  std::vector<std::unique_ptr<DistinctSet>> distinct_;
};

}  // namespace kappa
