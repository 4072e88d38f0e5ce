#include "kappa/operators/expression/like.h"

#include <algorithm>

#include "kappa/operators/expression/characters.h"

namespace kappa::expression {

namespace {
constexpr std::size_t kNone = std::string_view::npos;
}

std::optional<LikePattern> LikePattern::compile(std::string_view pattern, bool ignore_case) {
  LikePattern like;
  like.ignore_case_ = ignore_case;
  like.pieces_.emplace_back();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%') {
      like.pieces_.emplace_back();
    } else if (pattern[i] == '_') {
      like.pieces_.back().runs.emplace_back();
    } else {
      if (pattern[i] == '\\' && ++i == pattern.size()) return std::nullopt;
      like.pieces_.back().runs.back() += ignore_case ? ascii_lower(pattern[i]) : pattern[i];
    }
  }
  for (Piece& piece : like.pieces_) {
    piece.characters = static_cast<std::int64_t>(piece.runs.size()) - 1;
    for (const std::string& run : piece.runs) piece.characters += count_characters(run);
  }
  return like;
}

// The end of the match that begins at `at`, or kNone.
std::size_t LikePattern::match_at(const Piece& piece, std::string_view text, std::size_t at) {
  for (std::size_t r = 0; r < piece.runs.size(); ++r) {
    if (r > 0) {
      if (at >= text.size()) return kNone;
      at = next_character(text, at);
    }
    if (!text.substr(at).starts_with(piece.runs[r])) return kNone;
    at += piece.runs[r].size();
  }
  return at;
}

// The end of the first match that begins at `from` or later, or kNone.
std::size_t LikePattern::find(const Piece& piece, std::string_view text, std::size_t from) {
  if (piece.runs.size() == 1) {
    const std::size_t at = text.find(piece.runs[0], from);
    return at == kNone ? kNone : at + piece.runs[0].size();
  }
  for (std::size_t at = from; at <= text.size(); at = at < text.size() ? next_character(text, at) : at + 1)
    if (const std::size_t end = match_at(piece, text, at); end != kNone) return end;
  return kNone;
}

bool LikePattern::matches_folded(std::string_view text) const {
  std::size_t at = match_at(pieces_.front(), text, 0);
  if (at == kNone) return false;
  if (pieces_.size() == 1) return at == text.size();
  for (std::size_t p = 1; p + 1 < pieces_.size(); ++p) {
    at = find(pieces_[p], text, at);
    if (at == kNone) return false;
  }
  const Piece& last = pieces_.back();
  const std::size_t start = last.runs.size() == 1 ? text.size() - std::min(text.size(), last.runs[0].size())
                                                  : offset_from_end(text, last.characters);
  return start >= at && match_at(last, text, start) == text.size();
}

bool LikePattern::matches(std::string_view text) const {
  if (!ignore_case_) return matches_folded(text);
  std::string folded(text);
  for (char& c : folded) c = ascii_lower(c);
  return matches_folded(folded);
}

}  // namespace kappa::expression
