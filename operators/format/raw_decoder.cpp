#include "kappa/operators/format/raw_decoder.h"

#include "kappa/engine/value_text.h"
#include "kappa/operators/format/decode_rows.h"

namespace kappa {

RawDecoder::RawDecoder(const Schema& columns) {
  if (columns.size() == 0) usage_error("a raw source needs at least one column: key, value, timestamp");
  for (const Field& field : columns.fields()) {
    Part part = Part::value;
    if (field.name == "key" || field.name == "value") {
      part = field.name == "key" ? Part::key : Part::value;
      if (!field.type.is_bytes()) usage_error("column " + field.name + " of a raw source is text or bytea");
    } else if (field.name == "timestamp") {
      part = Part::timestamp;
      if (field.type != Type::timestamptz()) usage_error("column timestamp of a raw source is timestamptz");
    } else {
      usage_error("column " + field.name + ": a raw source has key, value and timestamp");
    }
    targets_.push_back({ColumnWriter(field.type), part, field.nullable});
  }
}

void RawDecoder::decode(std::span<const RecordView> records, Result& result) {
  const auto decode_record = [this](const RecordView& record, std::int64_t row) {
    bool valid = true;
    for (Target& target : targets_) valid = valid && decode_part(target, record, row);
    return valid;
  };
  decode_rows(records, targets_, result, decode_record, [this] { return cause_; });
}

bool RawDecoder::decode_part(Target& target, const RecordView& record, std::int64_t row) {
  if (target.part == Part::timestamp) {
    std::int64_t us = 0;
    if (__builtin_mul_overflow(record.timestamp_ms, std::int64_t{1000}, &us)) {
      cause_ = "the record's timestamp is out of range: " + std::to_string(record.timestamp_ms) + " ms";
      return false;
    }
    target.writer.set<std::int64_t>(row, us);
    return true;
  }
  const bool is_key = target.part == Part::key;
  const char* const name = is_key ? "key" : "value";
  if (is_key ? record.key_is_null() : record.value_is_null()) {
    if (!target.nullable) {
      cause_ = std::string("the record's ") + name + " is null, but its column is NOT NULL";
      return false;
    }
    target.writer.set_null(row);
    return true;
  }
  const std::string_view bytes = is_key ? record.key() : record.value();
  if (target.writer.type().kind == TypeKind::text && !is_utf8(bytes)) {
    cause_ = std::string("the record's ") + name + " is not valid UTF-8: declare the column as bytea";
    return false;
  }
  target.writer.set_bytes(row, [&](std::string& out) { out += bytes; });
  return true;
}

DecoderFactory raw_decoder(const Schema& columns) {
  const RawDecoder checks_the_columns(columns);
  return [columns] { return std::make_unique<RawDecoder>(columns); };
}

}  // namespace kappa
