// kappa/tests/tidy/rules.h: the habits of CONTRIBUTING.md that a program can check.
#pragma once

#include <string>
#include <vector>

#include "kappa/tests/tidy/source.h"

namespace kappa::tidy {

struct Finding {
  std::string path;
  int line = 0;  // 1 for the first; 0 where the whole file is meant
  std::string message;
};

using Findings = std::vector<Finding>;

/// "path:line: message"
[[nodiscard]] std::string to_string(const Finding& finding);

// Includes: which room may see which, who alone may see a library, how an include is spelled.
[[nodiscard]] Findings check_arrows(const SourceFile& file);
[[nodiscard]] Findings check_single_includers(const SourceFile& file);
[[nodiscard]] Findings check_include_spelling(const SourceFile& file);

// Sizes: files, public headers, columns; functions by their braces.
[[nodiscard]] Findings check_sizes(const SourceFile& file);
[[nodiscard]] Findings check_functions(const SourceFile& file);

// Text: calls that break determinism or print from a library, notes for later, paths of someone's machine.
[[nodiscard]] Findings check_calls(const SourceFile& file);
[[nodiscard]] Findings check_notes(const SourceFile& file);
[[nodiscard]] Findings check_machine_paths(const SourceFile& file);

// The tree: sources that no CMakeLists.txt builds, Markdown titles, links that lead nowhere.
[[nodiscard]] Findings check_dead_sources(const std::vector<SourceFile>& files);
[[nodiscard]] Findings check_titles(const SourceFile& file);
[[nodiscard]] Findings check_links(const std::vector<SourceFile>& files);

}  // namespace kappa::tidy
