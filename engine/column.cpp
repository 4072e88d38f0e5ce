#include "kappa/engine/column.h"

#include <limits>
#include <new>

namespace kappa {

namespace {
constexpr std::size_t kPadding = 64;
constexpr std::align_val_t kAlignment{64};

Buffer copy_of(const std::vector<std::uint8_t>& bytes) {
  Buffer buffer = Buffer::allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.mutable_data(), bytes.data(), bytes.size());
  return buffer;
}

// Calls source(k) -> (column, row) for each k < n and builds the column of those rows.
template <class Source>
Column assemble(Type type, std::int64_t n, bool may_have_nulls, Source source) {
  Buffer validity;
  if (may_have_nulls) {
    validity = Buffer::allocate(bitmap_bytes(n));
    std::memset(validity.mutable_data(), 0, bitmap_bytes(n));
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      if (!column->is_null(row)) set_bit(validity.mutable_data(), k, true);
    }
  }
  if (type.kind == TypeKind::boolean) {
    Buffer values = Buffer::allocate(bitmap_bytes(n));
    std::memset(values.mutable_data(), 0, bitmap_bytes(n));
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      if (column->bit(row)) set_bit(values.mutable_data(), k, true);
    }
    return {type, n, std::move(values), std::move(validity)};
  }
  if (type.is_bytes()) {
    Buffer offsets = Buffer::allocate(static_cast<std::size_t>(n + 1) * 4);
    auto* o = offsets.as_mutable<std::int32_t>();
    std::int64_t total = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      o[k] = static_cast<std::int32_t>(total);
      total += static_cast<std::int64_t>(column->bytes(row).size());
    }
    KAPPA_CHECK(total <= std::numeric_limits<std::int32_t>::max(),
                "a batch's text is bounded by the record size and batch.rows");
    o[n] = static_cast<std::int32_t>(total);
    Buffer values = Buffer::allocate(static_cast<std::size_t>(total));
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      const std::string_view bytes = column->bytes(row);
      if (!bytes.empty()) std::memcpy(values.mutable_data() + o[k], bytes.data(), bytes.size());
    }
    return {type, n, std::move(values), std::move(validity), std::move(offsets)};
  }
  Buffer values = Buffer::allocate(static_cast<std::size_t>(n) * static_cast<std::size_t>(type.width()));
  if (type.width() == 8) {
    auto* out = values.as_mutable<std::int64_t>();
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      out[k] = column->values().template as<std::int64_t>()[row];
    }
  } else {
    auto* out = values.as_mutable<Int128>();
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [column, row] = source(k);
      out[k] = column->values().template as<Int128>()[row];
    }
  }
  return {type, n, std::move(values), std::move(validity)};
}
}  // namespace

Buffer Buffer::allocate(std::size_t size) {
  auto* memory = static_cast<std::uint8_t*>(::operator new(size + kPadding, kAlignment));
  std::memset(memory + size, 0, kPadding);
  return wrap(
      std::shared_ptr<const void>(memory, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlignment); }),
      memory, size);
}

Buffer Buffer::wrap(std::shared_ptr<const void> owner, const void* data, std::size_t size) {
  Buffer buffer;
  buffer.owner_ = std::move(owner);
  buffer.data_ = static_cast<const std::uint8_t*>(data);
  buffer.size_ = size;
  return buffer;
}

void ColumnBuilder::reserve(std::int64_t rows) {
  if (type_.width() > 0) values_.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(type_.width()));
  if (type_.is_bytes()) offsets_.reserve(static_cast<std::size_t>(rows) + 1);
}

void ColumnBuilder::grow_validity(bool valid) {
  if (valid && validity_.empty()) return;
  if (validity_.size() * 8 < static_cast<std::size_t>(size_) + 1) {
    if (validity_.empty()) {  // all rows so far are valid
      validity_.assign(bitmap_bytes(size_ + 1), 0xff);
    } else {
      validity_.resize(bitmap_bytes(size_ + 1), 0xff);
    }
  }
  set_bit(validity_.data(), size_, valid);
}

void ColumnBuilder::append_null() {
  grow_validity(false);
  if (type_.kind == TypeKind::boolean) {
    values_.resize(bitmap_bytes(size_ + 1), 0);
  } else if (type_.is_bytes()) {
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  } else {
    values_.resize(values_.size() + static_cast<std::size_t>(type_.width()), 0);
  }
  ++size_;
}

void ColumnBuilder::append_bool(bool v) {
  grow_validity(true);
  values_.resize(bitmap_bytes(size_ + 1), 0);
  set_bit(values_.data(), size_, v);
  ++size_;
}

void ColumnBuilder::append_fixed(const void* value, std::size_t width) {
  KAPPA_CHECK(static_cast<std::size_t>(type_.width()) == width, "the value fits the column's type");
  grow_validity(true);
  const auto* bytes = static_cast<const std::uint8_t*>(value);
  values_.insert(values_.end(), bytes, bytes + width);
  ++size_;
}

void ColumnBuilder::append_bytes(std::string_view v) {
  KAPPA_CHECK(type_.is_bytes(), "the value fits the column's type");
  grow_validity(true);
  offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  values_.insert(values_.end(), v.begin(), v.end());
  ++size_;
}

void ColumnBuilder::append_from(const Column& column, std::int64_t i) {
  if (column.is_null(i)) return append_null();
  switch (type_.kind) {
    case TypeKind::boolean: return append_bool(column.bit(i));
    case TypeKind::text:
    case TypeKind::bytea: return append_bytes(column.bytes(i));
    default: {
      const auto width = static_cast<std::size_t>(type_.width());
      return append_fixed(column.values().data() + static_cast<std::size_t>(i) * width, width);
    }
  }
}

Column ColumnBuilder::finish() {
  if (type_.is_bytes()) offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  Buffer offsets;
  if (type_.is_bytes()) {
    offsets = Buffer::allocate(offsets_.size() * 4);
    std::memcpy(offsets.mutable_data(), offsets_.data(), offsets_.size() * 4);
  }
  Column column(type_, size_, copy_of(values_), validity_.empty() ? Buffer() : copy_of(validity_), std::move(offsets));
  values_.clear();
  validity_.clear();
  offsets_.clear();
  size_ = 0;
  return column;
}

Column take(const Column& column, std::span<const std::int32_t> rows) {
  return assemble(column.type(), static_cast<std::int64_t>(rows.size()), column.may_have_nulls(), [&](std::int64_t k) {
    return std::pair(&column, static_cast<std::int64_t>(rows[static_cast<std::size_t>(k)]));
  });
}

Column gather(std::span<const Column* const> columns, std::span<const std::pair<std::int32_t, std::int32_t>> at) {
  bool may_have_nulls = false;
  for (const Column* column : columns) may_have_nulls |= column->may_have_nulls();
  return assemble(columns.front()->type(), static_cast<std::int64_t>(at.size()), may_have_nulls, [&](std::int64_t k) {
    const auto [c, row] = at[static_cast<std::size_t>(k)];
    return std::pair(columns[static_cast<std::size_t>(c)], static_cast<std::int64_t>(row));
  });
}

}  // namespace kappa
