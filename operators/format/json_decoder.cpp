#include "kappa/operators/format/json_decoder.h"

#include <cstring>

#include "kappa/engine/time_text.h"
#include "kappa/engine/value_text.h"
#include "kappa/operators/format/decode_rows.h"
#include "kappa/operators/format/json_number.h"
#include "kappa/operators/format/json_value.h"

namespace kappa {

namespace {

constexpr std::size_t kCauseMax = 200;  // bytes; causes travel in record headers

std::vector<std::string> split_path(const std::string& column, const std::string& path) {
  std::vector<std::string> names(1);
  for (const char c : path) {
    if (c == '.') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  for (const std::string& name : names) {
    if (name.empty()) usage_error("path." + column + " = '" + path + "': a name in it is empty");
  }
  if (names.size() > static_cast<std::size_t>(JsonScanner::kDepthMax)) {
    usage_error("path." + column + ": deeper than documents may be (" + std::to_string(JsonScanner::kDepthMax) + ")");
  }
  return names;
}

std::vector<std::vector<std::string>> paths_of(const JsonDecoderOptions& options) {
  std::vector<std::vector<std::string>> paths;
  for (int i = 0; i < options.columns.size(); ++i) {
    const std::string& column = options.columns[i].name;
    const auto path = options.paths.find(column);
    if (path != options.paths.end()) {
      paths.push_back(split_path(column, path->second));
    } else {
      paths.push_back({options.json_names.empty() ? column : options.json_names[static_cast<std::size_t>(i)]});
    }
  }
  return paths;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ".") + name;
  return text;
}

}  // namespace

std::int64_t timestamp_unit_us(const std::string& name) {
  if (name == "ms") return 1000;
  if (name == "s") return 1'000'000;
  if (name == "us") return 1;
  usage_error("timestamp_unit = '" + name + "': it is ms, s or us");
}

JsonDecoder::JsonDecoder(const JsonDecoderOptions& options)
    : unit_us_(timestamp_unit_us(options.timestamp_unit)), record_bytes_max_(options.record_bytes_max) {
  constexpr std::int64_t kRecordBytesMax = 16 << 20;
  if (record_bytes_max_ < 1 || record_bytes_max_ > kRecordBytesMax) {
    usage_error("the greatest size of a JSON record must be 1 byte to 16 MiB");
  }
  if (options.columns.size() == 0) usage_error("a JSON source needs at least one column");
  if (!options.json_names.empty() && options.json_names.size() != options.columns.fields().size()) {
    usage_error("a JSON source needs one field name for each column");
  }
  for (const auto& [column, path] : options.paths) {
    if (!options.columns.find(column)) usage_error("path." + column + " = '" + path + "': there is no such column");
  }
  const auto paths = paths_of(options);
  for (int i = 0; i < options.columns.size(); ++i) {
    const Field& field = options.columns[i];
    targets_.push_back({ColumnWriter(field.type), joined(paths[static_cast<std::size_t>(i)]), field.nullable});
  }
  scanner_ = std::make_unique<JsonScanner>(JsonFields(paths));
}

void JsonDecoder::decode(std::span<const RecordView> records, Result& result) {
  decode_rows(
      records, targets_, result,
      [this](const RecordView& record, std::int64_t row) { return decode_record(record, row); },
      [this] { return std::string(utf8_prefix(cause_, kCauseMax)); });
}

bool JsonDecoder::decode_record(const RecordView& record, std::int64_t row) {
  if (record.value_size == 0) {
    cause_ = "empty value";
    return false;
  }
  if (record.value_size > record_bytes_max_) {
    cause_ = "the value has " + std::to_string(record.value_size) + " bytes, more than the limit of " +
             std::to_string(record_bytes_max_);
    return false;
  }
  document_ = record.value();
  if (!scanner_->scan(document_)) {
    cause_ = scanner_->error();
    return false;
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (!convert(targets_[i], scanner_->found(i), row)) return false;
  }
  return true;
}

inline bool JsonDecoder::convert(Target& target, std::int64_t offset, std::int64_t row) {
  const char* const text = document_.data() + offset;
  if (offset < 0 || *text == 'n') {
    if (!target.nullable) return reject_null(target, offset < 0);
    target.writer.set_null(row);
    return true;
  }
  switch (target.writer.type().kind) {
    case TypeKind::bigint:
    case TypeKind::float64:
    case TypeKind::numeric: return convert_number(target, text, row);
    case TypeKind::timestamptz: return convert_timestamp(target, text, row);
    case TypeKind::boolean:
      if (*text != 't' && *text != 'f') return reject(target, text, "is not a boolean");
      target.writer.set_bool(row, *text == 't');
      return true;
    default: return convert_string(target, text, row);
  }
}

inline bool JsonDecoder::convert_number(Target& target, const char* text, std::int64_t row) {
  const Type type = target.writer.type();
  if (type.kind == TypeKind::bigint) {
    std::int64_t value = 0;
    if (!starts_number(*text) || !read_bigint(text, value)) return reject(target, text, "is not a bigint");
    target.writer.set<std::int64_t>(row, value);
    return true;
  }
  if (type.kind == TypeKind::float64) {
    std::optional<double> value;
    if (starts_number(*text)) {
      value = json_double(text);
      if (!value) return reject(target, text, "is out of range for double precision");
    } else if (*text == '"') {
      const std::string_view content = string_content(text);
      if (content == "NaN") value = std::numeric_limits<double>::quiet_NaN();
      if (content == "Infinity") value = std::numeric_limits<double>::infinity();
      if (content == "-Infinity") value = -std::numeric_limits<double>::infinity();
    }
    if (!value) return reject(target, text, "is not a double precision number");
    target.writer.set<double>(row, *value);
    return true;
  }
  const char* number = text;
  if (*text == '"') {
    // What stands in the string must be a number, no more and no less; it ends at the closing quote at the latest.
    const std::string_view content = string_content(text);
    number = content.data();
    if (content.empty() || json_number_end(number) != number + content.size()) number = text;
  }
  if (!starts_number(*number)) return reject(target, text, "is not a number");
  const auto value = json_numeric(number, type.precision, type.scale);
  if (!value) return reject(target, text, ("does not fit " + to_string(type)).c_str());
  target.writer.set<Int128>(row, *value);
  return true;
}

inline bool JsonDecoder::convert_timestamp(Target& target, const char* text, std::int64_t row) {
  if (starts_number(*text)) [[likely]] {
    std::int64_t value = 0, us = 0;
    if (!read_bigint(text, value) || __builtin_mul_overflow(value, unit_us_, &us))
      return reject(target, text, "is not a timestamptz");
    target.writer.set<std::int64_t>(row, us);
    return true;
  }
  const auto value = *text == '"' ? parse_timestamp(string_content(text)) : std::nullopt;
  if (!value) return reject(target, text, "is not a timestamptz");
  target.writer.set<std::int64_t>(row, *value);
  return true;
}

bool JsonDecoder::convert_string(Target& target, const char* text, std::int64_t row) {
  const Type type = target.writer.type();
  if (*text != '"') return reject(target, text, type.kind == TypeKind::text ? "is not a string" : "is not in a string");
  const std::string_view content = string_content(text);
  if (type.kind == TypeKind::text) {
    target.writer.set_bytes(row, [&](std::string& out) { out += content; });
    return true;
  }
  if (type.kind == TypeKind::bytea) {
    bool valid = false;
    target.writer.set_bytes(row, [&](std::string& out) { valid = append_base64_decoded(out, content); });
    return valid || reject(target, text, "is not base64");
  }
  const auto value = parse_interval(content);
  if (!value) return reject(target, text, "is not an interval");
  target.writer.set<Interval>(row, *value);
  return true;
}

// Valid until the next call.
std::string_view JsonDecoder::string_content(const char* text) {
  if (!scanner_->has_escapes()) {
    const auto* end = static_cast<const char*>(std::memchr(text + 1, '"', document_.size()));
    return {text + 1, static_cast<std::size_t>(end - text - 1)};
  }
  const std::string_view raw = json_string(text);
  if (raw.find('\\') == std::string_view::npos) return raw;
  content_.clear();
  append_unescaped(content_, raw);
  // Numbers are read eight bytes at a time: those behind the content must be there.
  content_.reserve(content_.size() + 8);
  return content_;
}

bool JsonDecoder::reject(const Target& target, const char* text, const char* why) {
  constexpr std::size_t kFieldShownMax = 64;
  cause_ = "field " + std::string(utf8_prefix(target.field, kFieldShownMax)) + ": " +
           describe_json(text, document_.data() + document_.size()) + " " + why;
  return false;
}

bool JsonDecoder::reject_null(const Target& target, bool missing) {
  constexpr std::size_t kFieldShownMax = 64;
  cause_ = "field " + std::string(utf8_prefix(target.field, kFieldShownMax)) +
           (missing ? " is missing, but its column is NOT NULL" : " is null, but its column is NOT NULL");
  return false;
}

DecoderFactory json_decoder(JsonDecoderOptions options) {
  const JsonDecoder checks_the_options(options);
  return [options = std::move(options)] { return std::make_unique<JsonDecoder>(options); };
}

}  // namespace kappa
