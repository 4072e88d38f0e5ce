#include "kappa/sql/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "kappa/sql/pipeline.h"

namespace kappa::sql {

namespace {
constexpr int kDepthMax = 100;           // of parentheses, brackets and CASE
constexpr int kChainMax = 1000;          // tokens between separators: a + a + a … nests without parentheses
constexpr std::size_t kSignsMax = 2000;  // in one run: PostgreSQL's scanner is quadratic in it (/**//**//**/…)
constexpr int kJoinedMax = 500;          // UNION, INTERSECT, EXCEPT and JOIN of a statement

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return starts_word(c) || is_digit(c) || c == '$'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::size_t after_block_comment(const std::string& text, std::size_t i) {
  int depth = 0;
  while (i < text.size()) {
    if (text.compare(i, 2, "/*") == 0) {
      ++depth;
      i += 2;
    } else if (text.compare(i, 2, "*/") == 0) {
      i += 2;
      if (--depth == 0) return i;
    } else {
      ++i;
    }
  }
  return i;
}

std::size_t after_blanks(const std::string& text, std::size_t i) {
  while (i < text.size()) {
    if (is_space(text[i])) {
      ++i;
    } else if (text.compare(i, 2, "--") == 0) {
      i = std::min(text.find_first_of("\n\r", i), text.size());
    } else if (text.compare(i, 2, "/*") == 0) {
      i = after_block_comment(text, i);
    } else {
      break;
    }
  }
  return i;
}

/// Behind the closing `quote` of what opens at `i`; a doubled quote stands for one.
std::size_t after_quoted(const std::string& text, std::size_t i, char quote) {
  for (++i; i < text.size(); ++i) {
    if (text[i] != quote) continue;
    if (i + 1 >= text.size() || text[i + 1] != quote) return i + 1;
    ++i;
  }
  return i;
}

/// Behind a $tag$…$tag$ that opens at `i`; `i` itself if none opens there.
std::size_t after_dollar_quoted(const std::string& text, std::size_t i) {
  std::size_t end = i + 1;
  if (end < text.size() && starts_word(text[end]))
    while (end < text.size() && (starts_word(text[end]) || is_digit(text[end]))) ++end;
  if (end >= text.size() || text[end] != '$') return i;
  const std::string tag = text.substr(i, end + 1 - i);
  const std::size_t close = text.find(tag, end + 1);
  return close == std::string::npos ? text.size() : close + tag.size();
}

Token next_token(const std::string& text, std::size_t i) {
  Token token;
  std::size_t end = i + 1;
  if (text[i] == '\'') {
    token.kind = Token::Kind::string;
    end = after_quoted(text, i, '\'');
  } else if (text[i] == '"') {
    token.kind = Token::Kind::quoted_name;
    end = after_quoted(text, i, '"');
  } else if (text[i] == '$' && after_dollar_quoted(text, i) != i) {
    token.kind = Token::Kind::string;
    end = after_dollar_quoted(text, i);
  } else if (starts_word(text[i])) {
    token.kind = Token::Kind::word;
    while (end < text.size() && continues_word(text[end])) ++end;
  } else if (is_digit(text[i])) {
    token.kind = Token::Kind::number;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.' || starts_word(text[end]))) ++end;
  }
  token.begin = static_cast<int>(i);
  token.end = static_cast<int>(end);
  if (token.kind != Token::Kind::string) token.text = text.substr(i, end - i);
  if (token.kind == Token::Kind::word) std::transform(token.text.begin(), token.text.end(), token.text.begin(), upper);
  return token;
}

template <std::size_t N>
bool is_one_of(const Token& token, const std::array<const char*, N>& words) {
  return token.kind == Token::Kind::word &&
         std::any_of(words.begin(), words.end(), [&](const char* w) { return token.text == w; });
}

constexpr std::array<const char*, 5> kSeparators = {"AND", "OR", "WHEN", "THEN", "ELSE"};
constexpr std::array<const char*, 4> kJoiners = {"UNION", "INTERSECT", "EXCEPT", "JOIN"};

/// Bounds the depth of the parse tree from above. Within a level, every token may nest one deeper than the one before
/// (a + a + a), until a separator starts a sibling; what is in parentheses adds its depth to what follows.
class DepthScan {
 public:
  explicit DepthScan(const SourceText& source) : source_(source) {}

