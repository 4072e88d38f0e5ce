#include "kappa/state/retention.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "kappa/engine/error.h"

namespace kappa::detail {
namespace {

[[noreturn]] void bad_history(std::string_view text) {
  usage_error("checkpoint.history = '" + std::string(text) +
              "': expected intervals with counts as in '1h:24, 1d:7' (units s, m, h, d, w), or 'none'");
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::int64_t unit_ms(char unit) {
  switch (unit) {
    case 's': return 1000;
    case 'm': return 60'000;
    case 'h': return 3'600'000;
    case 'd': return 86'400'000;
    case 'w': return 604'800'000;
    default: return 0;
  }
}

/// A number from 1 to 9999 at the front of `text`, which is cut behind it; 0 for none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 1 || value > 9999) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::int64_t interval_of(std::int64_t created_ms, std::int64_t interval_ms) {
  const std::int64_t quotient = created_ms / interval_ms;
  return created_ms % interval_ms < 0 ? quotient - 1 : quotient;
}

}  // namespace

std::vector<HistoryRule> parse_history(std::string_view text) {
  std::vector<HistoryRule> rules;
  if (trimmed(text).empty() || trimmed(text) == "none") return rules;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = trimmed(text.substr(begin, end - begin));
    const std::int64_t amount = take_number(part);
    if (amount == 0 || part.size() < 2 || unit_ms(part[0]) == 0 || part[1] != ':') bad_history(text);
    HistoryRule rule{.interval_ms = amount * unit_ms(part[0]), .count = 0};
    part.remove_prefix(2);
    rule.count = take_number(part);
    if (rule.count == 0 || !part.empty()) bad_history(text);
    rules.push_back(rule);
    begin = end + 1;
  }
  return rules;
}

std::vector<std::string> superseded(std::vector<RetentionEntry> entries, int retained,
                                    const std::vector<HistoryRule>& history) {
  std::sort(entries.begin(), entries.end(), [](const RetentionEntry& a, const RetentionEntry& b) {
    return std::tie(a.sequence, a.created_ms, a.name) > std::tie(b.sequence, b.created_ms, b.name);
  });
  std::set<std::string> kept;
  int automatic = 0;
  for (const RetentionEntry& entry : entries) {
    if (entry.savepoint || automatic++ < retained) kept.insert(entry.name);
  }
  for (const HistoryRule& rule : history) {
    std::map<std::int64_t, std::string, std::greater<>> oldest;  // interval → name, newest interval first
    for (const RetentionEntry& entry : entries) {
      if (!entry.savepoint) oldest[interval_of(entry.created_ms, rule.interval_ms)] = entry.name;
    }
    std::int64_t intervals = 0;
    for (const auto& [interval, name] : oldest) {
      if (intervals++ < rule.count) kept.insert(name);
    }
  }
  std::vector<std::string> gone;
  for (const RetentionEntry& entry : entries) {
    if (!kept.contains(entry.name)) gone.push_back(entry.name);
  }
  return gone;
}

}  // namespace kappa::detail
