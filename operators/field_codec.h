// kappa/operators/field_codec.h: one C++ type of a field as a column: its type, reading and writing a value.
//
// read() and write() return null, or why the value has no place on the other side: "is null".
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "kappa/engine/column.h"
#include "kappa/operators/format/column_writer.h"

namespace kappa::detail {

template <class T, class... Others>
concept OneOf = (std::same_as<T, Others> || ...);
template <class T>
concept Integer = OneOf<T, signed char, unsigned char, short, unsigned short, int, unsigned int, long, unsigned long,
                        long long, unsigned long long>;

/// Values that lie in a column as they are.
template <class T, TypeKind kind>
struct PlainCodec {
  static constexpr bool kNullable = false;
  static constexpr Type type() { return {kind}; }
  static const char* read(const Column& column, std::int64_t row, T& out) {
    if (column.is_null(row)) return "is null";
    out = column.values().as<T>()[row];
    return nullptr;
  }
  static const char* write(ColumnWriter& writer, std::int64_t row, T value) {
    writer.set(row, value);
    return nullptr;
  }
};

template <class T>
struct FieldCodec {
  static_assert(!std::same_as<T, T>,
                "a field of KAPPA_ROW is a bool, an integer of up to 64 bits, a double, a std::string_view, a "
                "std::string, a kappa::Timestamp, a kappa::Int128, or a std::optional of one of these");
};

template <>
struct FieldCodec<double> : PlainCodec<double, TypeKind::float64> {};
template <>
struct FieldCodec<Timestamp> : PlainCodec<Timestamp, TypeKind::timestamptz> {};
template <>
struct FieldCodec<std::int64_t> : PlainCodec<std::int64_t, TypeKind::bigint> {};

template <Integer T>
struct FieldCodec<T> {
  static constexpr bool kNullable = false;
  static constexpr Type type() { return Type::bigint(); }
  static const char* read(const Column& column, std::int64_t row, T& out) {
    if (column.is_null(row)) return "is null";
    const std::int64_t value = column.i64()[row];
    if (!std::in_range<T>(value)) return "does not fit its C++ type";
    out = static_cast<T>(value);
    return nullptr;
  }
  static const char* write(ColumnWriter& writer, std::int64_t row, T value) {
    if (!std::in_range<std::int64_t>(value)) return "does not fit bigint";
    writer.set(row, static_cast<std::int64_t>(value));
    return nullptr;
  }
};

template <>
struct FieldCodec<bool> {
  static constexpr bool kNullable = false;
  static constexpr Type type() { return Type::boolean(); }
  static const char* read(const Column& column, std::int64_t row, bool& out) {
    if (column.is_null(row)) return "is null";
    out = column.bit(row);
    return nullptr;
  }
  static const char* write(ColumnWriter& writer, std::int64_t row, bool value) {
    writer.set_bool(row, value);
    return nullptr;
  }
};

template <>
struct FieldCodec<Int128> : PlainCodec<Int128, TypeKind::numeric> {
  static constexpr Type type() { return Type::numeric(38, 0); }
  static const char* write(ColumnWriter& writer, std::int64_t row, Int128 value) {
    constexpr Int128 kTenTo19 = 10'000'000'000'000'000'000ULL;
    if (value <= -kTenTo19 * kTenTo19 || value >= kTenTo19 * kTenTo19) return "does not fit numeric(38,0)";
    writer.set(row, value);
    return nullptr;
  }
};

template <OneOf<std::string, std::string_view> T>
struct FieldCodec<T> {
  static constexpr bool kNullable = false;
  static constexpr Type type() { return Type::text(); }
  /// A string_view points into the batch.
  static const char* read(const Column& column, std::int64_t row, T& out) {
    if (column.is_null(row)) return "is null";
    out = column.bytes(row);
    return nullptr;
  }
  static const char* write(ColumnWriter& writer, std::int64_t row, std::string_view value) {
    writer.set_bytes(row, [&](std::string& bytes) { bytes += value; });
    return nullptr;
  }
};

template <class T>
struct FieldCodec<std::optional<T>> {
  static constexpr bool kNullable = true;
  static constexpr Type type() { return FieldCodec<T>::type(); }
  static const char* read(const Column& column, std::int64_t row, std::optional<T>& out) {
    if (column.is_null(row)) {
      out.reset();
      return nullptr;
    }
    if (!out) out.emplace();
    return FieldCodec<T>::read(column, row, *out);
  }
  static const char* write(ColumnWriter& writer, std::int64_t row, const std::optional<T>& value) {
    if (value) return FieldCodec<T>::write(writer, row, *value);
    writer.set_null(row);
    return nullptr;
  }
};

/// Of a RowField.
template <class F>
constexpr auto codec_of(const F&) {
  return FieldCodec<typename F::value_type>();
}

}  // namespace kappa::detail
