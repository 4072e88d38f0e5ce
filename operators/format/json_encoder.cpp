#include "kappa/operators/format/json_encoder.h"

#include "kappa/engine/time_text.h"
#include "kappa/engine/value_text.h"

namespace kappa {

JsonEncoder::JsonEncoder(const JsonEncoderOptions& options)
    : key_columns_(options.key_columns), key_as_array_(options.key_as_array) {
  const Schema& columns = options.columns;
  for (int i = 0; i < columns.size(); ++i) {
    std::string opening(i == 0 ? "{" : ",");
    append_json_string(opening, columns[i].name);
    targets_.push_back({opening + ":", 0, {}});
  }
  for (const int key : key_columns_) {
    if (key < 0 || key >= columns.size())
      usage_error("key column " + std::to_string(key) + ": there is no such column");
  }
}

void JsonEncoder::encode(const Batch& batch, EncodedRows& out) {
  KAPPA_CHECK(batch.columns.size() == targets_.size(), "a batch has its schema's columns");
  keys_.clear();
  for (const int key : key_columns_) keys_.push_back(&batch.columns[static_cast<std::size_t>(key)]);
  out.entries.reserve(out.entries.size() + static_cast<std::size_t>(batch.rows));
  std::string& bytes = out.bytes;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    EncodedRows::Entry entry;
    entry.row = static_cast<std::int32_t>(row);
    entry.key_begin = bytes.size();
    entry.key_is_null = !append_key(bytes, keys_, row, key_as_array_);
    entry.key_end = bytes.size();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const Column& column = batch.columns[i];
      bytes += targets_[i].opening;
      if (column.type().kind == TypeKind::timestamptz && !column.is_null(row)) {
        append_instant(bytes, targets_[i], column.i64()[row]);
      } else {
        append_json(bytes, column, row);
      }
    }
    bytes += targets_.empty() ? "{}" : "}";
    entry.value_end = bytes.size();
    out.entries.push_back(entry);
  }
}

void JsonEncoder::append_instant(std::string& out, Target& target, std::int64_t us) {
  if (target.instant_us != us || target.instant.empty()) {
    target.instant_us = us;
    target.instant = '"';
    append_timestamp(target.instant, us);
    target.instant += '"';
  }
  out += target.instant;
}

EncoderFactory json_encoder(JsonEncoderOptions options) {
  const JsonEncoder checks_the_options(options);
  return [options = std::move(options)] { return std::make_unique<JsonEncoder>(options); };
}

}  // namespace kappa
