// kappa/engine/row_codec.h: rows as compact bytes, for repartition records and for what a merge holds in a checkpoint.
//
// Layout (docs/FORMAT.md, "Row"): a null bitmap of ceil(columns / 8) bytes, bit i set = column i is null; then, for the
// columns that are not null, in schema order: boolean 1 byte; bigint, timestamptz, double 8 bytes and numeric, interval
// 16 bytes, little-endian; text and bytea a varint length and the bytes.
//
// Errors:   RowReader throws Error{failed} on bytes that are not such a row.
#pragma once

#include <string>
#include <string_view>

#include "kappa/engine/batch.h"
#include "kappa/engine/schema.h"

namespace kappa {

void append_row(std::string& out, const std::vector<Column>& columns, std::int64_t row);

/// Collects rows back into columns.
class RowReader {
 public:
  explicit RowReader(const Schema& schema);
  void add(std::string_view row);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  /// Leaves the reader empty.
  std::vector<Column> finish();

 private:
  std::vector<ColumnBuilder> builders_;
  std::int64_t rows_ = 0;
};

}  // namespace kappa
