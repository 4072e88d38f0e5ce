#include "kappa/operators/format/json_encoder.h"

#include "kappa/engine/value_text.h"

namespace kappa {

JsonEncoder::JsonEncoder(const JsonEncoderOptions& options) : key_columns_(options.key_columns) {
  const Schema& columns = options.columns;
  for (int i = 0; i < columns.size(); ++i) {
    std::string opening(i == 0 ? "{" : ",");
    append_json_string(opening, columns[i].name);
    openings_.push_back(opening + ":");
  }
  for (const int key : key_columns_) {
    if (key < 0 || key >= columns.size())
      usage_error("key column " + std::to_string(key) + ": there is no such column");
  }
}

void JsonEncoder::encode(const Batch& batch, EncodedRows& out) {
  KAPPA_CHECK(batch.columns.size() == openings_.size(), "a batch has its schema's columns");
  keys_.clear();
  for (const int key : key_columns_) keys_.push_back(&batch.columns[static_cast<std::size_t>(key)]);
  out.entries.reserve(out.entries.size() + static_cast<std::size_t>(batch.rows));
  std::string& bytes = out.bytes;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    EncodedRows::Entry entry;
    entry.row = static_cast<std::int32_t>(row);
    entry.key_begin = bytes.size();
    entry.key_is_null = !append_key(bytes, keys_, row);
    entry.key_end = bytes.size();
    for (std::size_t i = 0; i < openings_.size(); ++i) {
      bytes += openings_[i];
      append_json(bytes, batch.columns[i], row);
    }
    bytes += openings_.empty() ? "{}" : "}";
    entry.value_end = bytes.size();
    out.entries.push_back(entry);
  }
}

EncoderFactory json_encoder(JsonEncoderOptions options) {
  const JsonEncoder checks_the_options(options);
  return [options = std::move(options)] { return std::make_unique<JsonEncoder>(options); };
}

}  // namespace kappa
