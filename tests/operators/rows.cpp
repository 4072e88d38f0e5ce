#include "kappa/tests/operators/rows.h"

#include <fmt/format.h>

namespace kappa::testkit {

namespace {
void append(ColumnBuilder& builder, const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) return builder.append_null();
  switch (builder.type().kind) {
    case TypeKind::boolean: return builder.append_bool(std::get<bool>(cell));
    case TypeKind::bigint:
    case TypeKind::timestamptz: return builder.append_i64(std::get<std::int64_t>(cell));
    case TypeKind::float64: return builder.append_f64(std::get<double>(cell));
    case TypeKind::numeric: return builder.append_i128(std::get<Int128>(cell));
    case TypeKind::text:
    case TypeKind::bytea: return builder.append_bytes(std::get<std::string>(cell));
    case TypeKind::interval: return builder.append_interval(std::get<Interval>(cell));
  }
}

std::string digits(Int128 v) {
  if (v < 0) return "-" + digits(-v);
  const auto last = static_cast<char>('0' + static_cast<int>(v % 10));
  return (v >= 10 ? digits(v / 10) : std::string()) + last;
}
}  // namespace

Batch to_batch(const Schema& schema, const std::vector<Row>& rows, std::size_t begin, std::size_t end) {
  Batch batch = make_batch(static_cast<std::int64_t>(end - begin));
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t k = i - begin;
    batch.event_time.as_mutable<std::int64_t>()[k] = rows[i].event_time;
    batch.progress.as_mutable<std::int64_t>()[k] = rows[i].progress;
    batch.input.as_mutable<std::int32_t>()[k] = rows[i].input;
    batch.position.as_mutable<std::int64_t>()[k] = rows[i].position;
    batch.index.as_mutable<std::int32_t>()[k] = rows[i].index;
  }
  for (int c = 0; c < schema.size(); ++c) {
    ColumnBuilder builder(schema[c].type);
    for (std::size_t i = begin; i < end; ++i) append(builder, rows[i].cells[static_cast<std::size_t>(c)]);
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

Cell cell(const Column& column, std::int64_t row) {
  if (column.is_null(row)) return {};
  switch (column.type().kind) {
    case TypeKind::boolean: return column.bit(row);
    case TypeKind::bigint:
    case TypeKind::timestamptz: return column.i64()[row];
    case TypeKind::float64: return column.f64()[row];
    case TypeKind::numeric: return column.i128()[row];
    case TypeKind::text:
    case TypeKind::bytea: return std::string(column.bytes(row));
    case TypeKind::interval: return column.intervals()[row];
  }
  return {};
}

std::string text(const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) return "null";
  if (const auto* v = std::get_if<bool>(&cell)) return *v ? "true" : "false";
  if (const auto* v = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *v);
  if (const auto* v = std::get_if<double>(&cell)) return *v != *v ? "NaN" : fmt::format("{:a}", *v == 0 ? 0.0 : *v);
  if (const auto* v = std::get_if<Int128>(&cell)) return digits(*v) + "n";
  if (const auto* v = std::get_if<std::string>(&cell)) return "'" + *v + "'";
  const Interval v = std::get<Interval>(cell);
  return fmt::format("{}m{}d{}us", v.months, v.days, v.us);
}

std::string text(const Row& row) {
  std::string out = fmt::format("[{} {} {} {} {}]", row.event_time, row.progress, row.input, row.position, row.index);
  for (const Cell& c : row.cells) out += " " + text(c);
  return out;
}

std::vector<std::string> text(const std::vector<Row>& rows) {
  std::vector<std::string> lines;
  for (const Row& row : rows) lines.push_back(text(row));
  return lines;
}

std::vector<std::string> text(const std::vector<Batch>& batches) {
  std::vector<std::string> lines;
  for (const Batch& batch : batches)
    for (std::int64_t i = 0; i < batch.rows; ++i) {
      Row row{{},
              batch.event_times()[i],
              batch.progresses()[i],
              batch.inputs()[i],
              batch.positions()[i],
              batch.indexes()[i]};
      for (const Column& column : batch.columns) row.cells.push_back(cell(column, i));
      lines.push_back(text(row));
    }
  return lines;
}

}  // namespace kappa::testkit
