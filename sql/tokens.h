// kappa/sql/tokens.h: a small scanner of SQL tokens, for what must be known before PostgreSQL's parser runs (how deeply
// the text nests) and after it failed (what stands around the error).
//
// It follows PostgreSQL's rules for strings, quoted names, dollar quotes and comments exactly, since a text that it
// reads differently could nest without being noticed.
#pragma once

#include <string>
#include <vector>

#include "kappa/sql/source_text.h"

namespace kappa::sql {

struct Token {
  enum class Kind { word, number, string, quoted_name, other };
  Kind kind = Kind::other;
  int begin = 0;
  int end = 0;
  /// Upper case of a word, else as written; empty for strings.
  std::string text;
};

/// Throws Error{usage} for E'…' strings: their backslashes are not supported.
[[nodiscard]] std::vector<Token> tokenize(const SourceText& source);

/// The first position at or after `position` that is neither space nor comment.
[[nodiscard]] int skip_blanks(const std::string& text, int position);

/// Refuses texts that are too long, not UTF-8, or nest so deeply that a recursive parser would overflow its stack.
void check_bounds(const SourceText& source, const std::vector<Token>& tokens);
void check_encoding(const SourceText& source);

}  // namespace kappa::sql
