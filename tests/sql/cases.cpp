#include "kappa/tests/sql/cases.h"

#include <fstream>
#include <stdexcept>

#include "kappa/engine/error.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::test {

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream in(std::string(KAPPA_SOURCE_DIR) + "/tests/sql/" + file);
  if (!in) throw std::runtime_error("cannot read " + file);
  std::vector<Case> cases;
  Case next;
  std::string line;
  std::string* part = &next.text;
  for (int number = 1; std::getline(in, line); ++number) {
    if (next.line == 0) next.line = number;
    if (line == "=>") {
      part = &next.expected;
    } else if (line == "---") {
      const bool alone = !next.text.empty() && next.text.front() == '!';
      next.text = alone ? next.text.substr(1) : kTables + next.text;
      cases.push_back(std::move(next));
      next = {};
      part = &next.text;
    } else {
      *part += (part->empty() ? "" : "\n") + line;
    }
  }
  return cases;
}

namespace {
std::string column_list(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields())
    out += (out.empty() ? "" : ", ") + field.name + " " + to_string(field.type);
  return "(" + out + ")";
}

std::string nodes_of(const Graph& graph) {
  std::string out;
  for (const Node& node : graph.nodes()) {
    out += (out.empty() ? "" : "\n") + to_string(node.kind) + " " + node.name;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      out += (i == 0 ? " <- " : ", ") + graph.node(node.inputs[i]).name;
    if (node.kind == NodeKind::project || node.kind == NodeKind::window_aggregate)
      out += " " + column_list(node.schema);
    if (node.kind == NodeKind::sink) out += " " + node.detail;
  }
  return out;
}

/// "line 1\n    shown\n    ^\nhint: …" → "line 1\nhint: …"; the caret must stand where line 1 says.
std::string without_place(const std::string& message, const std::string& text) {
  const std::size_t first = message.find('\n');
  if (first == std::string::npos || message.compare(first, 7, "\nhint: ") == 0) return message;
  const std::size_t second = message.find('\n', first + 1);
  const std::size_t third = std::min(message.find('\n', second + 1), message.size());
  const std::string shown = message.substr(first + 5, second - first - 5);
  const std::string caret = message.substr(second + 5, third - second - 5);
  INFO(message);
  CHECK(text.find(shown) != std::string::npos);
  CHECK(caret == std::string(caret.size() - 1, ' ') + "^");
  return message.substr(0, first) + message.substr(third);
}
}  // namespace

std::string outcome(const std::string& text) {
  try {
    const Pipeline pipeline = parse_pipeline(text, "p.sql");
    std::string out;
    for (const std::string& warning : pipeline.warnings) out += "warning: " + without_place(warning, text) + "\n";
    return out + nodes_of(pipeline.graph);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return without_place(error.what(), text);
  }
}

}  // namespace kappa::test
