#include <array>
#include <string_view>
#include <vector>

#include "kappa/tests/tidy/rules.h"

namespace kappa::tidy {
namespace {

struct Ban {
  std::vector<std::string_view> words;   // looked for in code, outside comments and literals
  std::vector<std::string_view> rooms;   // where they are banned; empty: everywhere
  std::vector<std::string_view> except;  // where they are allowed after all
  std::string_view reason;
};

const std::vector<Ban>& bans() {
  static const std::vector<Ban> kBans{
      {{"system_clock::now", "gettimeofday", "CLOCK_REALTIME", "std::time"},
       {},
       {"engine/clock.cpp"},
       "the wall clock is read in engine/clock.cpp only"},
      {{"steady_clock::now"}, {"operators", "sql"}, {}, "no operator sees a clock"},
      {{"rand(", "srand(", "random_device"}, {}, {"tests", "bench"}, "nothing random decides anything"},
      {{"std::regex", "std::basic_regex", "regex_match", "regex_search"}, {}, {}, "use RE2"},
      {{"sleep_for", "sleep_until", "usleep(", "nanosleep("},
       {},
       {"bench", "engine/clock.cpp"},
       "wait for what you wait for, not for a time"},
      {{"std::cerr", "std::cout", "std::clog", "printf(", "fprintf(", "puts(", "fmt::print", "exit(", "std::abort"},
       {"engine", "operators", "sql", "state", "replay"},
       {},
       "a library neither prints nor ends the process"},
  };
  return kBans;
}

bool is_below_any(std::string_view path, const std::vector<std::string_view>& directories) {
  for (const std::string_view directory : directories) {
    if (is_below(path, directory)) return true;
  }
  return false;
}

bool is_path_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '}' || c == ')' || c == '/';
}

// Spelled in pieces, so that this file does not hold them.
const std::vector<std::string>& machine_paths() {
  static const std::vector<std::string> kPaths{std::string("/wo") + "rk/", std::string("/tmp/") + "wt",
                                               std::string("/ho") + "me/", std::string("/ro") + "ot/",
                                               std::string("..") + "/shared"};
  return kPaths;
}

}  // namespace

Findings check_calls(const SourceFile& file) {
  Findings findings;
  if (!is_cpp(file.path)) return findings;
  const std::string code = code_of(file.text);
  for (const Ban& ban : bans()) {
    const bool banned = ban.rooms.empty() || is_below_any(file.path, ban.rooms);
    if (!banned || is_below_any(file.path, ban.except)) continue;
    for (const std::string_view word : ban.words) {
      for (std::size_t at = find_word(code, word); at != std::string::npos; at = find_word(code, word, at + 1)) {
        findings.push_back({file.path, line_at(code, at), std::string(word) + ": " + std::string(ban.reason)});
      }
    }
  }
  return findings;
}

Findings check_notes(const SourceFile& file) {
  static const std::array<std::string, 3> kNotes{std::string("TO") + "DO", std::string("FIX") + "ME",
                                                 std::string("X") + "XX"};
  Findings findings;
  for (const std::string& note : kNotes) {
    const std::string_view text = file.text;
    for (std::size_t at = find_word(text, note); at != std::string::npos; at = find_word(text, note, at + 1)) {
      findings.push_back({file.path, line_at(text, at), note + ": do it, or write down the limit in the docs"});
    }
  }
  return findings;
}

Findings check_machine_paths(const SourceFile& file) {
  Findings findings;
  const std::string_view text = file.text;
  for (const std::string& path : machine_paths()) {
    for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
      if (path.front() == '/' && at > 0 && is_path_char(text[at - 1])) continue;  // the middle of a longer path
      findings.push_back({file.path, line_at(text, at), "a path of one machine: " + path});
    }
  }
  return findings;
}

}  // namespace kappa::tidy
