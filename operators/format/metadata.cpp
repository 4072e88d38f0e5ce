#include "kappa/operators/format/metadata.h"

#include <algorithm>
#include <cstring>

#include "kappa/engine/time_text.h"
#include "kappa/engine/value_text.h"
#include "kappa/operators/expression/numeric.h"
#include "kappa/operators/expression/value_parse.h"
#include "kappa/operators/format/column_writer.h"
#include "kappa/operators/format/json_value.h"

namespace kappa {

namespace {

constexpr std::string_view kHeaderPrefix = "header:";

enum class Beside : std::uint8_t { key, header, topic, partition, offset, timestamp };

std::optional<Beside> beside_of(const std::string& metadata) {
  if (metadata.size() > kHeaderPrefix.size() && metadata.starts_with(kHeaderPrefix)) return Beside::header;
  if (metadata == "key") return Beside::key;
  if (metadata == "topic") return Beside::topic;
  if (metadata == "partition") return Beside::partition;
  if (metadata == "offset") return Beside::offset;
  if (metadata == "timestamp") return Beside::timestamp;
  return std::nullopt;
}

[[noreturn]] void unknown_metadata(const std::string& column, const std::string& metadata) {
  const bool header = metadata.starts_with("header") || metadata.starts_with("Header");
  const std::string nearest =
      header ? "" : nearest_word(metadata, {"key", "topic", "partition", "offset", "timestamp"});
  usage_error("metadata." + column + " = '" + metadata + "' is not known; " +
              (header             ? "write metadata." + column + " = 'header:NAME' with the header's name"
               : !nearest.empty() ? "did you mean '" + nearest + "'?"
                                  : "it is one of 'key', 'header:NAME', 'topic', 'partition', 'offset', 'timestamp'"));
}

// The one type that holds it; none where it is text that any type may be read from.
std::optional<Type> type_of(Beside beside) {
  switch (beside) {
    case Beside::topic: return Type::text();
    case Beside::partition:
    case Beside::offset: return Type::bigint();
    case Beside::timestamp: return Type::timestamptz();
    default: return std::nullopt;
  }
}

class MetadataDecoder : public Decoder {
 public:
  MetadataDecoder(std::unique_ptr<Decoder> values, TopicPartition at, std::int64_t unit_us)
      : values_(std::move(values)), at_(std::move(at)), unit_us_(unit_us) {}

  void add(const Field& column, const std::string& metadata, int place) {
    const std::string header = metadata.starts_with(kHeaderPrefix) ? metadata.substr(kHeaderPrefix.size()) : "";
    targets_.push_back({ColumnWriter(column.type), *beside_of(metadata), header, column.name, column.nullable, place});
  }

  void decode(std::span<const RecordView> records, Result& result) override;
  [[nodiscard]] bool reads_headers() const override {
    return std::any_of(targets_.begin(), targets_.end(), [](const Target& t) { return t.beside == Beside::header; });
  }

 private:
  struct Target {
    ColumnWriter writer;
    Beside beside = Beside::key;
    std::string header, column;
    bool nullable = true;
    int place = 0;  // among all columns
  };
  bool decode_record(const RecordView& record, std::int64_t row);
  bool decode_target(Target& target, const RecordView& record, std::int64_t row);
  bool read_text(Target& target, std::string_view text, std::int64_t row);
  bool read_time(Target& target, std::string_view text, std::int64_t row);
  bool reject(const Target& target, const std::string& what);
  void drop(const std::vector<std::int32_t>& kept, std::vector<Failure> failures, Result& result);

