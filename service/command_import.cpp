// kappa log import and kappa log produce: lines into a topic.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/murmur2.h"
#include "kappa/engine/time_text.h"
#include "kappa/service/bounded_json.h"
#include "kappa/service/commands.h"

namespace kappa {

namespace {
constexpr std::int64_t kImportCommitRecords = 10'000;
constexpr std::size_t kLineMax = 16U << 20;

// Lines of a file, plain or gzip ("-": standard input).
class Lines {
 public:
  explicit Lines(const std::string& file)
      : name_(file), file_(file == "-" ? gzdopen(0, "rb") : gzopen(file.c_str(), "rb")) {
    if (!file_) usage_error(fmt::format("{} cannot be read", file));
    gzbuffer(file_, 1 << 17);
  }
  ~Lines() { gzclose(file_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  bool next(std::string& line) {
    line.clear();
    for (;;) {
      const std::size_t end = piece_.find('\n', at_);
      line.append(piece_, at_, end == std::string::npos ? end : end - at_);
      if (line.size() > kLineMax) fail(fmt::format("{}: a line is longer than {} bytes", name_, kLineMax));
      if (end != std::string::npos) {
        at_ = end + 1;
        return true;
      }
      if (!refill()) return !line.empty();
    }
  }

 private:
  bool refill() {
    piece_.resize(1 << 16);
    at_ = 0;
    const int n = gzread(file_, piece_.data(), static_cast<unsigned>(piece_.size()));
    int code = 0;
    const char* message = gzerror(file_, &code);
    if (n < 0 || code == Z_BUF_ERROR) fail(fmt::format("{}: {}", name_, n < 0 ? message : "it ends early"));
    piece_.resize(static_cast<std::size_t>(n));
    return n > 0;
  }

  std::string name_;
  gzFile file_;
  std::string piece_;
  std::size_t at_ = 0;
};

struct Line {
  std::string key, value;
  bool key_is_null = true;
  std::int64_t timestamp_ms = 0;
};

// Takes key and timestamp out of a JSON document; what is not one, or lacks them, is imported as it is, without a key
// and with the timestamp before it: the pipeline that reads it decides (a dead letter), nothing is lost here.
class Fields {
 public:
  explicit Fields(const ImportArguments& arguments) : arguments_(arguments) {
    if (arguments.timestamp_unit == "s")
      unit_us_ = 1'000'000;
    else if (arguments.timestamp_unit == "us")
      unit_us_ = 1;
    else if (arguments.timestamp_unit != "ms")
      usage_error("--timestamp-unit is ms, s or us");
  }
  void read(Line& line) {
    const nlohmann::json json = parse_bounded<nlohmann::json>(line.value);
    line.key_is_null = true;
    if (json.is_object()) {
      if (const auto key = json.find(arguments_.key); key != json.end() && !key->is_null()) {
        line.key = key->is_string() ? key->get<std::string>() : key->dump();
        line.key_is_null = false;
      }
      if (const auto at = json.find(arguments_.timestamp); at != json.end()) read_time(*at);
    }
    line.timestamp_ms = last_ms_;
  }

 private:
  void read_time(const nlohmann::json& at) {
    if (at.is_number_integer())
      last_ms_ = at.get<std::int64_t>() * unit_us_ / 1000;
    else if (at.is_string())
      if (const auto us = parse_timestamp(at.get<std::string>())) last_ms_ = *us / 1000;
  }
  const ImportArguments& arguments_;
  std::int64_t unit_us_ = 1'000;
  std::int64_t last_ms_ = 0;
};

// Appends lines to a topic; commits every so often.
class Appender {
 public:
  Appender(Log& log, const std::string& topic, int partitions) : log_(log), topic_(topic) {
    if (const auto info = log.topic(topic))
      partitions_ = info->partitions;
    else
      log.create_topic(topic, partitions_ = partitions);
    producer_ = log.open_producer("import-" + topic);
  }
  void add(const Line& line, std::int32_t partition) {
    const OutRecord record{line.key, line.value, line.key_is_null, false, line.timestamp_ms, {}};
    producer_->append({topic_, partition}, std::span(&record, 1));
    ++records_;
  }
  /// Where a Java producer would put the key; keyless lines go round.
  [[nodiscard]] std::int32_t place(const Line& line) const {
    return line.key_is_null ? static_cast<std::int32_t>(records_ % partitions_) : partition_of(line.key, partitions_);
  }
  [[nodiscard]] std::int32_t partitions() const { return partitions_; }
  void commit() {
    if (producer_->commit("", {}) != CommitOutcome::committed)
      fail("the commit did not succeed: see `kappa log topics` for what is in the log");
  }
  [[nodiscard]] std::int64_t records() const { return records_; }

 private:
  Log& log_;
  std::string topic_;
  std::int32_t partitions_ = 1;
  std::unique_ptr<Producer> producer_;
  std::int64_t records_ = 0;
};
}  // namespace

int command_log_import(CommandContext& context, const ImportArguments& arguments) {
  Log& log = context.log(true);
  install_signals();
  Lines lines(arguments.file);
  Fields fields(arguments);
  Appender appender(log, arguments.topic, arguments.partitions);
  const auto started = system_clock().now();
  Line line;
  // At a pace, a tenth of a second's lines are committed together.
  const std::int64_t at_once =
      arguments.rate > 0 ? std::max<std::int64_t>(1, arguments.rate / 10) : kImportCommitRecords;
  while (!signal_stop().stop_requested() && lines.next(line.value)) {
    if (line.value.empty()) continue;
    fields.read(line);
    if (arguments.timestamp.empty()) line.timestamp_ms = system_clock().wall_ms();
    appender.add(line, appender.place(line));
    if (appender.records() % at_once != 0) continue;
    appender.commit();
    show_progress(fmt::format("{} records imported", appender.records()));
    while (arguments.rate > 0 && !signal_stop().stop_requested()) {
      const auto due = started + std::chrono::microseconds(appender.records() * 1'000'000 / arguments.rate);
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - system_clock().now());
      if (left.count() <= 0) break;
      log.wait(std::min(left, std::chrono::milliseconds(50)));
    }
  }
  appender.commit();
  end_progress();
  if (context.json())
    fmt::print("{}\n", nlohmann::ordered_json{{"topic", arguments.topic}, {"records", appender.records()}}.dump());
  else
    context.tell(fmt::format("{} records in topic {} ({} partitions)", appender.records(), arguments.topic,
                             appender.partitions()));
  return signal_exit_code();
}

int command_log_produce(CommandContext& context, const ProduceArguments& arguments) {
  Log& log = context.log(true);
  Appender appender(log, arguments.topic, arguments.partitions);
  if (arguments.partition && (*arguments.partition < 0 || *arguments.partition >= appender.partitions()))
    usage_error(fmt::format("topic \"{}\" has partitions 0 to {}", arguments.topic, appender.partitions() - 1));
  std::string text;
  Line line;
  while (std::getline(std::cin, text)) {
    const std::size_t at = arguments.key_separator.empty() ? std::string::npos : text.find(arguments.key_separator);
    line.key_is_null = at == std::string::npos;
    line.key = line.key_is_null ? "" : text.substr(0, at);
    line.value = line.key_is_null ? text : text.substr(at + arguments.key_separator.size());
    line.timestamp_ms = arguments.timestamp_ms.value_or(system_clock().wall_ms());
    appender.add(line, arguments.partition.value_or(appender.place(line)));
    if (appender.records() % kImportCommitRecords == 0) appender.commit();
  }
  appender.commit();
  context.tell(fmt::format("{} records in topic {}", appender.records(), arguments.topic));
  return 0;
}

}  // namespace kappa
