#include "kappa/sql/source_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace kappa::sql {

namespace {
constexpr std::size_t kLineShownMax = 160;  // code points of a long line that a message shows

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t code_points(const std::string& text, std::size_t begin, std::size_t end) {
  return static_cast<std::size_t>(std::count_if(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                text.begin() + static_cast<std::ptrdiff_t>(end), starts_code_point));
}

/// Of a line longer than a message should show, the part around the place.
void shorten(std::string& line, std::size_t& place) {
  std::string shown;
  std::size_t index = 0;
  const std::size_t first = place > kLineShownMax / 2 ? place - kLineShownMax / 2 : 0;
  for (const char c : line) {
    if (starts_code_point(c)) ++index;
    if (index > first && index <= first + kLineShownMax) shown += c;
  }
  line = shown;
  place -= first;
}
}  // namespace

std::string SourceText::report(int position, const std::string& message, const std::string& hint) const {
  std::string out;
  if (position < 0) {
    out = fmt::format("{}: {}", file_, message);
  } else {
    const std::size_t at = std::min(static_cast<std::size_t>(position), text_.size());
    const std::size_t before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const auto line_number = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
    std::string line = text_.substr(begin, text_.find('\n', at) - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::replace(line.begin(), line.end(), '\t', ' ');  // so that the caret stands under its place
    std::size_t place = code_points(text_, begin, at);
    out = fmt::format("{}:{}:{}: {}", file_, line_number, place + 1, message);
    shorten(line, place);
    const std::size_t indent = std::min(line.find_first_not_of(' '), place);
    out += fmt::format("\n    {}\n    {}^", line.substr(indent), std::string(place - indent, ' '));
  }
  if (!hint.empty()) out += "\nhint: " + hint;
  return out;
}

int SourceText::byte_of_character(int character) const {
  std::size_t byte = 0;
  for (int seen = -1; byte < text_.size(); ++byte)
    if (starts_code_point(text_[byte]) && ++seen == character) break;
  return static_cast<int>(byte);
}

}  // namespace kappa::sql
