// kappa/engine/types.h: the column types, and the plain values behind them.
//
// Threads:  values; share nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

namespace kappa {

/// An instant of event time: microseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  std::int64_t us = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// Smaller than every legal instant: "no progress yet". Leaves room to subtract any horizon without overflow.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 4;
/// Greater than every legal instant: "nothing is due".
inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max() / 4;
/// Event times outside [1970-01-01, 2262-01-01) are dead letters (the future guard).
inline constexpr std::int64_t kEventTimeMin = 0;
inline constexpr std::int64_t kEventTimeMax = 9'214'646'400'000'000;  // 2262-01-01T00:00:00Z in µs

/// Of an instant in µs: Kafka's whole milliseconds, rounded down.
[[nodiscard]] constexpr std::int64_t floor_ms(std::int64_t us) { return us >= 0 ? us / 1000 : -((-us + 999) / 1000); }

/// PostgreSQL's interval: the three parts do not convert into one another.
struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t us = 0;
  auto operator<=>(const Interval&) const = default;
};

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

enum class TypeKind : std::uint8_t { boolean, bigint, float64, numeric, text, bytea, timestamptz, interval };

/// A column's type. `precision` and `scale` belong to numeric only: values are Int128 counts of 10^-scale.
struct Type {
  TypeKind kind = TypeKind::bigint;
  std::uint8_t precision = 0;
  std::uint8_t scale = 0;

  static constexpr Type boolean() { return {TypeKind::boolean}; }
  static constexpr Type bigint() { return {TypeKind::bigint}; }
  static constexpr Type float64() { return {TypeKind::float64}; }
  static constexpr Type numeric(std::uint8_t precision, std::uint8_t scale) {
    return {TypeKind::numeric, precision, scale};
  }
  static constexpr Type text() { return {TypeKind::text}; }
  static constexpr Type bytea() { return {TypeKind::bytea}; }
  static constexpr Type timestamptz() { return {TypeKind::timestamptz}; }
  static constexpr Type interval() { return {TypeKind::interval}; }

  /// Bytes of one value in a fixed-width column; 0 for boolean (bits) and for text and bytea (offsets + bytes).
  [[nodiscard]] constexpr int width() const {
    switch (kind) {
      case TypeKind::bigint:
      case TypeKind::float64:
      case TypeKind::timestamptz: return 8;
      case TypeKind::numeric:
      case TypeKind::interval: return 16;
      default: return 0;
    }
  }
  [[nodiscard]] constexpr bool is_bytes() const { return kind == TypeKind::text || kind == TypeKind::bytea; }
  bool operator==(const Type&) const = default;
};

/// The SQL spelling: "bigint", "double precision", "numeric(38,0)", ….
[[nodiscard]] std::string to_string(Type type);

}  // namespace kappa
