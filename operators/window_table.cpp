#include "kappa/operators/window_table.h"

#include <xxhash.h>

#include <array>

#include "kappa/engine/error.h"
#include "kappa/operators/state_key.h"

namespace kappa {

namespace {
constexpr std::size_t kBlock = 128;  // keys hashed, and their slots prefetched, at a time
// Below this many groups slots and rows stay in the cache and a prefetch only costs.
constexpr std::uint32_t kPrefetchGroups = 16'384;

std::uint32_t hash_of(std::int64_t key) { return static_cast<std::uint32_t>(mix(static_cast<std::uint64_t>(key))); }
std::uint32_t hash_of(std::string_view key, std::uint64_t seed) {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(key.data(), key.size(), seed));
}
}  // namespace

SlabPool::Slab SlabPool::take(std::size_t chunks) {
  const bool large = chunks >= kSmallChunks && large_chunks_ > 1;
  std::vector<Slab>& free = large ? large_ : small_;
  if (!free.empty()) {
    Slab slab = std::move(free.back());
    free.pop_back();
    return slab;
  }
  void* memory = allocate_huge(large ? kHugePage : chunk_bytes_);
  return {HugeBytes(static_cast<std::uint8_t*>(memory)), large ? large_chunks_ : 1};
}

void SlabPool::give(std::vector<Slab> slabs) {
  std::size_t small = 0;
  for (Slab& slab : slabs) {
    const bool is_small = slab.chunks == 1;
    small += is_small ? 1 : 0;
    (is_small ? small_ : large_).push_back(std::move(slab));
  }
  if (small_.size() > small) small_.resize(small);
  if (large_.size() > slabs.size() - small) large_.resize(slabs.size() - small);
}

bool DistinctSet::insert(std::uint32_t group, std::string_view value, ByteArena& arena) {
  const std::uint32_t hash = hash_of(value, group);
  const auto equal = [&](std::uint32_t i) { return members_[i].group == group && members_[i].value() == value; };
  if (index_.find(hash, equal) != HashIndex::kNone) return false;
  index_.insert(hash, static_cast<std::uint32_t>(members_.size()));
  members_.push_back({group, static_cast<std::uint32_t>(value.size()), arena.store(value)});
  return true;
}

WindowTable::WindowTable(const GroupLayout& layout, SlabPool& pool)
    : layout_(layout), pool_(pool), stride_(layout.stride()) {
  for (const Accumulator& a : layout.accumulators())
    distinct_.push_back(a.kind == AccumulatorKind::distinct ? std::make_unique<DistinctSet>() : nullptr);
}

WindowTable::~WindowTable() { pool_.give(std::move(slabs_)); }

std::uint32_t WindowTable::add_group() {
  if (size_ >> SlabPool::kChunkShift == chunks_.size()) {
    const SlabPool::Slab& slab = slabs_.emplace_back(pool_.take(chunks_.size()));
    for (std::uint32_t k = 0; k < slab.chunks; ++k) chunks_.push_back(slab.memory.get() + k * pool_.chunk_bytes());
  }
  GroupRow row = group(size_);
  std::memcpy(row, layout_.empty_row(), stride_);
  store(row + GroupLayout::kNumber, size_);
  return size_++;
}

inline GroupRow WindowTable::find(std::int64_t key, std::uint32_t hash) {
  const std::uint32_t found = index_.find(hash, [&](std::uint32_t i) { return load<std::int64_t>(group(i)) == key; });
  return found != HashIndex::kNone ? group(found) : add(key, hash);
}

GroupRow WindowTable::add(std::int64_t key, std::uint32_t hash) {
  const std::uint32_t number = add_group();
  index_.insert(hash, number);
  store(group(number), key);
  return group(number);
}

