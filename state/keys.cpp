#include "kappa/state/keys.h"

#include <charconv>

#include "kappa/engine/error.h"

namespace kappa::detail {
namespace {

constexpr std::size_t kDirectoryNameMax = 200;  // file systems allow 255; we append suffixes

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

std::uint64_t node_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

std::string node_prefix(std::uint64_t id) {
  std::string prefix(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) prefix[i] = static_cast<char>(id >> (56 - 8 * i));
  return prefix;
}

std::string task_directory_name(const TaskId& task) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  if (task.stage.empty() || task.partition < 0) refuse("a task needs a stage name and a partition: " + to_string(task));
  std::string name;
  for (const char c : task.stage) {
    if (is_plain(c) && !(c == '.' && name.empty())) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += '%';
    name += kHex[byte >> 4];
    name += kHex[byte & 15];
  }
  name += '-' + std::to_string(task.partition);
  if (name.size() > kDirectoryNameMax) refuse("the name of stage '" + task.stage + "' is too long for a directory");
  return name;
}

std::optional<TaskId> parse_task_directory_name(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::optional<std::string> stage = unescape(name.substr(0, dash));
  TaskId task;
  const std::string_view digits = name.substr(dash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), task.partition);
  if (!stage || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  task.stage = *stage;
  if (task.partition < 0 || task_directory_name(task) != name) return std::nullopt;
  return task;
}

}  // namespace kappa::detail
