#include "kappa/service/messages.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/clock.h"
#include "kappa/engine/time_text.h"
#include "kappa/service/context.h"

namespace kappa {

namespace {
MessageFormat& format() {
  static MessageFormat instance;
  return instance;
}

const char* name_of(MessageLevel level) {
  switch (level) {
    case MessageLevel::info: return "info";
    case MessageLevel::warning: return "warning";
    case MessageLevel::error: return "error";
  }
  return "error";
}

// With three digits always: append_timestamp() leaves them out where they are zeros.
std::string time_of(std::int64_t wall_ms) {
  constexpr std::int64_t kMs = 1000;
  const std::int64_t second = wall_ms / kMs * kMs;
  std::string text = timestamp_text(second * kMs);
  text.pop_back();  // Z
  return text + fmt::format(".{:03}Z", wall_ms - second);
}

std::string json_of(MessageLevel level, const std::string& text) {
  nlohmann::ordered_json line;
  line["time"] = time_of(system_clock().wall_ms());
  line["level"] = name_of(level);
  if (!format().application.empty()) line["application"] = format().application;
  line["message"] = text;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
}  // namespace

void set_message_format(MessageFormat chosen) { format() = std::move(chosen); }

const MessageFormat& message_format() { return format(); }

void tell(MessageLevel level, const std::string& text) {
  end_progress();
  if (format().json)
    fmt::print(stderr, "{}\n", json_of(level, text));
  else
    fmt::print(stderr, "kappa: {}{}\n", level == MessageLevel::warning ? "warning: " : "", text);
}

}  // namespace kappa
