// kappa/operators/accumulators.h: what one group of an aggregation remembers: a row of fixed width that holds the key
// and, per aggregate, its accumulator.
//
// A group lies in one piece, not one array per aggregate: with a million keys an update then touches one cache line of
// the group instead of one per aggregate. Update loops run per aggregate over a whole span all the same.
//
// Group row: key (8 bytes: the bigint itself, or the address of [uint32 size][state key]) | the group's number (uint32)
// | flags (1 byte) | one "seen" byte per aggregate | padding to 8 | the accumulators, each a multiple of 8 bytes.
//
// Threads:  a layout is immutable; group rows belong to one thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/column.h"
#include "kappa/engine/schema.h"
#include "kappa/operators/byte_arena.h"
#include "kappa/operators/nodes.h"

namespace kappa {

enum class AccumulatorKind : std::uint8_t {
  count,             // int64
  sum_i64,           // Int128
  sum_i128,          // Int192: its overflow shows when it is emitted
  sum_f64,           // double
  extreme_i64,       // int64: bigint, timestamptz, boolean, ordered double
  extreme_i128,      // Int128
  extreme_interval,  // Interval
  extreme_bytes,     // ExtremeBytes
  avg_i64,           // Int128, count
  avg_i128,          // Int192, count
  avg_f64,           // double, count
  distinct,          // int64; the values themselves are in DistinctSets
};

/// A sum of Int128 values that cannot overflow.
struct Int192 {
  UInt128 low = 0;
  std::int64_t high = 0;
  void add(Int128 v) {
    const UInt128 before = low;
    low += static_cast<UInt128>(v);
    high += (v < 0 ? -1 : 0) + (low < before ? 1 : 0);
  }
};

struct ExtremeBytes {
  char* data = nullptr;
  std::uint32_t size = 0, capacity = 0;
};

struct Accumulator {
  AccumulatorKind kind = AccumulatorKind::count;
  bool is_min = false;
  int argument = -1, filter = -1;  // columns of the input
  Type argument_type, result_type;
  std::string name;
  std::uint32_t offset = 0, seen = 0;  // places in the group row
};

using GroupRow = std::uint8_t*;

template <class T>
[[nodiscard]] inline T load(const std::uint8_t* place) {
  T value;
  std::memcpy(&value, place, sizeof(T));
  return value;
}
template <class T>
inline void store(std::uint8_t* place, const T& value) {
  std::memcpy(place, &value, sizeof(T));
}

class GroupLayout {
 public:
  static constexpr std::uint32_t kNumber = 8, kFlags = 12;
  static constexpr std::uint8_t kDirty = 1, kNullKey = 2;

  /// `fixed_key`: the key is one bigint or timestamptz column, kept in the row itself.
  GroupLayout(const Schema& input, const std::vector<AggregateCall>& calls, bool fixed_key);

  [[nodiscard]] bool fixed_key() const { return fixed_key_; }
  [[nodiscard]] const std::vector<Accumulator>& accumulators() const { return accumulators_; }
  /// Bytes of a group row, a multiple of 8.
  [[nodiscard]] std::uint32_t stride() const { return static_cast<std::uint32_t>(empty_.size()); }
  [[nodiscard]] const std::uint8_t* empty_row() const { return empty_.data(); }

 private:
  bool fixed_key_;
  std::vector<Accumulator> accumulators_;
  std::vector<std::uint8_t> empty_;
};

/// The state key of a group whose layout has no fixed key.
[[nodiscard]] inline std::string_view stored_key(const std::uint8_t* row) {
  const auto* place = load<const char*>(row);
  std::uint32_t size = 0;
  std::memcpy(&size, place, 4);
  return {place + 4, size};
}

/// Adds value rows[k] of `column` to groups[k], in order of k. No such value is null; `column` may be null for
/// count(*). Not for `distinct`.
void update(const Accumulator& accumulator, std::span<const GroupRow> groups, const std::int32_t* rows,
            const Column* column, ByteArena& arena);

/// A group in the order of results (group_order.h).
struct OrderedGroup {
  std::uint64_t key = 0;  // compares as the state key of a fixed key; unused otherwise
  const std::uint8_t* row = nullptr;
};

/// The results of the groups. Where one does not fit its type it is null, and its cause ("sum exceeds numeric(38,2) in
/// total") is added to `causes` under its place in `groups`, unless that has one.
[[nodiscard]] Column results(const Accumulator& accumulator, std::span<const OrderedGroup> groups,
                             std::map<std::int64_t, std::string>& causes);

}  // namespace kappa
