// describe(): a graph as text, JSON and DOT.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/engine/graph.h"

namespace kappa {

namespace {
std::string as_text(const Graph& graph) {
  std::string out = fmt::format("graph {}\n", graph.name());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    out += fmt::format("{} \"{}\"", to_string(node.kind), node.name);
    for (std::size_t k = 0; k < node.inputs.size(); ++k)
      out += fmt::format("{}\"{}\"", k == 0 ? " <- " : ", ", graph.node(node.inputs[k]).name);
    out += "\n";
    if (!node.detail.empty()) out += "    " + node.detail + "\n";
    out += fmt::format("    {}\n", to_string(node.schema));
    if (node.stateful)
      out += node.horizon_us >= kForever ? "    state: unbounded horizon\n"
                                         : fmt::format("    state: horizon {} ms\n", node.horizon_us / 1000);
  }
  return out;
}

std::string as_json(const Graph& graph) {
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    nlohmann::ordered_json columns = nlohmann::ordered_json::array();
    for (const Field& field : node.schema.fields())
      columns.push_back({{"name", field.name}, {"type", to_string(field.type)}, {"nullable", field.nullable}});
    nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
    for (const int input : node.inputs) inputs.push_back(graph.node(input).name);
    nodes.push_back({{"name", node.name},
                     {"kind", to_string(node.kind)},
                     {"inputs", inputs},
                     {"detail", node.detail},
                     {"columns", columns},
                     {"stateful", node.stateful},
                     {"horizon_ms", node.horizon_us >= kForever ? nlohmann::ordered_json()
                                                                : nlohmann::ordered_json(node.horizon_us / 1000)},
                     {"fingerprint", graph.fingerprint(static_cast<int>(i))}});
  }
  return nlohmann::ordered_json{{"graph", graph.name()}, {"nodes", nodes}}.dump(2) + "\n";
}

std::string dot_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string as_dot(const Graph& graph) {
  std::string out =
      "digraph " + dot_quoted(graph.name()) + " {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    out += fmt::format("  n{} [label={}];\n", i, dot_quoted(to_string(node.kind) + ": " + node.name));
    for (const int input : node.inputs) out += fmt::format("  n{} -> n{};\n", input, i);
  }
  return out + "}\n";
}
}  // namespace

std::string describe(const Graph& graph, GraphFormat format) {
  switch (format) {
    case GraphFormat::text: return as_text(graph);
    case GraphFormat::json: return as_json(graph);
    case GraphFormat::dot: return as_dot(graph);
  }
  return {};
}

}  // namespace kappa
