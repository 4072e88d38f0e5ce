// kappa log topics and kappa log read.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kappa/engine/error.h"
#include "kappa/engine/value_text.h"
#include "kappa/service/bounded_json.h"
#include "kappa/service/commands.h"

namespace kappa {

namespace {
constexpr std::int64_t kReadAtOnce = 1000;

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

// `name` as text, or `name`_base64 where it is not UTF-8.
void put_bytes(nlohmann::ordered_json& json, const std::string& name, std::string_view bytes, bool is_null) {
  if (is_null)
    json[name] = nullptr;
  else if (is_utf8(bytes))
    json[name] = bytes;
  else
    json[name + "_base64"] = base64(bytes);
}

std::string record_json(const TopicPartition& at, const RecordView& record) {
  nlohmann::ordered_json json{
      {"topic", at.topic}, {"partition", at.partition}, {"offset", record.offset}, {"timestamp", record.timestamp_ms}};
  put_bytes(json, "key", record.key(), record.key_is_null());
  put_bytes(json, "value", record.value(), record.value_is_null());
  nlohmann::ordered_json headers = nlohmann::ordered_json::object();
  for (const Header& header : headers_of(record)) {
    std::string name(header.name);
    put_bytes(headers, is_utf8(name) ? name : base64(name), header.value, header.value_is_null);
  }
  json["headers"] = headers;
  return json.dump();
}

// Rows of JSON objects under the union of their fields, in order of appearance.
class JsonTable {
 public:
  void add(std::string_view value) {
    const nlohmann::ordered_json json = parse_bounded<nlohmann::ordered_json>(value);
    if (!json.is_object()) return rows_.push_back({{"value", std::string(value)}});
    std::map<std::string, std::string> row;
    for (const auto& [name, field] : json.items()) {
      if (seen_.insert(name).second) names_.push_back(name);
      row[name] = field.is_string() ? field.get<std::string>() : field.dump();
    }
    rows_.push_back(std::move(row));
  }
  [[nodiscard]] std::string text() const {
    std::vector<std::vector<std::string>> cells;
    cells.push_back(names_.empty() ? std::vector<std::string>{"value"} : names_);
    for (const auto& row : rows_) {
      cells.emplace_back();
      for (const std::string& name : cells.front()) cells.back().push_back(row.count(name) > 0 ? row.at(name) : "");
    }
    return table(cells);
  }

 private:
  std::vector<std::string> names_;
  std::set<std::string> seen_;
  std::vector<std::map<std::string, std::string>> rows_;
};

struct Printer {
  const ReadArguments& arguments;
  std::int64_t printed = 0;
  JsonTable rows{};

  [[nodiscard]] bool full() const { return arguments.records_max >= 0 && printed >= arguments.records_max; }
  void print(const TopicPartition& at, const RecordView& record) {
    ++printed;
    if (arguments.table)
      rows.add(record.value_is_null() ? "null" : record.value());
    else if (arguments.values)
      fmt::print("{}\n", record.value_is_null() ? "null" : record.value());
    else
      fmt::print("{}\n", record_json(at, record));
  }
};

void read_to(Reader& reader, const TopicPartition& at, std::int64_t end, Printer& printer) {
  RecordBlock block;
  while (reader.position() < end && !printer.full()) {
    reader.read(block, kReadAtOnce, end);
    for (const RecordView& record : block.records)
      if (!printer.full()) printer.print(at, record);
  }
}
}  // namespace

int command_log_topics(CommandContext& context) {
  Log& log = context.log(false);
  std::vector<std::vector<std::string>> rows{{"topic", "partitions", "records", "bytes"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const TopicInfo& info : log.topics()) {
    std::int64_t records = 0, bytes = 0;
    nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
    for (std::int32_t p = 0; p < info.partitions; ++p) {
      const TopicPartition at{info.name, p};
      const std::int64_t start = log.start_offset(at), end = log.end_offset(at);
      records += end - start;
      bytes += log.bytes_between(at, start, end);
      partitions.push_back({{"partition", p}, {"start", start}, {"end", end}});
    }
    rows.push_back({info.name, std::to_string(info.partitions), std::to_string(records), std::to_string(bytes)});
    json.push_back({{"topic", info.name}, {"partitions", partitions}, {"records", records}, {"bytes", bytes}});
  }
  fmt::print("{}", context.json() ? json.dump(2) + "\n" : table(rows));
  return 0;
}

int command_log_read(CommandContext& context, const ReadArguments& arguments) {
  Log& log = context.log(false);
  const TopicInfo info = topic_named(log, arguments.topic);
  if (arguments.partition && (*arguments.partition < 0 || *arguments.partition >= info.partitions))
    usage_error(fmt::format("topic \"{}\" has partitions 0 to {}", info.name, info.partitions - 1));
  if (arguments.follow) install_signals();
  Printer printer{arguments};
  std::vector<std::pair<TopicPartition, std::unique_ptr<Reader>>> readers;
  for (std::int32_t p = 0; p < info.partitions; ++p) {
    const TopicPartition at{info.name, p};
    if (!arguments.partition || *arguments.partition == p)
      readers.emplace_back(at, log.open_reader(at, log.start_offset(at)));
  }
  for (auto& [at, reader] : readers) read_to(*reader, at, log.end_offset(at), printer);
  if (arguments.table) fmt::print("{}", printer.rows.text());
  if (!arguments.follow) return 0;
  const std::stop_callback wake(signal_stop(), [&log] { log.wake(); });
  while (!signal_stop().stop_requested() && !printer.full()) {
    std::fflush(stdout);
    log.wait(std::chrono::milliseconds(1000));
    for (auto& [at, reader] : readers) read_to(*reader, at, log.end_offset(at), printer);
  }
  return signal_exit_code();
}

}  // namespace kappa
