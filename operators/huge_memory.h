// kappa/operators/huge_memory.h: large blocks on huge pages: random access to tens of megabytes otherwise spends most
// of its time on page tables.
//
// Threads:  functions and values without state.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace kappa {

inline constexpr std::size_t kHugePage = 2 << 20;

/// Uninitialised memory, for std::free(); of at least a huge page it is aligned to one, and asks the kernel for them.
[[nodiscard]] inline void* allocate_huge(std::size_t bytes) {
  const bool huge = bytes >= kHugePage;
  const std::size_t alignment = huge ? kHugePage : 64;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  if (huge) ::madvise(memory, rounded, MADV_HUGEPAGE);  // a hint: without it the memory works all the same
  return memory;
}

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using HugeBytes = std::unique_ptr<unsigned char[], FreeMemory>;

template <class T>
struct HugeAllocator {
  using value_type = T;
  HugeAllocator() = default;
  template <class U>
  explicit HugeAllocator(const HugeAllocator<U>&) {}
  [[nodiscard]] T* allocate(std::size_t n) { return static_cast<T*>(allocate_huge(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { std::free(memory); }
  template <class U>
  bool operator==(const HugeAllocator<U>&) const {
    return true;
  }
};

}  // namespace kappa