  void see(const Token& token) {
    if (token.kind == Token::Kind::other && token.text == ";") {
      levels_.assign(1, {});
      joined_ = 0;
      return;
    }
    const bool other = token.kind == Token::Kind::other;
    const bool word = token.kind == Token::Kind::word;
    if ((other && (token.text == "(" || token.text == "[")) || (word && token.text == "CASE")) open(token);
    if (other && (token.text == ")" || token.text == "]")) close_bracket();
    // END and CASE are labels too (1 AS end): it closes nothing but a CASE.
    if (word && token.text == "END" && levels_.back().is_case) close();
    if (is_one_of(token, kJoiners) && ++joined_ > kJoinedMax)
      source_.error(token.begin, fmt::format("more than {} UNIONs or JOINs in one statement", kJoinedMax),
                    "split it into several views");
    Level& level = levels_.back();
    if ((other && token.text == ",") || is_one_of(token, kSeparators)) level.chain = level.base;
    level.most = std::max(level.most, ++level.chain);
    if (level.chain > kChainMax)
      source_.error(token.begin, fmt::format("an expression of more than {} words and signs", kChainMax),
                    "split it into several views");
  }

 private:
  struct Level {
    int base = 0;   // depth at which the level opened
    int chain = 0;  // depth of the next token
    int most = 0;
    bool is_case = false;
  };
  void open(const Token& token) {
    if (levels_.size() > kDepthMax)
      source_.error(token.begin, fmt::format("nested more than {} deep", kDepthMax), "split it into several views");
    const int base = levels_.back().chain;
    levels_.push_back({base, base, base, token.kind == Token::Kind::word});
  }
  void close_bracket() {
    while (levels_.back().is_case) close();
    close();
  }
  void close() {
    if (levels_.size() == 1) return;  // unbalanced: the parser says so
    const int most = levels_.back().most;
    levels_.pop_back();
    levels_.back().chain = std::max(levels_.back().chain, most);
  }

  const SourceText& source_;
  std::vector<Level> levels_{1};
  int joined_ = 0;
};

/// Bytes of the UTF-8 sequence at `i`, 0 if there is none.
std::size_t sequence_length(const std::string& text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U; };
  const unsigned first = byte(i);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
  const unsigned second = byte(i + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}
}  // namespace

std::vector<Token> tokenize(const SourceText& source) {
  const std::string& text = source.text();
  std::vector<Token> tokens;
  for (std::size_t i = after_blanks(text, 0); i < text.size(); i = after_blanks(text, i)) {
    Token token = next_token(text, i);
    i = static_cast<std::size_t>(token.end);
    const bool escapes = token.kind == Token::Kind::word && token.text == "E" && i < text.size() && text[i] == '\'';
    if (escapes)
      source.error(token.begin, "E'…' strings are not supported",
                   "write '…': every character stands for itself, and '' for a quote");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

int skip_blanks(const std::string& text, int position) {
  return static_cast<int>(after_blanks(text, static_cast<std::size_t>(std::max(position, 0))));
}

void check_encoding(const SourceText& source) {
  const std::string& text = source.text();
  if (text.size() > kPipelineBytesMax)
    source.error(-1, fmt::format("the text has {} bytes; a pipeline has at most {}", text.size(), kPipelineBytesMax));
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0)
      source.error(-1,
                   fmt::format("byte 0x{:02x} at offset {} is not UTF-8 text", static_cast<unsigned char>(text[i]), i));
    i += length;
  }
  for (std::size_t i = 0, run = 0; i < text.size(); ++i) {
    run = std::string_view("~!@#^&|`?+-*/%<>=").find(text[i]) == std::string_view::npos ? 0 : run + 1;
    if (run > kSignsMax) source.error(static_cast<int>(i), fmt::format("more than {} signs in a row", kSignsMax));
  }
}

void check_bounds(const SourceText& source, const std::vector<Token>& tokens) {
  DepthScan scan(source);
  for (const Token& token : tokens) scan.see(token);
}

}  // namespace kappa::sql
