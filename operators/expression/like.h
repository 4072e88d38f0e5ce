// kappa/operators/expression/like.h: LIKE patterns (internal to this directory).
//
// % matches any text, _ one character, \ takes the next character literally. A pattern is cut at its %; the pieces are
// found from left to right, which needs no backtracking.
//
// Threads:  immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::expression {

class LikePattern {
 public:
  /// Null where the pattern ends in a lone backslash.
  static std::optional<LikePattern> compile(std::string_view pattern, bool ignore_case);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  // Literal runs with one-character wildcards between them: text, _, text, _, text.
  struct Piece {
    std::vector<std::string> runs{""};
    std::int64_t characters = 0;
  };
  [[nodiscard]] bool matches_folded(std::string_view text) const;
  static std::size_t match_at(const Piece& piece, std::string_view text, std::size_t at);
  static std::size_t find(const Piece& piece, std::string_view text, std::size_t from);

  std::vector<Piece> pieces_;
  bool ignore_case_ = false;
};

}  // namespace kappa::expression
