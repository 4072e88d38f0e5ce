// kappa/operators/accumulator_state.h: the accumulators that are more than one number, as they lie in a group row: in
// words of eight bytes, so that they need no more alignment than the row has.
//
// Threads:  values.
#pragma once

#include "kappa/operators/accumulators.h"

namespace kappa {

struct AverageI64 {
  std::uint64_t low, high;
  std::int64_t count;
};
struct AverageI128 {
  std::uint64_t low, middle;
  std::int64_t high, count;
};
struct AverageF64 {
  double sum;
  std::int64_t count;
};
struct SumI128 {
  std::uint64_t low, middle;
  std::int64_t high;
};

[[nodiscard]] inline Int128 whole(std::uint64_t low, std::uint64_t high) {
  return static_cast<Int128>(static_cast<UInt128>(high) << 64 | low);
}

/// Of SumI128 and AverageI128.
template <class T>
[[nodiscard]] Int192 whole(const T& state) {
  return {static_cast<UInt128>(whole(state.low, state.middle)), state.high};
}

}  // namespace kappa
