#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "kappa/tests/tidy/rules.h"

namespace kappa::tidy {
namespace {

namespace fs = std::filesystem;

std::string without_cmake_comments(std::string_view text) {
  std::string out;
  for (const std::string_view line : lines_of(text)) {
    out += line.substr(0, line.find('#'));
    out += '\n';
  }
  return out;
}

// True where the list file holds `name` as one whole argument.
bool lists(const std::string& cmake, const std::string& name) {
  constexpr std::string_view kAround = " \t\n()\"/";
  for (std::size_t at = cmake.find(name); at != std::string::npos; at = cmake.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool starts = at == 0 || kAround.find(cmake[at - 1]) != std::string_view::npos;
    const bool ends = end >= cmake.size() || kAround.find(cmake[end]) != std::string_view::npos;
    if (starts && ends) return true;
  }
  return false;
}

// Lines outside fenced blocks, with their numbers.
std::vector<std::pair<int, std::string_view>> prose_of(std::string_view markdown) {
  std::vector<std::pair<int, std::string_view>> prose;
  bool fenced = false;
  int number = 0;
  for (const std::string_view line : lines_of(markdown)) {
    ++number;
    if (line.starts_with("```")) {
      fenced = !fenced;
    } else if (!fenced) {
      prose.emplace_back(number, line);
    }
  }
  return prose;
}

// The targets of "[text](target)" in one line.
std::vector<std::string> links_of(std::string_view line) {
  std::vector<std::string> targets;
  for (std::size_t at = line.find("]("); at != std::string_view::npos; at = line.find("](", at + 1)) {
    const std::size_t end = line.find(')', at);
    if (end == std::string_view::npos) break;
    targets.emplace_back(line.substr(at + 2, end - at - 2));
  }
  return targets;
}

}  // namespace

Findings check_dead_sources(const std::vector<SourceFile>& files) {
  std::map<std::string, std::string> cmake;  // directory → its list file
  for (const SourceFile& file : files) {
    const fs::path path(file.path);
    if (path.filename() == "CMakeLists.txt") cmake[path.parent_path().string()] = without_cmake_comments(file.text);
  }
  Findings findings;
  for (const SourceFile& file : files) {
    if (!file.path.ends_with(".cpp")) continue;
    bool built = false;
    for (fs::path directory = fs::path(file.path).parent_path(); !built; directory = directory.parent_path()) {
      const auto found = cmake.find(directory.string());
      built = found != cmake.end() && lists(found->second, fs::path(file.path).lexically_relative(directory).string());
      if (directory.empty()) break;
    }
    if (!built) findings.push_back({file.path, 0, "no CMakeLists.txt lists it"});
  }
  return findings;
}

Findings check_titles(const SourceFile& file) {
  if (!file.path.ends_with(".md")) return {};
  int titles = 0;
  int last = 0;
  for (const auto& [number, line] : prose_of(file.text)) {
    if (!line.starts_with("# ")) continue;
    ++titles;
    last = number;
  }
  if (titles == 1) return {};
  return {{file.path, last, std::to_string(titles) + " titles (lines with one #); a page has one"}};
}

Findings check_links(const std::vector<SourceFile>& files) {
  std::set<std::string> known;
  for (const SourceFile& file : files) {
    for (fs::path path(file.path); !path.empty(); path = path.parent_path()) known.insert(path.string());
  }
  Findings findings;
  for (const SourceFile& file : files) {
    if (!file.path.ends_with(".md")) continue;
    for (const auto& [number, line] : prose_of(file.text)) {
      for (const std::string& link : links_of(line)) {
        const std::string target = link.substr(0, link.find('#'));
        if (target.empty() || target.find(':') != std::string::npos) continue;  // the same page, or the web
        std::string path = (fs::path(file.path).parent_path() / target).lexically_normal().string();
        if (path.ends_with('/')) path.pop_back();
        if (!known.contains(path)) findings.push_back({file.path, number, "a link to nothing: " + link});
      }
    }
  }
  return findings;
}

}  // namespace kappa::tidy
