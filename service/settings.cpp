#include "kappa/service/settings.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/kafka_log.h"
#include "kappa/engine/schema.h"
#include "kappa/engine/time_text.h"

namespace kappa {

namespace {
struct Known {
  const char* name;
  const char* fallback;
};
constexpr std::array kKnown{
    Known{"application.id", ""},
    Known{"log.directory", "./kappa-data/log"},
    Known{"log.sync", "commit"},
    Known{"log.format", "text"},
    Known{"state.directory", "./kappa-data/state"},
    Known{"commit.interval", "100ms"},
    Known{"commit.records", "0"},
    Known{"batch.rows", "4096"},
    Known{"checkpoint.interval", "10s"},
    Known{"checkpoint.retained", "3"},
    Known{"checkpoint.history", "1h:24, 1d:7"},
    Known{"checkpoint.directory", ""},
    Known{"processing.guarantee", "exactly_once"},
    Known{"workers", "1"},
    Known{"instance.id", ""},
    Known{"group.membership", "static"},
    Known{"start", "earliest"},
    Known{"late.topic", ""},
    Known{"dead.letter.topic", ""},
    Known{"errors.policy", "dead_letter"},
    Known{"replay.live.lag", "10000"},
    Known{"http.listen", ""},
    Known{"http.expose", "false"},
    Known{"http.token", ""},
    Known{"bootstrap.servers", ""},
    Known{"bootstrap.timeout", "10s"},
    Known{"topic.replication.factor", "-1"},
};
// In the design, and refused by name until they do what they say.
constexpr std::array kNotYet{"state.memory"};
// Settings of the Kafka client itself go through under this prefix, where they are allowed.
constexpr std::string_view kKafka = "kafka.";

bool is_kafka(const std::string& name) { return name.rfind(kKafka, 0) == 0; }

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

std::string read_secret(const std::string& path, const std::string& name) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) usage_error(fmt::format("setting {}: file {} cannot be read", name, path));
  if ((info.st_mode & 077) != 0)
    usage_error(fmt::format("setting {}: {} can be read by others; give it mode 0600", name, path));
  std::ifstream in(path);
  std::string value{std::istreambuf_iterator<char>(in), {}};
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  return value;
}

// ${env:X} and ${file:P}, once, anywhere in the value.
std::string resolved(const std::string& value, const std::string& name) {
  const std::size_t at = value.find("${");
  if (at == std::string::npos) return value;
  const std::size_t end = value.find('}', at);
  const std::size_t colon = value.find(':', at);
  if (end == std::string::npos || colon == std::string::npos || colon > end)
    usage_error(fmt::format("setting {}: \"{}\" is not ${{env:NAME}} or ${{file:PATH}}", name, value));
  const std::string kind = value.substr(at + 2, colon - at - 2), what = value.substr(colon + 1, end - colon - 1);
  std::string secret;
  if (kind == "file") {
    secret = read_secret(what, name);
  } else if (kind == "env") {
    const char* found = std::getenv(what.c_str());
    if (!found) usage_error(fmt::format("setting {}: the environment has no {}", name, what));
    secret = found;
  } else {
    usage_error(fmt::format("setting {}: \"${{{}:\" is not ${{env: or ${{file:", name, kind));
  }
  return value.substr(0, at) + secret + resolved(value.substr(end + 1), name);
}

const Known* find_known(const std::string& name) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return name == known.name; });
  return found == kKnown.end() ? nullptr : &*found;
}
}  // namespace

void Settings::set(const std::string& name, const std::string& value, const std::string& where) {
  if (std::find(kNotYet.begin(), kNotYet.end(), name) != kNotYet.end())
    usage_error(fmt::format("setting \"{}\" ({}) is not available in this version", name, where));
  if (is_kafka(name)) {
    check_kafka_setting(name.substr(kKafka.size()), where);
    values_[name] = {resolved(value, name), where};
    return;
  }
  if (!find_known(name)) {
    std::vector<std::string> names;
    for (const Known& known : kKnown) names.emplace_back(known.name);
    const std::string nearest = nearest_word(name, names);
    usage_error(fmt::format("unknown setting \"{}\" ({}){}", name, where,
                            nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
  }
  values_[name] = {resolved(value, name), where};
}

void Settings::read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) usage_error(fmt::format("the settings file {} cannot be read", file.string()));
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) usage_error(fmt::format("{}:{}: expected name = value", file.string(), number));
    std::string value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'') value = value.substr(1, value.size() - 2);
    set(trimmed(line.substr(0, equals)), value, fmt::format("{}:{}", file.string(), number));
  }
}

void Settings::read_environment() {
  for (const Known& known : kKnown) {
    std::string variable = "KAPPA_";
    for (const char* c = known.name; *c != '\0'; ++c)
      variable += *c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
    if (const char* value = std::getenv(variable.c_str())) set(known.name, value, variable);
  }
}

