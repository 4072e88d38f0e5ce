// kappa/tests/tidy/source.h: the repository's files as the tidy rules see them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kappa::tidy {

struct SourceFile {
  std::string path;  // relative to the repository's root, with '/'
  std::string text;
};

struct Include {
  int line = 0;
  std::string target;
  bool quoted = false;
};

/// All text files of the repository that git does not ignore; without git, all outside build directories.
[[nodiscard]] std::vector<SourceFile> load_tree(const std::string& root);

[[nodiscard]] bool is_cpp(std::string_view path);  // .cpp or .h
[[nodiscard]] bool is_header(std::string_view path);
/// True where `path` is `directory` or lies below it.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
[[nodiscard]] std::vector<Include> includes_of(std::string_view text);
/// The text with comments, the insides of literals and preprocessor lines blanked; every other byte keeps its place.
[[nodiscard]] std::string code_of(std::string_view text);
/// Offset of the first `word` at or after `from` that is no part of a longer identifier, or npos.
[[nodiscard]] std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0);
/// 1 for the first line.
[[nodiscard]] int line_at(std::string_view text, std::size_t offset);

}  // namespace kappa::tidy
