#include "kappa/engine/graph.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <set>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string hash_text(const std::string& text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string source_detail(const Node& node) {
  const SourceSpec& s = node.source;
  return fmt::format("topic={} event_time={} out_of_orderness={}us max_future={}us {}", s.topic,
                     node.schema[s.event_time].name, s.out_of_orderness_us, s.max_future_us, node.detail);
}
}  // namespace

std::string to_string(NodeKind kind) {
  switch (kind) {
    case NodeKind::source: return "source";
    case NodeKind::filter: return "filter";
    case NodeKind::project: return "project";
    case NodeKind::key_by: return "key_by";
    case NodeKind::union_all: return "union_all";
    case NodeKind::window_aggregate: return "window_aggregate";
    case NodeKind::repartition: return "repartition";
    case NodeKind::sink: return "sink";
  }
  return "?";
}

std::vector<int> Graph::consumers(int i) const {
  std::vector<int> found;
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    if (std::count(nodes_[n].inputs.begin(), nodes_[n].inputs.end(), i) > 0) found.push_back(static_cast<int>(n));
  return found;
}

std::int64_t Graph::out_of_orderness_us(int i) const {
  std::int64_t largest = node(i).kind == NodeKind::source ? node(i).source.out_of_orderness_us : 0;
  for (const int input : node(i).inputs) largest = std::max(largest, out_of_orderness_us(input));
  return largest;
}

std::int64_t Graph::horizon_us() const {
  std::vector<std::int64_t> along(nodes_.size(), 0);
  std::int64_t longest = 0;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    for (const int input : nodes_[n].inputs) along[n] = std::max(along[n], along[static_cast<std::size_t>(input)]);
    along[n] = std::min(kForever, along[n] + nodes_[n].horizon_us);
    longest = std::max(longest, along[n]);
  }
  return longest;
}

GraphDraft::GraphDraft(std::string name) {
  if (name.empty() || name.size() > 100 || !std::all_of(name.begin(), name.end(), is_name_letter) || name == "." ||
      name == "..")
    usage_error(fmt::format("application.id \"{}\" must be 1 to 100 of A-Z a-z 0-9 . _ -", name));
  graph_.name_ = std::move(name);
}

int GraphDraft::add(Node node) {
  if (node.name.empty()) usage_error("a node needs a name: state, metrics and topics are called after it");
  for (const Node& other : graph_.nodes_)
    if (other.name == node.name)
      usage_error(fmt::format("two nodes are named \"{}\": names identify state, so each is used once", node.name));
  const int index = static_cast<int>(graph_.nodes_.size());
  for (const int input : node.inputs)
    KAPPA_CHECK(input >= 0 && input < index, "inputs are nodes that were added before");
  KAPPA_CHECK(node.kind == NodeKind::source ? node.inputs.empty() : !node.inputs.empty(), "only sources have no input");
  if (node.kind == NodeKind::source) {
    KAPPA_CHECK(node.source.event_time >= 0 && node.source.event_time < node.schema.size(),
                "the event time is a column");
    node.detail = source_detail(node);
  }
  graph_.nodes_.push_back(std::move(node));
  return index;
}

Graph GraphDraft::build() && {
  bool has_sink = false;
  for (std::size_t i = 0; i < graph_.nodes_.size(); ++i) {
    const Node& node = graph_.nodes_[i];
    has_sink |= node.kind == NodeKind::sink;
    if (node.kind != NodeKind::sink && graph_.consumers(static_cast<int>(i)).empty())
      usage_error(fmt::format("node \"{}\" leads nowhere: give it a sink or remove it", node.name));
  }
  if (!has_sink) usage_error("the pipeline has no sink: nothing would be published");
  std::set<std::string> read;
  for (const Node& node : graph_.nodes_)
    if (node.kind == NodeKind::source) read.insert(node.source.topic);
  for (const Node& node : graph_.nodes_)
    if (node.kind == NodeKind::sink && read.count(node.sink.topic) > 0)
      usage_error(fmt::format("topic \"{}\" is both read and written: node \"{}\" would feed itself", node.sink.topic,
                              node.name));
  for (const Node& node : graph_.nodes_) {
    std::string text = fmt::format("{}\n{}\n{}\n{}\n{}", to_string(node.kind), node.name, node.detail, node.version,
                                   to_string(node.schema));
    for (const int input : node.inputs) text += "\n" + graph_.fingerprint(input);
    graph_.fingerprints_.push_back(hash_text(text));
  }
  return std::move(graph_);
}

}  // namespace kappa
