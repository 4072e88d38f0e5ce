// kappa/operators/state_key.h: values as bytes that compare as the values do; the keys of state, and the order of
// results at a close.
//
// Layout (docs/FORMAT.md, "State key"): per column 0x02 for null (nulls come last), else 0x01 and
//   boolean           1 byte, 0 or 1
//   bigint, timestamptz  8 bytes big-endian, sign bit flipped
//   double            8 bytes big-endian; negative values inverted, others with the sign bit set; −0 is 0, one NaN,
//                     greater than all
//   numeric           16 bytes big-endian, sign bit flipped
//   text, bytea       the bytes, 0x00 written as 0x00 0xFF, then 0x00 0x01
//   interval          16 bytes: its length in µs (a month of 30 days, a day of 24 hours) as numeric; then months, days
//                     (4 bytes each) and µs (8), each with the sign bit flipped
// For given column types no key is a proper prefix of another.
//
// Errors:   reading bytes that are no such key throws Error{failed}.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "kappa/engine/column.h"

namespace kappa {

/// A double as an integer that compares as PostgreSQL orders doubles; −0 and 0, and all NaNs, become one value.
[[nodiscard]] inline std::int64_t ordered_double(double value) {
  if (value != value) return std::numeric_limits<std::int64_t>::max();
  std::int64_t bits = 0;
  const double normal = value == 0 ? 0.0 : value;
  std::memcpy(&bits, &normal, 8);
  return bits < 0 ? bits ^ std::numeric_limits<std::int64_t>::max() : bits;
}
[[nodiscard]] inline double from_ordered_double(std::int64_t ordered) {
  if (ordered == std::numeric_limits<std::int64_t>::max()) return std::numeric_limits<double>::quiet_NaN();
  const std::int64_t bits = ordered < 0 ? ordered ^ std::numeric_limits<std::int64_t>::max() : ordered;
  double value = 0;
  std::memcpy(&value, &bits, 8);
  return value;
}
/// µs, a month counted as 30 days and a day as 24 hours: how PostgreSQL compares intervals.
[[nodiscard]] inline Int128 interval_length(Interval v) {
  return (static_cast<Int128>(v.months) * 30 + v.days) * 86'400'000'000 + v.us;
}

/// Eight bytes that compare as the numbers do.
void append_ordered(std::string& out, std::int64_t value);
/// Takes eight such bytes from the front of `bytes`.
[[nodiscard]] std::int64_t read_ordered(std::string_view& bytes);

void append_state_key(std::string& out, const Column& column, std::int64_t row);
void append_state_key(std::string& out, std::span<const Column* const> columns, std::int64_t row);
/// Of one bigint or timestamptz that is not null.
void append_state_key(std::string& out, std::int64_t value);

/// Takes one value of the builder's type from the front of `bytes`.
void read_state_key(std::string_view& bytes, ColumnBuilder& out);
/// How many bytes at the front of `bytes` are the key of columns of these types.
[[nodiscard]] std::size_t state_key_size(std::string_view bytes, std::span<const Type> types);

}  // namespace kappa
