// kappa/operators/hash_index.h: open addressing from a hash to the number of an item that lies elsewhere.
//
// Slots carry 32 bits of the hash beside the number, so that growing does not touch the items and a probe meets a
// foreign item rarely. Items are never removed singly.
//
// Threads:  belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

namespace kappa {

/// A good 64-bit mix: every input bit reaches the low 32 bits.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0x9e37'79b9'7f4a'7c15ULL;
  x ^= x >> 29;
  x *= 0xbf58'476d'1ce4'e5b9ULL;
  return x ^ (x >> 32);
}

class HashIndex {
 public:
  /// The number of the item with this hash for which equal(number) holds; where there is none, what insert() returns
  /// (numbers are smaller than 2^32 − 1).
  template <class Equal, class Insert>
  std::uint32_t find_or_insert(std::uint32_t hash, Equal equal, Insert insert) {
    std::size_t at = hash & mask_;
    while (slots_[at].item != 0) {
      if (slots_[at].hash == hash && equal(slots_[at].item - 1)) return slots_[at].item - 1;
      at = (at + 1) & mask_;
    }
    const std::uint32_t item = insert();
    slots_[at] = {hash, item + 1};
    if (++size_ * 8 > slots_.size() * 5) grow();
    return item;
  }
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
  /// The item that a lookup of `hash` would most likely find, plus one; 0: none.
  [[nodiscard]] std::uint32_t likely(std::uint32_t hash) const { return slots_[hash & mask_].item; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t hash = 0, item = 0;
  };

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.item == 0) continue;
      std::size_t at = slot.hash & mask_;
      while (slots_[at].item != 0) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);
  std::size_t mask_ = 63, size_ = 0;
};

}  // namespace kappa