std::string Settings::text(const std::string& name) const {
  const Known* known = find_known(name);
  KAPPA_CHECK(known != nullptr, "settings are asked for by their names");
  const auto found = values_.find(name);
  return found == values_.end() ? known->fallback : found->second.text;
}

void Settings::reject(const std::string& name, const std::string& why) const {
  const auto found = values_.find(name);
  usage_error(fmt::format("setting {} = \"{}\" ({}): {}", name, text(name),
                          found == values_.end() ? "default" : found->second.where, why));
}

std::int64_t Settings::integer(const std::string& name, std::int64_t least, std::int64_t most) const {
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least || number > most)
    reject(name, fmt::format("must be a whole number from {} to {}", least, most));
  return number;
}

std::chrono::milliseconds Settings::duration(const std::string& name) const {
  const std::optional<Interval> interval = parse_interval(text(name));
  if (!interval || interval->months != 0 || interval->us < 0 || interval->days < 0)
    reject(name, "must be a duration such as '100ms' or '10s'");
  return std::chrono::milliseconds((interval->days * 86'400'000'000LL + interval->us) / 1000);
}

std::map<std::string, std::string> Settings::kafka() const {
  std::map<std::string, std::string> client;
  for (const auto& [name, value] : values_)
    if (is_kafka(name)) client[name.substr(kKafka.size())] = value.text;
  return client;
}

std::vector<Settings::Line> Settings::lines() const {
  std::vector<Line> lines;
  for (const Known& known : kKnown) {
    const auto found = values_.find(known.name);
    lines.push_back({known.name, text(known.name), found == values_.end() ? "default" : found->second.where});
  }
  return lines;
}

std::int64_t parse_time_argument(const std::string& text, std::int64_t now_ms, const std::string& option) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr std::int64_t kEnd = 9'223'372'036'854;  // 2262, in ms: where event times end
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) {
    if (number >= 0 && number < kEnd) return number * 1000;
  } else if (const std::optional<std::int64_t> us = parse_timestamp(text)) {
    return *us;
  } else if (const std::optional<Interval> back = parse_interval(text); back && back->months == 0) {
    const std::int64_t day = 86'400'000'000LL;
    const std::int64_t us_back = back->days > now_ms * 1000 / day ? now_ms * 1000 + 1 : back->days * day + back->us;
    if (back->days >= 0 && back->us >= 0 && us_back >= 0 && us_back <= now_ms * 1000) return now_ms * 1000 - us_back;
  }
  usage_error(fmt::format(
      "{} \"{}\" is not a time between 1970 and 2262: give RFC 3339 (2013-01-10T00:00:00Z), a date (2013-01-10), epoch "
      "milliseconds, or a duration "
      "back from now (6h)",
      option, text));
}

namespace {
StartPolicy start_policy(const Settings& settings) {
  const std::string text = settings.text("start");
  if (text == "earliest") return {};
  if (text == "latest") return {StartPolicy::Kind::latest, 0};
  try {
    return {StartPolicy::Kind::time, parse_time_argument(text, system_clock().wall_ms(), "start") / 1000};
  } catch (const Error&) {
    settings.reject("start",
                    "must be earliest, latest, or a time: RFC 3339, a date, epoch milliseconds, a duration back");
  }
}

ErrorsPolicy errors_policy(const Settings& settings) {
  const std::string text = settings.text("errors.policy");
  if (text == "dead_letter") return ErrorsPolicy::dead_letter;
  if (text == "fail") return ErrorsPolicy::fail;
  if (text == "skip") return ErrorsPolicy::skip;
  settings.reject("errors.policy", "must be dead_letter, fail or skip");
}
}  // namespace

RunOptions run_options(const Settings& settings) {
  RunOptions options;
  options.workers = static_cast<int>(settings.integer("workers", 1, 256));
  options.batch_rows = settings.integer("batch.rows", 1, kBatchRows);
  options.commit_interval = settings.duration("commit.interval");
  options.commit_records = settings.integer("commit.records", 0, std::int64_t{1} << 40);
  options.checkpoint_interval = settings.duration("checkpoint.interval");
  options.start = start_policy(settings);
  options.errors = errors_policy(settings);
  const std::string guarantee = settings.text("processing.guarantee");
  if (guarantee != "exactly_once" && guarantee != "at_least_once")
    settings.reject("processing.guarantee", "must be exactly_once or at_least_once");
  options.at_least_once = guarantee == "at_least_once";
  const std::string membership = settings.text("group.membership");
  if (membership != "static" && membership != "dynamic")
    settings.reject("group.membership", "must be static or dynamic");
  options.static_membership = membership == "static";
  options.late_topic = settings.text("late.topic");
  options.dead_letter_topic = settings.text("dead.letter.topic");
  return options;
}

}  // namespace kappa
