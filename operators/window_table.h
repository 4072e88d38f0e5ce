// kappa/operators/window_table.h: the groups of one window: key → group row, in memory.
//
// Group rows lie in chunks and never move, so growing copies nothing but the hash index's slots.
//
// Threads:  belongs to one thread at a time.
// Owns:     its slabs, which it takes from a pool and gives back; keys, text extremes and distinct values in its
// arena.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kappa/operators/accumulators.h"
#include "kappa/operators/byte_arena.h"
#include "kappa/operators/hash_index.h"
#include "kappa/operators/huge_memory.h"

namespace kappa {

/// Memory for group rows: a slab is one chunk of rows, or, for windows with many groups, a huge page full of chunks.
/// Keeps the slabs of closed windows for the next ones; of each size never more than the last window that closed had.
class SlabPool {
 public:
  static constexpr std::uint32_t kChunkShift = 8, kChunkRows = 1U << kChunkShift;
  struct Slab {
    HugeBytes memory;
    std::uint32_t chunks = 1;
  };

  explicit SlabPool(std::size_t stride)
      : chunk_bytes_(stride * kChunkRows), large_chunks_(static_cast<std::uint32_t>(kHugePage / chunk_bytes_)) {}
  /// For a window that has `chunks` chunks.
  [[nodiscard]] Slab take(std::size_t chunks);
  void give(std::vector<Slab> slabs);
  [[nodiscard]] std::size_t chunk_bytes() const { return chunk_bytes_; }
  [[nodiscard]] std::size_t slab_bytes(const Slab& slab) const { return slab.chunks > 1 ? kHugePage : chunk_bytes_; }
  [[nodiscard]] std::size_t bytes() const { return small_.size() * chunk_bytes_ + large_.size() * kHugePage; }

 private:
  static constexpr std::size_t kSmallChunks = 64;  // a window begins with so many slabs of one chunk

  std::size_t chunk_bytes_;
  std::uint32_t large_chunks_;  // that fit a huge page
  std::vector<Slab> small_, large_;
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
  WindowTable(const GroupLayout& layout, SlabPool& pool);
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
    return chunks_[number >> SlabPool::kChunkShift] +
           static_cast<std::size_t>(number & (SlabPool::kChunkRows - 1)) * stride_;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& dirty() const { return dirty_; }
  void mark_clean();
  /// Groups and distinct values: all of them, and those that are dirty.
  struct Entries {
    std::size_t all = 0, dirty = 0;
  };
  [[nodiscard]] Entries entries() const;
  [[nodiscard]] ByteArena& arena() { return arena_; }
  /// One per accumulator; only those of kind `distinct` hold anything.
  [[nodiscard]] std::vector<std::unique_ptr<DistinctSet>>& distinct() { return distinct_; }
  [[nodiscard]] const std::vector<std::unique_ptr<DistinctSet>>& distinct() const { return distinct_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  GroupRow find(std::int64_t key, std::uint32_t hash);
  GroupRow add(std::int64_t key, std::uint32_t hash);
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
  SlabPool& pool_;
  std::size_t stride_;
  HashIndex index_;
  std::uint32_t size_ = 0;
  bool has_null_ = false;
  std::uint32_t null_group_ = 0;  // of a fixed key
  std::vector<SlabPool::Slab> slabs_;
  std::vector<GroupRow> chunks_;
  std::vector<std::uint32_t> dirty_;
  ByteArena arena_;
  std::vector<std::unique_ptr<DistinctSet>> distinct_;
};

}  // namespace kappa
