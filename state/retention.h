// kappa/state/retention.h: which checkpoints go when a new one is published.
//
// Threads:  pure functions.
// Errors:   Error{usage} for a `checkpoint.history` that cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::detail {

/// Keep one checkpoint per interval for the newest `count` intervals that have any.
struct HistoryRule {
  std::int64_t interval_ms = 0;
  std::int64_t count = 0;
  bool operator==(const HistoryRule&) const = default;
};

/// '1h:24, 1d:7'; units s, m, h, d, w. Empty or 'none' for no history.
[[nodiscard]] std::vector<HistoryRule> parse_history(std::string_view text);

struct RetentionEntry {
  std::string name;
  std::int64_t sequence = 0;
  std::int64_t created_ms = 0;
  bool savepoint = false;
};

/// The names that neither `retained`, a rule nor a savepoint keeps. Of each interval the oldest stays, so that what was
/// kept once stays kept. Counts intervals, never looks at a clock: a clock that jumps removes nothing.
[[nodiscard]] std::vector<std::string> superseded(std::vector<RetentionEntry> entries, int retained,
                                                  const std::vector<HistoryRule>& history);

}  // namespace kappa::detail
