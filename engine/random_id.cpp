#include "kappa/engine/random_id.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdint>

#include "kappa/engine/error.h"

namespace kappa {

std::string random_id() {
  std::uint64_t bits[2];
  if (::getrandom(bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) fail("the system gave no random bytes");
  return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

}  // namespace kappa
