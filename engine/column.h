// kappa/engine/column.h: one column of a batch, in Arrow's memory layout.
//
// Fixed-width values lie one after the other; booleans are bits (least significant first); text and bytea are
// int32 offsets (rows + 1 of them) and bytes. The validity bitmap has a set bit where a value is present and is
// absent when no value is null. The value under a null is unspecified but readable.
//
// Threads:  a Column is immutable and may be read from any thread; a ColumnBuilder belongs to one.
// Owns:     buffers are shared (shared_ptr), since projections, branches and the Arrow export pass the same column on.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kappa/engine/error.h"
#include "kappa/engine/types.h"

namespace kappa {

/// Bytes that several columns may share. Every buffer is readable 64 bytes past its end (simdjson's and SIMD's
/// padding).
class Buffer {
 public:
  Buffer() = default;
  /// Uninitialised memory, aligned to 64 bytes, plus 64 bytes of padding.
  static Buffer allocate(std::size_t size);
  /// Memory that `owner` keeps alive.
  static Buffer wrap(std::shared_ptr<const void> owner, const void* data, std::size_t size);

  [[nodiscard]] const std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::uint8_t* mutable_data() { return const_cast<std::uint8_t*>(data_); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return data_ == nullptr; }
  template <class T>
  [[nodiscard]] const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  [[nodiscard]] T* as_mutable() {
    return reinterpret_cast<T*>(mutable_data());
  }

 private:
  std::shared_ptr<const void> owner_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

[[nodiscard]] inline std::size_t bitmap_bytes(std::int64_t bits) {
  return (static_cast<std::size_t>(bits) + 63) / 64 * 8;
}
[[nodiscard]] inline bool get_bit(const std::uint8_t* bits, std::int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
inline void set_bit(std::uint8_t* bits, std::int64_t i, bool on) {
  const auto mask = static_cast<std::uint8_t>(1U << (i & 7));
  bits[i >> 3] = static_cast<std::uint8_t>(on ? bits[i >> 3] | mask : bits[i >> 3] & ~mask);
}

class Column {
 public:
  Column() = default;
  /// `validity` may be empty (no nulls); `offsets` belongs to text and bytea only.
  Column(Type type, std::int64_t size, Buffer values, Buffer validity = {}, Buffer offsets = {})
      : type_(type),
        size_(size),
        values_(std::move(values)),
        validity_(std::move(validity)),
        offsets_(std::move(offsets)) {}

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] bool may_have_nulls() const { return !validity_.empty(); }
  [[nodiscard]] bool is_null(std::int64_t i) const { return !validity_.empty() && !get_bit(validity_.data(), i); }

  /// bigint and timestamptz.
  [[nodiscard]] const std::int64_t* i64() const { return values_.as<std::int64_t>(); }
  [[nodiscard]] const double* f64() const { return values_.as<double>(); }
  [[nodiscard]] const Int128* i128() const { return values_.as<Int128>(); }
  [[nodiscard]] const Interval* intervals() const { return values_.as<Interval>(); }
  [[nodiscard]] bool bit(std::int64_t i) const { return get_bit(values_.data(), i); }
  /// text and bytea; lives as long as the column's buffers.
  [[nodiscard]] std::string_view bytes(std::int64_t i) const {
    const auto* o = offsets_.as<std::int32_t>();
    return {values_.as<char>() + o[i], static_cast<std::size_t>(o[i + 1] - o[i])};
  }

  [[nodiscard]] const Buffer& values() const { return values_; }
  [[nodiscard]] const Buffer& validity() const { return validity_; }
  [[nodiscard]] const Buffer& offsets() const { return offsets_; }

 private:
  Type type_;
  std::int64_t size_ = 0;
  Buffer values_, validity_, offsets_;
};

/// Appends values one by one; for results, tests and text. Hot paths fill a Buffer directly instead.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(Type type) : type_(type) {}
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  void reserve(std::int64_t rows);
  void append_null();
  void append_bool(bool v);
  void append_i64(std::int64_t v) { append_fixed(&v, 8); }
  void append_f64(double v) { append_fixed(&v, 8); }
  void append_i128(Int128 v) { append_fixed(&v, 16); }
  void append_interval(Interval v) { append_fixed(&v, 16); }
  void append_bytes(std::string_view v);
  /// Appends row `i` of a column of the same type.
  void append_from(const Column& column, std::int64_t i);
  /// Leaves the builder empty.
  Column finish();

 private:
  void append_fixed(const void* value, std::size_t width);
  void grow_validity(bool valid);

  Type type_;
  std::int64_t size_ = 0;
  std::vector<std::uint8_t> values_, validity_;
  std::vector<std::int32_t> offsets_;
};

/// The rows `rows[0], rows[1], …` of `column`, in that order.
[[nodiscard]] Column take(const Column& column, std::span<const std::int32_t> rows);
/// Row `at[k].second` of `columns[at[k].first]` for each k; all columns have the same type.
[[nodiscard]] Column gather(std::span<const Column* const> columns,
                            std::span<const std::pair<std::int32_t, std::int32_t>> at);

}  // namespace kappa
