#include "kappa/sql/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/schema.h"
#include "kappa/engine/time_text.h"
#include "kappa/sql/peers.h"

namespace kappa::sql {

namespace {
std::string value_text(const SourceText& source, const Json& argument, int location) {
  const Json& body = body_of(argument);
  if (argument.is_null()) return "true";  // WITH (partitioned_by_trust)
  if (is_kind(argument, "String")) return text_of(body, "sval");
  if (is_kind(argument, "Integer")) return std::to_string(body.value("ival", 0));
  if (is_kind(argument, "Float")) return text_of(body, "fval");
  if (is_kind(argument, "TypeName")) {  // a bare word
    const std::vector<std::string> words = strings_of(member(body, "names"));
    const bool plain = words.size() == 1 && !body.contains("typmods") && !body.contains("arrayBounds");
    if (plain) return words.back();
  }
  source.error(location, "an option's value is a string or a number", "write it in single quotes: topic = 'bids'");
}
}  // namespace

std::int64_t duration_us(const std::string& text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789. ") == std::string::npos;
  if (bare && text.find_first_not_of("0. ") != std::string::npos)
    usage_error(fmt::format("'{}' has no unit; write '{}ms' or '{}s'", text, text, text));
  const std::optional<Interval> interval = bare ? Interval{} : parse_interval(text);
  if (!interval) usage_error(fmt::format("'{}' is not a duration; write '5s', '250ms', '12 hours' or '1 day'", text));
  if (interval->months != 0) usage_error(fmt::format("'{}': months and years have no fixed length; write days", text));
  constexpr std::int64_t day_us = 86'400'000'000;
  if (interval->days > 36'500'000 || interval->days < -36'500'000)
    usage_error(fmt::format("'{}' is longer than any log", text));
  std::int64_t us = 0;
  if (__builtin_add_overflow(interval->days * day_us, interval->us, &us) || us > kForever)
    usage_error(fmt::format("'{}' is longer than any log", text));
  if (us < 0) usage_error(fmt::format("'{}' is negative", text));
  return us;
}

Options::Options(const SourceText& source, const Json& list, std::string what, std::vector<std::string> known)
    : source_(source), what_(std::move(what)), known_(std::move(known)) {
  for (const Json& node : list) {
    const Json& body = body_of(node);
    Option option;
    option.location = location_of(node);
    const std::string space = text_of(body, "defnamespace");
    option.name = (space.empty() ? "" : space + ".") + text_of(body, "defname");
    option.value = value_text(source, member(body, "arg"), option.location);
    for (const Option& other : options_)
      if (other.name == option.name)
        source.error(option.location, fmt::format("option {} is given twice", option.name));
    options_.push_back(std::move(option));
  }
}

std::optional<Option> Options::take(const std::string& name) {
  const auto found =
      std::find_if(options_.begin(), options_.end(), [&](const Option& option) { return option.name == name; });
  if (found == options_.end()) return std::nullopt;
  Option option = *found;
  options_.erase(found);
  return option;
}

std::string Options::take_text(const std::string& name, const std::string& otherwise) {
  const std::optional<Option> option = take(name);
  return option ? option->value : otherwise;
}

bool Options::take_flag(const std::string& name) {
  const std::optional<Option> option = take(name);
  if (!option) return false;
  if (option->value == "true" || option->value == "on" || option->value == "1") return true;
  if (option->value == "false" || option->value == "off" || option->value == "0") return false;
  source_.error(option->location, fmt::format("{} is true or false, not '{}'", name, option->value));
}

std::optional<std::int64_t> Options::take_duration_us(const std::string& name) {
  const std::optional<Option> option = take(name);
  if (!option) return std::nullopt;
  return source_.located(option->location, [&] { return duration_us(option->value); });
}

std::vector<Option> Options::take_all(const std::string& space) {
  std::vector<Option> taken;
  for (std::size_t i = options_.size(); i-- > 0;)
    if (options_[i].name.rfind(space + ".", 0) == 0) {
      taken.insert(taken.begin(), options_[i]);
      taken.front().name.erase(0, space.size() + 1);
      options_.erase(options_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  return taken;
}

void Options::finish() const {
  if (options_.empty()) return;
  const Option& option = options_.front();
  std::string hint = hint_for_option(option.name);
  if (hint.empty()) {
    const std::string near = nearest_word(option.name, known_);
    hint =
        near.empty() ? fmt::format("options are {}", fmt::join(known_, ", ")) : fmt::format("did you mean {}?", near);
  }
  source_.error(option.location, fmt::format("{} has no option {}", what_, option.name), hint);
}

}  // namespace kappa::sql
