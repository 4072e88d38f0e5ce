#include <algorithm>
#include <array>
#include <string_view>

#include "kappa/tests/tidy/rules.h"

namespace kappa::tidy {
namespace {

// A room and the rooms that it may include. The first match wins, so a room inside another stands before it.
struct Arrows {
  std::string_view room;
  std::vector<std::string_view> may_include;
};

const std::vector<Arrows>& arrows() {
  static const std::vector<Arrows> kArrows{
      {"engine/log", {"engine", "engine/log"}},
      {"engine", {"engine"}},
      {"operators", {"engine", "engine/log", "operators"}},
      {"state", {"engine", "engine/log", "state"}},
      {"replay", {"engine", "engine/log", "replay"}},
      {"sql", {"engine", "engine/log", "operators", "sql"}},
      {"service", {"engine", "engine/log", "operators", "state", "replay", "sql", "service"}},
  };
  return kArrows;
}

const Arrows* room_of(std::string_view path) {
  for (const Arrows& room : arrows()) {
    if (path.starts_with(room.room) && path.substr(room.room.size()).starts_with('/')) return &room;
  }
  return nullptr;
}

struct SingleIncluder {
  std::string_view header;  // prefix of the include
  std::string_view home;
};

// Tests and benchmarks see everything; a benchmark compares with the bare library.
constexpr std::array<SingleIncluder, 4> kSingleIncluders{{
    {"librdkafka/", "engine/log/kafka"},
    {"pg_query", "sql"},
    {"rocksdb/", "state"},
    {"CLI/", "service"},
}};

}  // namespace

std::string to_string(const Finding& finding) {
  return finding.path + ":" + std::to_string(finding.line) + ": " + finding.message;
}

Findings check_arrows(const SourceFile& file) {
  Findings findings;
  const Arrows* from = is_cpp(file.path) ? room_of(file.path) : nullptr;
  if (from == nullptr) return findings;
  constexpr std::string_view kPrefix = "kappa/";
  for (const Include& include : includes_of(file.text)) {
    if (!include.target.starts_with(kPrefix)) continue;
    const std::string_view target = std::string_view(include.target).substr(kPrefix.size());
    const Arrows* to = room_of(target);
    const std::string_view name = to != nullptr ? to->room : target.substr(0, target.find('/'));
    const auto& allowed = from->may_include;
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    findings.push_back({file.path, include.line, std::string(from->room) + " must not include " + std::string(name)});
  }
  return findings;
}

Findings check_single_includers(const SourceFile& file) {
  Findings findings;
  if (!is_cpp(file.path) || is_below(file.path, "tests") || is_below(file.path, "bench")) return findings;
  for (const Include& include : includes_of(file.text)) {
    for (const SingleIncluder& rule : kSingleIncluders) {
      if (!include.target.starts_with(rule.header) || is_below(file.path, rule.home)) continue;
      findings.push_back(
          {file.path, include.line, "only " + std::string(rule.home) + "/ may include " + include.target});
    }
  }
  return findings;
}

Findings check_include_spelling(const SourceFile& file) {
  Findings findings;
  if (!is_cpp(file.path)) return findings;
  for (const Include& include : includes_of(file.text)) {
    const bool ours = include.target.starts_with("kappa/");
    if (include.quoted == ours) continue;
    findings.push_back({file.path, include.line,
                        ours ? "our own headers are included with quotes: " + include.target
                             : "quoted includes start with \"kappa/<room>/\": " + include.target});
  }
  return findings;
}

}  // namespace kappa::tidy
