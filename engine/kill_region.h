// kappa/engine/kill_region.h: where a process was when a test killed it at any moment.
//
// In builds with KAPPA_KILL_POINTS the environment variable KAPPA_INSIDE may name a file of kKillRegionBytes bytes,
// which is mapped: per region a count of the threads that are inside it (int32 in the machine's order). The kernel
// keeps what stands there when the process is killed. In other builds KAPPA_INSIDE(region) is nothing.
//
// Threads:  any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kappa::detail {

enum class KillRegion : std::uint8_t { commit, checkpoint };
inline constexpr std::size_t kKillRegionBytes = 2 * sizeof(std::int32_t);

}  // namespace kappa::detail

#ifdef KAPPA_KILL_POINTS

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace kappa::detail {

class InsideRegion {
 public:
  explicit InsideRegion(KillRegion region) : counts_(counts()), region_(static_cast<std::size_t>(region)) { add(1); }
  InsideRegion(const InsideRegion&) = delete;
  InsideRegion& operator=(const InsideRegion&) = delete;
  ~InsideRegion() { add(-1); }

 private:
  // Null where no test asks, or its file is not there.
  static std::int32_t* counts() {
    static std::int32_t* const mapped = [] {
      const char* name = std::getenv("KAPPA_INSIDE");
      const int file = name == nullptr ? -1 : ::open(name, O_RDWR | O_CLOEXEC);
      if (file < 0) return static_cast<std::int32_t*>(nullptr);
      void* memory = ::mmap(nullptr, kKillRegionBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      ::close(file);
      return memory == MAP_FAILED ? nullptr : static_cast<std::int32_t*>(memory);
    }();
    return mapped;
  }
  void add(std::int32_t n) const {
    if (counts_ != nullptr) std::atomic_ref(counts_[region_]).fetch_add(n);
  }

  std::int32_t* counts_;
  std::size_t region_;
};

}  // namespace kappa::detail

#define KAPPA_INSIDE(region) const ::kappa::detail::InsideRegion kappa_inside_(::kappa::detail::KillRegion::region)

#else

#define KAPPA_INSIDE(region) static_cast<void>(0)

#endif
