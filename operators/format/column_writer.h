// kappa/operators/format/column_writer.h: fills one column of a known greatest number of rows, row after row; a row may
// be written again as long as no later one has been.
//
// Threads:  belongs to one thread.
// Owns:     its buffers until finish() hands them to the column; text collects in memory that is kept for the next one.
#pragma once

#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "kappa/engine/column.h"

namespace kappa {

class ColumnWriter {
 public:
  explicit ColumnWriter(Type type) : type_(type) {}
  [[nodiscard]] Type type() const { return type_; }

  void start(std::int64_t rows_max) {
    rows_max_ = rows_max;
    validity_ = {};
    bytes_.clear();
    const auto rows = static_cast<std::size_t>(rows_max);
    if (type_.is_bytes()) {
      offsets_ = Buffer::allocate((rows + 1) * 4);
      offsets_.as_mutable<std::int32_t>()[0] = 0;
    } else if (type_.kind == TypeKind::boolean) {
      values_ = Buffer::allocate(bitmap_bytes(rows_max));
      std::memset(values_.mutable_data(), 0, bitmap_bytes(rows_max));
    } else {
      values_ = Buffer::allocate(rows * static_cast<std::size_t>(type_.width()));
    }
  }

  template <class T>
  void set(std::int64_t row, T value) {
    set_valid(row);
    values_.as_mutable<T>()[row] = value;
  }
  void set_bool(std::int64_t row, bool value) {
    set_valid(row);
    set_bit(values_.mutable_data(), row, value);
  }
  /// Appends what write(std::string&) appends to the text it is given.
  template <class Write>
  void set_bytes(std::int64_t row, Write write) {
    set_valid(row);
    bytes_.resize(static_cast<std::size_t>(offsets_.as<std::int32_t>()[row]));
    write(bytes_);
    end_bytes(row);
  }
  void set_null(std::int64_t row) {
    if (validity_.empty()) {
      validity_ = Buffer::allocate(bitmap_bytes(rows_max_));
      std::memset(validity_.mutable_data(), 0xff, bitmap_bytes(rows_max_));
    }
    set_bit(validity_.mutable_data(), row, false);
    if (type_.is_bytes()) {
      bytes_.resize(static_cast<std::size_t>(offsets_.as<std::int32_t>()[row]));
      end_bytes(row);
    } else if (type_.kind != TypeKind::boolean) {
      const auto width = static_cast<std::size_t>(type_.width());
      std::memset(values_.mutable_data() + static_cast<std::size_t>(row) * width, 0, width);
    }
  }

  [[nodiscard]] Column finish(std::int64_t rows) {
    if (type_.is_bytes()) {
      const auto size = static_cast<std::size_t>(offsets_.as<std::int32_t>()[rows]);
      values_ = Buffer::allocate(size);
      std::memcpy(values_.mutable_data(), bytes_.data(), size);
    }
    return {type_, rows, std::move(values_), std::move(validity_), std::move(offsets_)};
  }

 private:
  void set_valid(std::int64_t row) {
    if (!validity_.empty()) set_bit(validity_.mutable_data(), row, true);
  }
  void end_bytes(std::int64_t row) {
    if (bytes_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      fail("a batch holds more than 2 GiB of text in one column: lower batch.rows");
    }
    offsets_.as_mutable<std::int32_t>()[row + 1] = static_cast<std::int32_t>(bytes_.size());
  }

  Type type_;
  std::int64_t rows_max_ = 0;
  Buffer values_, validity_, offsets_;
  std::string bytes_;
};

}  // namespace kappa
