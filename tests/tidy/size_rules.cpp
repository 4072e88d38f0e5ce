#include <array>
#include <string_view>

#include "kappa/tests/tidy/rules.h"

namespace kappa::tidy {
namespace {

constexpr int kFileLines = 400;
constexpr int kPublicHeaderLines = 200;
constexpr int kFunctionLines = 70;
constexpr int kColumns = 120;
constexpr std::array<std::string_view, 5> kLibraryRooms{"engine", "operators", "sql", "state", "replay"};

bool is_public_header(std::string_view path) {
  if (!is_header(path)) return false;
  for (const std::string_view room : kLibraryRooms) {
    if (is_below(path, room)) return true;
  }
  return false;
}

// UTF-8 code points.
int columns_of(std::string_view line) {
  int columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return columns;
}

std::string without_template_heads(std::string text) {
  for (std::size_t at = find_word(text, "template"); at != std::string::npos; at = find_word(text, "template", at)) {
    std::size_t end = text.find('<', at);
    if (end == std::string::npos) return text;
    int depth = 0;
    do {
      if (text[end] == '<') ++depth;
      if (text[end] == '>') --depth;
      ++end;
    } while (depth > 0 && end < text.size());
    text.erase(at, end - at);
  }
  return text;
}

enum class Block { kScope, kFunction, kValue };

// What the brace after `head` opens, `head` being the code since the last ';', '{' or '}' outside functions.
Block block_after(const std::string& raw_head) {
  const std::string head = without_template_heads(raw_head);
  const std::size_t last = head.find_last_not_of(" \n\t");
  if (last == std::string::npos) return Block::kFunction;  // a constructor's body after `: member_{value}`
  if (head[last] == '=') return Block::kValue;
  const std::size_t parenthesis = head.find('(');
  for (const std::string_view keyword : {"namespace", "class", "struct", "union", "enum", "extern"}) {
    const std::size_t at = find_word(head, keyword);
    if (at != std::string::npos && at < parenthesis) return Block::kScope;
  }
  return parenthesis == std::string::npos ? Block::kValue : Block::kFunction;
}

// Walks the braces of a file and reports the functions that are too long.
class FunctionScanner {
 public:
  explicit FunctionScanner(const SourceFile& file) : file_(file), code_(code_of(file.text)) {}

  Findings run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      const char c = code_[at_];
      if (c == '\n') ++line_;
      if (c == '{') open();
      if (c == '}') close();
      if (c == ';' && inner_ == 0) head_ = at_ + 1;
    }
    if (scopes_ != 0 || inner_ != 0) report(line_, "braces do not balance; does an #if split a block?");
    return std::move(findings_);
  }

 private:
  void open() {
    if (inner_ > 0) {
      ++inner_;
      return;
    }
    const Block block = block_after(code_.substr(head_, at_ - head_));
    head_ = at_ + 1;
    if (block == Block::kScope) {
      ++scopes_;
      return;
    }
    inner_ = 1;
    start_ = line_;
    is_function_ = block == Block::kFunction;
  }

  void close() {
    if (inner_ == 0) {
      --scopes_;
      head_ = at_ + 1;
      return;
    }
    if (--inner_ > 0) return;
    head_ = at_ + 1;
    const int lines = line_ - start_ + 1;
    if (is_function_ && lines > kFunctionLines) {
      report(start_,
             "a function of " + std::to_string(lines) + " lines; the limit is " + std::to_string(kFunctionLines));
    }
  }

  void report(int line, std::string message) { findings_.push_back({file_.path, line, std::move(message)}); }

  const SourceFile& file_;
  std::string code_;
  Findings findings_;
  std::size_t at_ = 0, head_ = 0;
  int line_ = 1, start_ = 0;
  int scopes_ = 0;  // open namespaces and classes
  int inner_ = 0;   // open braces inside a function or value
  bool is_function_ = false;
};

}  // namespace

Findings check_sizes(const SourceFile& file) {
  Findings findings;
  if (!is_cpp(file.path)) return findings;
  const auto lines = lines_of(file.text);
  const int count = static_cast<int>(lines.size());
  const int limit = is_public_header(file.path) ? kPublicHeaderLines : kFileLines;
  if (count > limit) {
    findings.push_back({file.path, 0, std::to_string(count) + " lines; the limit is " + std::to_string(limit)});
  }
  for (int i = 0; i < count; ++i) {
    const int columns = columns_of(lines[static_cast<std::size_t>(i)]);
    if (columns <= kColumns) continue;
    findings.push_back(
        {file.path, i + 1, std::to_string(columns) + " columns; the limit is " + std::to_string(kColumns)});
  }
  return findings;
}

Findings check_functions(const SourceFile& file) {
  return is_cpp(file.path) ? FunctionScanner(file).run() : Findings{};
}

}  // namespace kappa::tidy
