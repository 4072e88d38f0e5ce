// kappa/operators/hash_index.h: open addressing from a hash to the number of an item that lies elsewhere.
//
// Slots carry 32 bits of the hash beside the number, so that growing does not touch the items and a probe meets a
// foreign item rarely. Items are never removed singly.
//
// Threads:  belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "kappa/operators/huge_memory.h"

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
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  /// The number of the item with this hash for which equal(number) holds, or kNone.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, Equal equal) const {
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot.item == 0) return kNone;
      if (slot.hash == hash && equal(slot.item - 1)) return slot.item - 1;
    }
  }
  /// Requires: the item (smaller than 2^32 − 1) is not in the index.
  void insert(std::uint32_t hash, std::uint32_t item) {
    if (++size_ * 8 > slots_.size() * 5) grow();
    put({hash, item + 1});
  }
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
  /// The first item with this hash, which a lookup most likely finds, plus one; 0: none.
  [[nodiscard]] std::uint32_t likely(std::uint32_t hash) const {
    std::size_t at = hash & mask_;
    while (slots_[at].item != 0 && slots_[at].hash != hash) at = (at + 1) & mask_;
    return slots_[at].item;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t hash = 0, item = 0;
  };

  using Slots = std::vector<Slot, HugeAllocator<Slot>>;

  void grow() {
    Slots old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old)
      if (slot.item != 0) put(slot);
  }
  void put(Slot slot) {
    std::size_t at = slot.hash & mask_;
    while (slots_[at].item != 0) at = (at + 1) & mask_;
    slots_[at] = slot;
  }

  Slots slots_ = Slots(64);
  std::size_t mask_ = 63, size_ = 0;
};

}  // namespace kappa
