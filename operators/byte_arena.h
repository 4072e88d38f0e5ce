// kappa/operators/byte_arena.h: memory for bytes that live as long as their window: keys, text extremes, distinct
// values.
//
// Threads:  belongs to one thread at a time.
// Owns:     its blocks; what was allocated never moves and is freed with the arena.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace kappa {

class ByteArena {
 public:
  /// At least `size` bytes, uninitialised, not aligned.
  char* allocate(std::size_t size) {
    if (size > left_) grow(size);
    char* place = next_;
    next_ += size;
    left_ -= size;
    return place;
  }
  /// A copy of `bytes`.
  const char* store(std::string_view bytes) {
    char* place = allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
    return place;
  }
  [[nodiscard]] std::size_t bytes() const { return total_; }

 private:
  static constexpr std::size_t kFirstBlock = 1024, kLargestBlock = 1 << 20;

  void grow(std::size_t size) {
    const std::size_t block = std::max(size, std::clamp(total_, kFirstBlock, kLargestBlock));
    blocks_.emplace_back(new char[block]);
    next_ = blocks_.back().get();
    left_ = block;
    total_ += block;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0, total_ = 0;
};

}  // namespace kappa
