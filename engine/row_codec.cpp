#include "kappa/engine/row_codec.h"

#include "kappa/engine/bytes.h"

namespace kappa {

void append_row(std::string& out, const std::vector<Column>& columns, std::int64_t row) {
  const std::size_t bitmap = out.size();
  out.append((columns.size() + 7) / 8, '\0');
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column& column = columns[c];
    if (column.is_null(row)) {
      out[bitmap + c / 8] = static_cast<char>(out[bitmap + c / 8] | 1 << (c % 8));
    } else if (column.type().is_bytes()) {
      append_sized(out, column.bytes(row));
    } else if (column.type().kind == TypeKind::boolean) {
      append_u8(out, column.bit(row) ? 1 : 0);
    } else {
      const auto width = static_cast<std::size_t>(column.type().width());
      out.append(column.values().as<char>() + static_cast<std::size_t>(row) * width, width);
    }
  }
}

RowReader::RowReader(const Schema& schema) {
  for (const Field& field : schema.fields()) builders_.emplace_back(field.type);
}

void RowReader::add(std::string_view row) {
  ByteReader bytes(row, "a row");
  const std::string_view nulls = bytes.take((builders_.size() + 7) / 8);
  for (std::size_t c = 0; c < builders_.size(); ++c) {
    ColumnBuilder& builder = builders_[c];
    if (nulls[c / 8] >> (c % 8) & 1) {
      builder.append_null();
    } else if (builder.type().is_bytes()) {
      builder.append_bytes(bytes.sized());
    } else if (builder.type().kind == TypeKind::boolean) {
      builder.append_bool(bytes.u8() != 0);
    } else {
      const std::string_view value = bytes.take(static_cast<std::size_t>(builder.type().width()));
      if (value.size() == 8) {
        std::int64_t v = 0;
        std::memcpy(&v, value.data(), 8);
        builder.append_i64(v);
      } else {
        Int128 v = 0;
        std::memcpy(&v, value.data(), 16);
        builder.append_i128(v);
      }
    }
  }
  if (!bytes.at_end()) fail("a row has bytes after its last column");
  ++rows_;
}

std::vector<Column> RowReader::finish() {
  std::vector<Column> columns;
  for (ColumnBuilder& builder : builders_) columns.push_back(builder.finish());
  rows_ = 0;
  return columns;
}

}  // namespace kappa