  std::unique_ptr<Decoder> values_;  // null: there are no other columns
  TopicPartition at_;
  std::int64_t unit_us_;
  std::vector<Target> targets_;
  std::string cause_;
};

void MetadataDecoder::decode(std::span<const RecordView> records, Result& result) {
  result.columns.clear();
  result.records.clear();
  result.failures.clear();
  if (values_) values_->decode(records, result);
  const bool dense = result.failures.empty();
  const auto rows = static_cast<std::int64_t>(dense ? records.size() : result.records.size());
  for (Target& target : targets_) target.writer.start(rows);
  std::vector<std::int32_t> kept;  // rows, once one has failed
  std::vector<Failure> failures;
  std::int64_t written = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int32_t r = dense ? static_cast<std::int32_t>(row) : result.records[static_cast<std::size_t>(row)];
    if (decode_record(records[static_cast<std::size_t>(r)], written)) [[likely]] {
      ++written;
      if (!failures.empty()) kept.push_back(static_cast<std::int32_t>(row));
      continue;
    }
    if (failures.empty())
      for (std::int32_t before = 0; before < row; ++before) kept.push_back(before);
    failures.push_back({r, cause_});
  }
  if (!failures.empty()) drop(kept, std::move(failures), result);
  for (Target& target : targets_)  // in ascending order of their places
    result.columns.insert(result.columns.begin() + target.place, target.writer.finish(written));
}

// Takes the rows that failed here out of what the other decoder has made.
void MetadataDecoder::drop(const std::vector<std::int32_t>& kept, std::vector<Failure> failures, Result& result) {
  const bool dense = result.failures.empty();
  for (Column& column : result.columns) column = take(column, kept);
  std::vector<std::int32_t> records;
  records.reserve(kept.size());
  for (const std::int32_t row : kept) records.push_back(dense ? row : result.records[static_cast<std::size_t>(row)]);
  result.records = std::move(records);
  const auto middle = static_cast<std::ptrdiff_t>(result.failures.size());
  std::move(failures.begin(), failures.end(), std::back_inserter(result.failures));
  std::inplace_merge(result.failures.begin(), result.failures.begin() + middle, result.failures.end(),
                     [](const Failure& a, const Failure& b) { return a.record < b.record; });
}

bool MetadataDecoder::decode_record(const RecordView& record, std::int64_t row) {
  return std::all_of(targets_.begin(), targets_.end(),
                     [&](Target& target) { return decode_target(target, record, row); });
}

bool MetadataDecoder::decode_target(Target& target, const RecordView& record, std::int64_t row) {
  std::optional<std::string_view> text;
  switch (target.beside) {
    case Beside::partition: target.writer.set<std::int64_t>(row, at_.partition); return true;
    case Beside::offset: target.writer.set<std::int64_t>(row, record.offset); return true;
    case Beside::timestamp: {
      std::int64_t us = 0;
      if (__builtin_mul_overflow(record.timestamp_ms, std::int64_t{1000}, &us))
        return reject(target, "the record's timestamp is out of range: " + std::to_string(record.timestamp_ms) + " ms");
      target.writer.set<std::int64_t>(row, us);
      return true;
    }
    case Beside::topic: text = at_.topic; break;
    case Beside::key:
      if (!record.key_is_null()) text = record.key();
      break;
    case Beside::header:
      if (const std::optional<Header> header = header_of(record, target.header); header && !header->value_is_null)
        text = header->value;
      break;
  }
  if (text) return read_text(target, *text, row);
  if (!target.nullable)
    return reject(target, target.beside == Beside::key
                              ? "the record's key is null, but the column is NOT NULL"
                              : "the record has no header \"" + target.header + "\", but the column is NOT NULL");
  target.writer.set_null(row);
  return true;
}

bool MetadataDecoder::read_text(Target& target, std::string_view text, std::int64_t row) {
  const Type type = target.writer.type();
  switch (type.kind) {
    case TypeKind::bytea: target.writer.set_bytes(row, [&](std::string& out) { out += text; }); return true;
    case TypeKind::text:
      if (!is_utf8(text)) return reject(target, "the bytes are not valid UTF-8: declare the column as bytea");
      target.writer.set_bytes(row, [&](std::string& out) { out += text; });
      return true;
    case TypeKind::bigint:
      if (const auto value = parse_bigint(text)) return target.writer.set(row, *value), true;
      break;
    case TypeKind::float64:
      if (const auto value = parse_double(text)) return target.writer.set(row, *value), true;
      break;
    case TypeKind::boolean:
      if (const auto value = parse_boolean(text)) return target.writer.set_bool(row, *value), true;
      break;
    case TypeKind::numeric: {
      const auto value = parse_decimal(text, type.scale);
      Int128 scaled = 0;
      if (value && numeric_rescale(value->value, value->scale, type.scale, scaled) &&
          fits_precision(scaled, type.precision))
        return target.writer.set(row, scaled), true;
      break;
    }
    case TypeKind::timestamptz: return read_time(target, text, row);
    case TypeKind::interval:
      if (const auto value = parse_interval(text)) return target.writer.set(row, *value), true;
      break;
  }
  constexpr std::size_t kTextShownMax = 64;
  std::string shown;
  append_json_string(shown, utf8_prefix(text, kTextShownMax));
  return reject(target, shown + " is not " + to_string(type));
}

bool MetadataDecoder::read_time(Target& target, std::string_view text, std::int64_t row) {
  std::optional<std::int64_t> us;
  if (const auto integer = parse_bigint(text)) {
    std::int64_t value = 0;
    if (!__builtin_mul_overflow(*integer, unit_us_, &value)) us = value;
  } else {
    us = parse_timestamp(text);
  }
  if (!us) return reject(target, "the text is not a timestamptz");
  target.writer.set<std::int64_t>(row, *us);
  return true;
}

bool MetadataDecoder::reject(const Target& target, const std::string& what) {
  constexpr std::size_t kCauseShownMax = 200;  // bytes; causes travel in record headers
  const std::string from = target.beside == Beside::header ? "header " + target.header : "key";
  cause_ = "column " + target.column + " from the record's " + from + ": " + what;
  cause_ = std::string(utf8_prefix(cause_, kCauseShownMax));
  return false;
}

}  // namespace

void check_metadata(const Field& column, const std::string& metadata) {
  const std::optional<Beside> beside = beside_of(metadata);
  if (!beside) unknown_metadata(column.name, metadata);
  const std::optional<Type> type = type_of(*beside);
  if (type && *type != column.type)
    usage_error("metadata." + column.name + " = '" + metadata + "': column \"" + column.name + "\" is " +
                to_string(column.type) + "; declare it as " + to_string(*type));
}

PartitionDecoderFactory with_metadata(DecoderFactory values, const Schema& columns, const MetadataColumns& metadata,
                                      const std::string& timestamp_unit) {
  for (const auto& [column, text] : metadata) {
    const std::optional<int> found = columns.find(column);
    if (!found) usage_error("metadata." + column + " = '" + text + "': there is no such column");
    check_metadata(columns[*found], text);
  }
  const std::int64_t unit_us = timestamp_unit_us(timestamp_unit);
  return [values = std::move(values), columns, metadata, unit_us](const TopicPartition& at) {
    auto decoder = std::make_unique<MetadataDecoder>(values ? values() : nullptr, at, unit_us);
    for (int place = 0; place < columns.size(); ++place)
      if (const auto found = metadata.find(columns[place].name); found != metadata.end())
        decoder->add(columns[place], found->second, place);
    return decoder;
  };
}

}  // namespace kappa
