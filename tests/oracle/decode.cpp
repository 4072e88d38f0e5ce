// Records and pipeline descriptions, read from JSON.
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kappa/tests/oracle/pipeline.h"

namespace oracle {

namespace {
using nlohmann::json;

constexpr std::int64_t kTooLate = 9'214'646'400'000'000;  // 2262-01-01

// "2026-03-01T12:00:00.5+01:00" → µs; none if it is not such a text.
std::optional<std::int64_t> parse_rfc3339(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                  &used) != 6 ||
      used != 19)
    return std::nullopt;
  auto at = static_cast<std::size_t>(used);
  std::int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      fraction += (text[at] - '0') * unit;
  }
  std::int64_t zone = 0;
  const std::string rest = text.substr(at);
  int zone_hour = 0, zone_minute = 0;
  if (rest.size() == 6 && std::sscanf(rest.c_str() + 1, "%2d:%2d", &zone_hour, &zone_minute) == 2) {
    zone = (rest[0] == '-' ? -60 : 60) * (zone_hour * 60 + zone_minute);
  } else if (rest != "Z" && rest != "z") {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 3600 + minute * 60 + second - zone) * 1'000'000 + fraction;
}

std::optional<std::int64_t> integer(const json& field) {
  if (!field.is_number_integer()) return std::nullopt;
  if (field.is_number_unsigned() &&
      field.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return field.get<std::int64_t>();
}

std::optional<std::int64_t> timestamp(const json& field, std::int64_t unit_us) {
  if (field.is_string()) return parse_rfc3339(field.get<std::string>());
  const std::optional<std::int64_t> number = integer(field);
  std::int64_t us = 0;
  if (!number || __builtin_mul_overflow(*number, unit_us, &us)) return std::nullopt;
  return us;
}

std::optional<double> floating(const json& field) {
  if (field.is_number()) return field.get<double>();
  if (field == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (field == "Infinity") return std::numeric_limits<double>::infinity();
  if (field == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

// False where the field does not fit the column.
bool convert(const json& field, ColumnType type, std::int64_t unit_us, Value& out) {
  if (type == ColumnType::text && field.is_string()) {
    out = field.get<std::string>();
  } else if (type == ColumnType::float64) {
    const auto number = floating(field);
    if (!number) return false;
    out = *number;
  } else if (type == ColumnType::bigint || type == ColumnType::timestamp) {
    const auto number = type == ColumnType::bigint ? integer(field) : timestamp(field, unit_us);
    if (!number) return false;
    out = *number;
  } else {
    return false;
  }
  return true;
}

int find_column(const Pipeline& pipeline, const std::string& name) {
  for (std::size_t i = 0; i < pipeline.columns.size(); ++i) {
    if (pipeline.columns[i].first == name) return static_cast<int>(i);
  }
  throw std::runtime_error("the pipeline has no column \"" + name + "\"");
}

ColumnType column_type(const std::string& name) {
  if (name == "bigint") return ColumnType::bigint;
  if (name == "double") return ColumnType::float64;
  if (name == "text") return ColumnType::text;
  if (name == "timestamptz") return ColumnType::timestamp;
  throw std::runtime_error("no column type \"" + name + "\"");
}

void parse_sources(const json& description, Pipeline& pipeline) {
  for (const json& entry : description.at("sources")) {
    Source source;
    source.topic = entry.at("topic");
    source.name = entry.value("name", source.topic);
    source.partitions = entry.value("partitions", 1);
    source.out_of_orderness_us = entry.value("out_of_orderness_ms", std::int64_t{0}) * 1000;
    source.max_future_us = entry.value("max_future_ms", std::int64_t{3'600'000}) * 1000;
    pipeline.window.out_of_orderness_us = std::max(pipeline.window.out_of_orderness_us, source.out_of_orderness_us);
    pipeline.sources.push_back(source);
  }
  std::sort(pipeline.sources.begin(), pipeline.sources.end(),
            [](const Source& a, const Source& b) { return a.name < b.name; });
}

void parse_aggregates(const json& description, Pipeline& pipeline) {
  for (const json& entry : description.at("aggregates")) {
    Aggregate aggregate{entry.at("function"), -1, entry.at("name")};
    if (entry.contains("column")) aggregate.column = find_column(pipeline, entry.at("column"));
    pipeline.aggregates.push_back(aggregate);
  }
}
}  // namespace

Pipeline parse_pipeline(const std::string& text) {
  const json description = json::parse(text);
  Pipeline pipeline;
  parse_sources(description, pipeline);
  for (const json& column : description.at("columns")) {
    pipeline.columns.emplace_back(column.at(0), column_type(column.at(1)));
  }
  pipeline.event_time = find_column(pipeline, description.at("event_time"));
  pipeline.key = find_column(pipeline, description.at("key"));
  const std::string unit = description.value("timestamp_unit", "ms");
  pipeline.timestamp_unit_us = unit == "s" ? 1'000'000 : unit == "us" ? 1 : 1000;
  if (description.contains("filter")) {
    pipeline.filter_column = find_column(pipeline, description["filter"].at("column"));
    pipeline.filter_least = description["filter"].at("at_least");
    pipeline.filter_before_merge = description["filter"].value("before_merge", false);
  }
  pipeline.window.is_session = description.contains("session_gap_ms");
  pipeline.window.size_us =
      description.at(pipeline.window.is_session ? "session_gap_ms" : "size_ms").get<std::int64_t>() * 1000;
  parse_aggregates(description, pipeline);
  pipeline.repartition = description.value("repartition", 0);
  pipeline.upstream_per_source = description.value("upstream_per_source", false);
  pipeline.sink = description.value("sink", "");
  pipeline.ends = description.value("ends", "until-end") == "close" ? Ends::close : Ends::until_end;
  if (description.contains("from_ms")) pipeline.from_us = description["from_ms"].get<std::int64_t>() * 1000;
  if (description.contains("to_ms")) pipeline.to_us = description["to_ms"].get<std::int64_t>() * 1000;
  return pipeline;
}

Record parse_record(const std::string& line) {
  const json fields = json::parse(line);
  Record record;
  record.topic = fields.at("topic");
  record.partition = fields.at("partition");
  record.offset = fields.at("offset");
  record.timestamp_ms = fields.at("timestamp");
  if (fields.contains("key") && fields["key"].is_string()) record.key = fields["key"].get<std::string>();
  if (fields.contains("value") && fields["value"].is_string()) record.value = fields["value"].get<std::string>();
  if (!fields.contains("headers")) return record;
  for (const auto& [name, header] : fields["headers"].items()) {
    if (header.is_string()) record.headers[name] = header.get<std::string>();
    if (header.is_array() && header.size() == 2 && header[1].is_string()) record.headers[header[0]] = header[1];
  }
  return record;
}

std::variant<Row, std::string> decode(const Pipeline& pipeline, const Source& source, const Record& record) {
  if (!record.value) return "null, or no UTF-8";
  const json document = json::parse(*record.value, nullptr, false);
  if (!document.is_object()) return "no JSON object";
  Row row;
  for (const auto& [name, type] : pipeline.columns) {
    Value value;
    if (document.contains(name) && !document[name].is_null() &&
        !convert(document[name], type, pipeline.timestamp_unit_us, value))
      return "field " + name;
    row.values.push_back(value);
  }
  const Value& at = row.values[static_cast<std::size_t>(pipeline.event_time)];
  if (is_null(at)) return "event time is null";
  row.event_time = std::get<std::int64_t>(at);
  if (row.event_time < 0 || row.event_time >= kTooLate) return "event time outside 1970 to 2262";
  if (row.event_time > record.timestamp_ms * 1000 + source.max_future_us) return "event time in the future";
  row.key = row.values[static_cast<std::size_t>(pipeline.key)];
  return row;
}

}  // namespace oracle
