#include "kappa/operators/expression/kernel.h"

#include <algorithm>

namespace kappa {

void Failures::add(std::int64_t row, std::string cause) {
  if (rows_.empty() || rows_.back().first < row) {
    rows_.emplace_back(row, std::move(cause));
    return;
  }
  const auto at =
      std::lower_bound(rows_.begin(), rows_.end(), row, [](const auto& a, std::int64_t b) { return a.first < b; });
  if (at->first != row) rows_.emplace(at, row, std::move(cause));
}

bool Failures::contains(std::int64_t row) const {
  const auto at =
      std::lower_bound(rows_.begin(), rows_.end(), row, [](const auto& a, std::int64_t b) { return a.first < b; });
  return at != rows_.end() && at->first == row;
}

namespace expression {

namespace {
Buffer copy_bits(const Buffer& from, std::int64_t rows) {
  return pack_words(rows, [&](std::size_t w) { return word_or_ones(from.data(), w); });
}

// Validity of a row where all arguments are present. A text constant of one row is never null here.
Buffer strict_validity(const Frame& frame, bool& shared) {
  Buffer validity;
  shared = true;
  for (const Arg& arg : frame.args) {
    if (arg.one_row || !arg.column.may_have_nulls()) continue;
    if (validity.empty()) {
      validity = arg.column.validity();
      continue;
    }
    const Buffer& other = arg.column.validity();
    validity =
        pack_words(frame.rows, [&](std::size_t w) { return word_at(validity.data(), w) & word_at(other.data(), w); });
    shared = false;
  }
  return validity;
}

template <class T>
Buffer blend_fixed(std::int64_t rows, std::span<const Part> parts) {
  Buffer values = Buffer::allocate(static_cast<std::size_t>(rows) * sizeof(T));
  std::memset(values.mutable_data(), 0, values.size());
  T* out = values.as_mutable<T>();
  for (const Part& part : parts) {
    const T* in = part.column.values().as<T>();
    for (std::size_t w = 0; w < word_count(rows); ++w)
      for_each_bit(part.mask[w] & row_bits(rows, w), w, [&](std::int64_t i) { out[i] = in[i]; });
  }
  return values;
}

std::pair<Buffer, Buffer> blend_text(std::int64_t rows, std::span<const Part> parts) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> part_of(static_cast<std::size_t>(rows), kNone);
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (std::size_t w = 0; w < word_count(rows); ++w)
      for_each_bit(parts[p].mask[w] & row_bits(rows, w), w,
                   [&](std::int64_t i) { part_of[static_cast<std::size_t>(i)] = p; });
  TextWriter writer(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::size_t p = part_of[static_cast<std::size_t>(i)];
    if (p == kNone || parts[p].column.is_null(i)) continue;
    writer.begin(i).append(parts[p].column.bytes(i));
    KAPPA_CHECK(!writer.full(), "a batch's text is bounded by the record size and batch.rows");
  }
  return writer.finish();
}
}  // namespace

Words words_of(RowMask mask, std::int64_t rows) {
  Words words(word_count(rows));
  for (std::size_t w = 0; w < words.size(); ++w) words[w] = word_or_ones(mask, w) & row_bits(rows, w);
  return words;
}

bool any_bit(const Words& words, std::int64_t rows) {
  for (std::size_t w = 0; w < words.size(); ++w)
    if ((words[w] & row_bits(rows, w)) != 0) return true;
  return false;
}

std::string_view cause_of(Fault fault) {
  switch (fault) {
    case Fault::none: return "";
    case Fault::bigint_range: return "bigint out of range";
    case Fault::double_range: return "double precision out of range";
    case Fault::numeric_range: return "numeric out of range (38 digits)";
    case Fault::timestamp_range: return "timestamptz out of range (years 1 to 9999)";
    case Fault::interval_range: return "interval out of range";
    case Fault::division_by_zero: return "division by zero";
    case Fault::domain: return "argument outside the function's domain";
  }
  return "";
}

Result::Result(const Frame& frame) : frame_(frame), validity_(strict_validity(frame, shared_)) {}

void Result::set_null(std::int64_t row) {
  if (shared_) {
    validity_ = copy_bits(validity_, frame_.rows);
    shared_ = false;
  }
  set_bit(validity_.mutable_data(), row, false);
}

void Result::fail(std::int64_t row, std::string_view cause) {
  set_null(row);
  if (where_.empty()) where_ = " in " + frame_.self.text();
  frame_.failures.add(row, std::string(cause) + where_);
}

TextWriter::TextWriter(std::int64_t rows)
    : rows_(rows), offsets_(Buffer::allocate(static_cast<std::size_t>(rows + 1) * 4)) {}

std::string& TextWriter::begin(std::int64_t row) {
  auto* offsets = offsets_.as_mutable<std::int32_t>();
  for (; filled_ <= row; ++filled_) offsets[filled_] = static_cast<std::int32_t>(bytes_.size());
  return bytes_;
}

std::pair<Buffer, Buffer> TextWriter::finish() {
  begin(rows_);
  Buffer values = Buffer::allocate(bytes_.size());
  if (!bytes_.empty()) std::memcpy(values.mutable_data(), bytes_.data(), bytes_.size());
  return {std::move(values), std::move(offsets_)};
}

Column blend(Type type, std::int64_t rows, std::span<const Part> parts) {
  Buffer validity = pack_words(rows, [&](std::size_t w) {
    std::uint64_t valid = 0;
    for (const Part& part : parts) valid |= part.mask[w] & word_or_ones(part.column.validity().data(), w);
    return valid;
  });
  if (type.is_bytes()) {
    auto [values, offsets] = blend_text(rows, parts);
    return {type, rows, std::move(values), std::move(validity), std::move(offsets)};
  }
  if (type.kind == TypeKind::boolean) {
    Buffer values = pack_words(rows, [&](std::size_t w) {
      std::uint64_t bits = 0;
      for (const Part& part : parts) bits |= part.mask[w] & word_at(part.column.values().data(), w);
      return bits;
    });
    return {type, rows, std::move(values), std::move(validity)};
  }
  Buffer values = type.width() == 8 ? blend_fixed<std::int64_t>(rows, parts) : blend_fixed<Int128>(rows, parts);
  return {type, rows, std::move(values), std::move(validity)};
}

Column without_failed(Column column, const Failures& failures) {
  if (failures.empty()) return column;
  Buffer validity = copy_bits(column.validity(), column.size());
  for (const auto& failure : failures.rows())
    if (failure.first < column.size()) set_bit(validity.mutable_data(), failure.first, false);
  return {column.type(), column.size(), column.values(), std::move(validity), column.offsets()};
}

}  // namespace expression
}  // namespace kappa
