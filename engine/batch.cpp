#include "kappa/engine/batch.h"

#include <algorithm>
#include <numeric>

namespace kappa {

namespace {
template <class T>
Buffer take_buffer(const Buffer& from, std::span<const std::int32_t> rows) {
  Buffer buffer = Buffer::allocate(rows.size() * sizeof(T));
  T* out = buffer.as_mutable<T>();
  const T* in = from.as<T>();
  for (std::size_t k = 0; k < rows.size(); ++k) out[k] = in[rows[k]];
  return buffer;
}

using Place = std::pair<std::int32_t, std::int32_t>;  // part, row

template <class T>
Buffer gather_buffer(std::span<const Batch> parts, std::span<const Place> at, Buffer Batch::*member) {
  Buffer buffer = Buffer::allocate(at.size() * sizeof(T));
  T* out = buffer.as_mutable<T>();
  for (std::size_t k = 0; k < at.size(); ++k)
    out[k] = (parts[static_cast<std::size_t>(at[k].first)].*member).template as<T>()[at[k].second];
  return buffer;
}

std::string_view upstream_key(const Batch& batch, std::int64_t row) {
  return batch.upstream_keys.size() == 0 || batch.upstream_keys.is_null(row) ? std::string_view()
                                                                             : batch.upstream_keys.bytes(row);
}

// The places of all rows in merged order: a k-way merge by (progress, input, position, part, index); parts are few.
std::vector<Place> merged_places(std::span<const Batch> parts) {
  std::vector<Place> at;
  std::vector<std::int32_t> next(parts.size(), 0);
  for (;;) {
    std::int32_t best = -1;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (next[p] == parts[p].rows) continue;
      const auto b = static_cast<std::size_t>(best);
      if (best < 0 || compare_origin(parts[p], next[p], parts[b], next[b]) < 0) best = static_cast<std::int32_t>(p);
    }
    if (best < 0) return at;
    at.emplace_back(best, next[static_cast<std::size_t>(best)]++);
  }
}

Column gather_column(std::span<const Batch> parts, std::span<const Place> at, std::size_t c) {
  std::vector<const Column*> columns;
  for (const Batch& part : parts) columns.push_back(&part.columns[c]);
  return gather(columns, at);
}

Column gather_upstream_keys(std::span<const Batch> parts, std::span<const Place> at) {
  if (std::all_of(parts.begin(), parts.end(), [](const Batch& b) { return b.upstream_keys.size() == 0; })) return {};
  ColumnBuilder builder(Type::bytea());
  for (const auto& [p, row] : at) {
    const Batch& part = parts[static_cast<std::size_t>(p)];
    if (part.upstream_keys.size() == 0)
      builder.append_null();
    else
      builder.append_from(part.upstream_keys, row);
  }
  return builder.finish();
}

// The rows at `at`, in that order; `index` as it was.
Batch gather_batch(std::span<const Batch> parts, std::span<const Place> at) {
  Batch out;
  out.rows = static_cast<std::int64_t>(at.size());
  out.event_time = gather_buffer<std::int64_t>(parts, at, &Batch::event_time);
  out.progress = gather_buffer<std::int64_t>(parts, at, &Batch::progress);
  out.input = gather_buffer<std::int32_t>(parts, at, &Batch::input);
  out.position = gather_buffer<std::int64_t>(parts, at, &Batch::position);
  out.index = gather_buffer<std::int32_t>(parts, at, &Batch::index);
  out.upstream_keys = gather_upstream_keys(parts, at);
  for (std::size_t c = 0; c < parts.front().columns.size(); ++c) out.columns.push_back(gather_column(parts, at, c));
  return out;
}
}  // namespace

Batch make_batch(std::int64_t rows) {
  Batch batch;
  batch.rows = rows;
  const auto n = static_cast<std::size_t>(rows);
  batch.event_time = Buffer::allocate(n * 8);
  batch.progress = Buffer::allocate(n * 8);
  batch.input = Buffer::allocate(n * 4);
  batch.position = Buffer::allocate(n * 8);
  batch.index = Buffer::allocate(n * 4);
  return batch;
}

Batch take(const Batch& batch, std::span<const std::int32_t> rows) {
  Batch out;
  out.rows = static_cast<std::int64_t>(rows.size());
  out.event_time = take_buffer<std::int64_t>(batch.event_time, rows);
  out.progress = take_buffer<std::int64_t>(batch.progress, rows);
  out.input = take_buffer<std::int32_t>(batch.input, rows);
  out.position = take_buffer<std::int64_t>(batch.position, rows);
  out.index = take_buffer<std::int32_t>(batch.index, rows);
  if (batch.upstream_keys.size() > 0) out.upstream_keys = take(batch.upstream_keys, rows);
  for (const Column& column : batch.columns) out.columns.push_back(take(column, rows));
  return out;
}

Batch with_columns(const Batch& batch, std::vector<Column> columns) {
  Batch out = batch;
  out.columns = std::move(columns);
  return out;
}

int compare_origin(const Batch& a, std::int64_t row_a, const Batch& b, std::int64_t row_b) {
  if (a.progresses()[row_a] != b.progresses()[row_b]) return a.progresses()[row_a] < b.progresses()[row_b] ? -1 : 1;
  if (a.inputs()[row_a] != b.inputs()[row_b]) return a.inputs()[row_a] < b.inputs()[row_b] ? -1 : 1;
  if (a.positions()[row_a] != b.positions()[row_b]) return a.positions()[row_a] < b.positions()[row_b] ? -1 : 1;
  return upstream_key(a, row_a).compare(upstream_key(b, row_b));
}

Batch concat(std::span<const Batch> parts) {
  KAPPA_CHECK(!parts.empty(), "a concatenation has at least one part");
  if (parts.size() == 1) return parts.front();
  std::vector<Place> at;
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (std::int32_t row = 0; row < parts[p].rows; ++row) at.emplace_back(static_cast<std::int32_t>(p), row);
  return gather_batch(parts, at);
}

Batch slice(const Batch& batch, std::int64_t from, std::int64_t to) {
  if (from == 0 && to == batch.rows) return batch;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(to - from));
  std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(from));
  return take(batch, rows);
}

Batch merge_by_order(std::span<const Batch> parts) {
  KAPPA_CHECK(!parts.empty(), "a merge has at least one part");
  Batch out = gather_batch(parts, merged_places(parts));
  auto* index = out.index.as_mutable<std::int32_t>();
  for (std::int64_t k = 0; k < out.rows; ++k)
    index[k] = k > 0 && compare_origin(out, k, out, k - 1) == 0 ? index[k - 1] + 1 : 0;
  return out;
}

}  // namespace kappa
