// kappa/engine/random_id.h: names that no one else has: 128 random bits. Never seen by operators (law L3).
#pragma once

#include <string>

namespace kappa {

/// 32 hex digits.
[[nodiscard]] std::string random_id();

}  // namespace kappa