GroupRow WindowTable::find(std::string_view key, std::uint32_t hash) {
  const std::uint32_t found = index_.find(hash, [&](std::uint32_t i) { return stored_key(group(i)) == key; });
  if (found != HashIndex::kNone) return group(found);
  const std::uint32_t number = add_group();
  index_.insert(hash, number);
  const auto size = static_cast<std::uint32_t>(key.size());
  char* place = arena_.allocate(4 + key.size());
  std::memcpy(place, &size, 4);
  if (size > 0) std::memcpy(place + 4, key.data(), key.size());
  store(group(number), static_cast<const char*>(place));
  return group(number);
}

GroupRow WindowTable::find_null() {
  if (!has_null_) {
    null_group_ = add_group();
    group(null_group_)[GroupLayout::kFlags] |= GroupLayout::kNullKey;
    has_null_ = true;
  }
  return group(null_group_);
}

template <bool kNulls>
void WindowTable::resolve_block(const Column& keys, std::span<const std::int32_t> rows, GroupRow* groups) {
  std::array<std::uint32_t, kBlock> hashes;
  const std::int64_t* values = keys.i64();
  const std::size_t n = rows.size();
  for (std::size_t k = 0; k < n; ++k) hashes[k] = hash_of(values[rows[k]]);
  if (size_ > kPrefetchGroups) {
    for (std::size_t k = 0; k < n; ++k) index_.prefetch(hashes[k]);
    for (std::size_t k = 0; k < n; ++k)
      if (const std::uint32_t item = index_.likely(hashes[k]); item != 0) __builtin_prefetch(group(item - 1), 1);
  }
  for (std::size_t k = 0; k < n; ++k) {
    groups[k] = kNulls && keys.is_null(rows[k]) ? find_null() : find(values[rows[k]], hashes[k]);
    touch(groups[k]);
  }
}

void WindowTable::resolve(const Column& keys, std::span<const std::int32_t> rows, GroupRow* groups) {
  KAPPA_CHECK(layout_.fixed_key(), "the key is one column of eight bytes");
  for (std::size_t at = 0; at < rows.size(); at += kBlock) {
    const auto block = rows.subspan(at, std::min(kBlock, rows.size() - at));
    if (keys.may_have_nulls())
      resolve_block<true>(keys, block, groups + at);
    else
      resolve_block<false>(keys, block, groups + at);
  }
}

void WindowTable::resolve(std::span<const std::string_view> keys, GroupRow* groups) {
  KAPPA_CHECK(!layout_.fixed_key(), "the key is a state key");
  for (std::size_t k = 0; k < keys.size(); ++k) {
    groups[k] = find(keys[k], hash_of(keys[k], 0));
    touch(groups[k]);
  }
}

GroupRow WindowTable::restore_group(std::string_view state_key) {
  if (!layout_.fixed_key()) return find(state_key, hash_of(state_key, 0));
  ColumnBuilder builder(Type::bigint());
  read_state_key(state_key, builder);
  const Column key = builder.finish();
  return key.is_null(0) ? find_null() : find(key.i64()[0], hash_of(key.i64()[0]));
}

void WindowTable::mark_clean() {
  for (const std::uint32_t number : dirty_)
    group(number)[GroupLayout::kFlags] &= static_cast<std::uint8_t>(~GroupLayout::kDirty);
  dirty_ = {};
  for (const auto& set : distinct_)
    if (set) set->mark_clean();
}

WindowTable::Entries WindowTable::entries() const {
  Entries entries{size_, dirty_.size()};
  for (const auto& set : distinct_) {
    if (!set) continue;
    entries.all += set->members().size();
    entries.dirty += set->members().size() - set->first_dirty();
  }
  return entries;
}

std::size_t WindowTable::bytes() const {
  std::size_t total = index_.bytes() + dirty_.capacity() * 4 + arena_.bytes();
  for (const SlabPool::Slab& slab : slabs_) total += pool_.slab_bytes(slab);
  for (const auto& set : distinct_)
    if (set) total += set->bytes();
  return total;
}

}  // namespace kappa
