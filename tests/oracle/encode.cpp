// Results as records: aggregates recomputed from all rows of a window, JSON written by hand.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "kappa/tests/oracle/pipeline.h"

namespace oracle {

namespace {
__extension__ typedef __int128 Wide;

std::string double_text(double value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string wide_text(Wide value) {
  std::string digits;
  for (Wide rest = value < 0 ? -value : value; rest > 0; rest /= 10) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  if (digits.empty()) digits = "0";
  if (value < 0) digits += '-';
  return {digits.rbegin(), digits.rend()};
}

std::string json_text(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return double_text(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return nlohmann::json(*text).dump();
  return "null";
}

Wide integer_sum(const std::vector<Value>& values) {
  Wide sum = 0;
  for (const Value& value : values) sum += std::get<std::int64_t>(value);
  return sum;
}

// Left to right in the order of the merge (docs/decisions/0006).
double double_sum(const std::vector<Value>& values) {
  double sum = 0;
  for (const Value& value : values) sum += std::get<double>(value);
  return sum;
}

std::string aggregate_text(const Aggregate& aggregate, const std::vector<Row>& rows) {
  if (aggregate.column < 0) return std::to_string(rows.size());
  const auto column = static_cast<std::size_t>(aggregate.column);
  std::vector<Value> values;
  for (const Row& row : rows) {
    if (!is_null(row.values[column])) values.push_back(row.values[column]);
  }
  if (aggregate.function == "count") return std::to_string(values.size());
  if (aggregate.function == "count_distinct") {
    return std::to_string(std::set<Value>(values.begin(), values.end()).size());
  }
  if (values.empty()) return "null";
  if (aggregate.function == "min") return json_text(*std::min_element(values.begin(), values.end()));
  if (aggregate.function == "max") return json_text(*std::max_element(values.begin(), values.end()));
  const bool is_double = std::holds_alternative<double>(values.front());
  if (aggregate.function == "sum") {
    return is_double ? double_text(double_sum(values)) : wide_text(integer_sum(values));
  }
  if (aggregate.function != "avg") throw std::runtime_error("no aggregate function " + aggregate.function);
  const double sum = is_double ? double_sum(values) : static_cast<double>(integer_sum(values));
  return double_text(sum / static_cast<double>(values.size()));
}
}  // namespace

std::string timestamp_text(std::int64_t us) {
  const std::int64_t days = us / 86'400'000'000, rest = us % 86'400'000'000;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const auto second = rest / 1'000'000, fraction = rest % 1'000'000;
  const auto padded = [](std::int64_t number, std::size_t width) {
    const std::string digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
  };
  std::string text = padded(static_cast<int>(date.year()), 4) + "-" + padded(static_cast<unsigned>(date.month()), 2) +
                     "-" + padded(static_cast<unsigned>(date.day()), 2) + "T" + padded(second / 3600, 2) + ":" +
                     padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2);
  if (fraction % 1000 != 0) {
    text += "." + padded(fraction, 6);
  } else if (fraction != 0) {
    text += "." + padded(fraction / 1000, 3);
  }
  return text + "Z";
}

std::string key_text(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : json_text(value);
}

std::int32_t place(const Value& key, std::int32_t partitions) {
  if (is_null(key)) return 0;
  const std::string text = key_text(key);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  constexpr std::uint32_t kMix = 0x5bd1e995;
  std::uint32_t hash = 0x9747b28c ^ static_cast<std::uint32_t>(text.size());
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    std::uint32_t word = (byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24) * kMix;
    word = (word ^ word >> 24) * kMix;
    hash = hash * kMix ^ word;
  }
  const std::size_t left = text.size() - i;
  if (left == 3) hash ^= byte(i + 2) << 16;
  if (left >= 2) hash ^= byte(i + 1) << 8;
  if (left >= 1) hash = (hash ^ byte(i)) * kMix;
  hash = (hash ^ hash >> 13) * kMix;
  hash ^= hash >> 15;
  return static_cast<std::int32_t>(hash & 0x7fffffff) % partitions;
}

SinkRecord encode(const Pipeline& pipeline, const Closed& window, std::int32_t partition) {
  const std::string start = "\"" + timestamp_text(window.start) + "\"";
  SinkRecord record;
  record.partition = partition;
  record.key = "[" + json_text(window.key) + "," + start + "]";
  record.timestamp_ms = window.event_time / 1000;
  const std::string& key_name = pipeline.columns[static_cast<std::size_t>(pipeline.key)].first;
  record.value = "{" + nlohmann::json(key_name).dump() + ":" + json_text(window.key) + ",\"window_start\":" + start +
                 ",\"window_end\":\"" + timestamp_text(window.end) + "\"";
  for (const Aggregate& aggregate : pipeline.aggregates) {
    record.value += "," + nlohmann::json(aggregate.name).dump() + ":" + aggregate_text(aggregate, window.rows);
  }
  record.value += "}";
  return record;
}

}  // namespace oracle
