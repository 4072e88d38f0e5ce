#include "kappa/engine/topology.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
// Unions the nodes that belong to one stage: a repartition belongs to the stage that writes it.
class Components {
 public:
  explicit Components(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  int find(int i) {
    while (parent_[static_cast<std::size_t>(i)] != i) i = parent_[static_cast<std::size_t>(i)];
    return i;
  }
  void join(int a, int b) { parent_[static_cast<std::size_t>(find(a))] = find(b); }

 private:
  std::vector<int> parent_;
};

bool reads_repartition(const Graph& graph, int input) { return graph.node(input).kind == NodeKind::repartition; }

std::string hash16(const std::string& text) { return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size())); }

struct Builder {
  const Graph& graph;
  const std::string& run;
  const std::function<std::optional<std::int32_t>(const std::string&)>& partitions_of;
  Topology topology{};
  std::map<int, int> writer_stage{};  // repartition node → stage that writes it

  std::vector<Stage> cut();
  void add_input(Stage& stage, int node) const;
  void order(std::vector<Stage> stages);
  void resolve(Stage& stage);
  void resolve_repartition(StageInput& input);
  void number_inputs(Stage& stage) const;
  void find_shared(Stage& stage) const;
  void summarise(Stage& stage) const;
  void check_sinks() const;
};

std::vector<Stage> Builder::cut() {
  const auto n = graph.nodes().size();
  Components components(n);
  std::map<std::string, int> sink_of_topic;
  std::map<int, int> reader_of;  // repartition node → one of the nodes that read it
  for (std::size_t i = 0; i < n; ++i) {
    const Node& node = graph.nodes()[i];
    for (const int input : node.inputs) {
      if (!reads_repartition(graph, input))
        components.join(static_cast<int>(i), input);
      else if (const auto [at, fresh] = reader_of.emplace(input, static_cast<int>(i)); !fresh)
        components.join(static_cast<int>(i), at->second);
    }
    if (node.kind == NodeKind::sink)
      if (const auto [at, fresh] = sink_of_topic.emplace(node.sink.topic, static_cast<int>(i)); !fresh)
        components.join(static_cast<int>(i), at->second);
  }
  std::map<int, Stage> by_root;
  for (std::size_t i = 0; i < n; ++i) {
    Stage& stage = by_root[components.find(static_cast<int>(i))];
    for (const int input : graph.nodes()[i].inputs)
      if (reads_repartition(graph, input)) add_input(stage, input);
    if (graph.nodes()[i].kind == NodeKind::source) add_input(stage, static_cast<int>(i));
    stage.nodes.push_back(static_cast<int>(i));
  }
  std::vector<Stage> stages;
  for (auto& [root, stage] : by_root) stages.push_back(std::move(stage));
  return stages;
}

void Builder::add_input(Stage& stage, int node) const {
  for (const StageInput& input : stage.inputs)
    if (input.node == node) return;
  StageInput input;
  input.node = node;
  input.repartition = graph.node(node).kind == NodeKind::repartition;
  input.topic =
      input.repartition ? repartition_topic(graph, graph.node(node).name, run) : graph.node(node).source.topic;
  for (const StageInput& other : stage.inputs)
    if (other.topic == input.topic)
      usage_error(fmt::format(
          "\"{}\" and \"{}\" both read topic \"{}\" in one stage: declare it once and read it through views",
          graph.node(other.node).name, graph.node(node).name, input.topic));
  stage.inputs.push_back(input);
}

// Upstream before downstream; among those that could come next, by name.
void Builder::order(std::vector<Stage> stages) {
  for (Stage& stage : stages) {
    std::sort(stage.inputs.begin(), stage.inputs.end(), [&](const StageInput& a, const StageInput& b) {
      return graph.node(a.node).name < graph.node(b.node).name;
    });
    stage.name = sanitized(graph.node(stage.inputs.front().node).name);
  }
  std::sort(stages.begin(), stages.end(), [](const Stage& a, const Stage& b) { return a.name < b.name; });
  while (!stages.empty()) {
    const auto ready = std::find_if(stages.begin(), stages.end(), [&](const Stage& stage) {
      return std::all_of(stage.inputs.begin(), stage.inputs.end(), [&](const StageInput& input) {
        return !input.repartition || writer_stage.count(input.node) > 0;
      });
    });
    KAPPA_CHECK(ready != stages.end(), "a graph has no cycles");
    resolve(*ready);
    for (const int node : ready->nodes)
      if (graph.node(node).kind == NodeKind::repartition) writer_stage[node] = static_cast<int>(topology.stages.size());
    topology.stages.push_back(std::move(*ready));
    stages.erase(ready);
  }
}

void Builder::resolve_repartition(StageInput& input) {
  input.upstream_stage = writer_stage.at(input.node);
  input.inputs = topology.stages[static_cast<std::size_t>(input.upstream_stage)].partitions;
}

void Builder::resolve(Stage& stage) {
  for (StageInput& input : stage.inputs) {
    std::optional<std::int32_t> partitions = partitions_of(input.topic);
    if (input.repartition) {
      resolve_repartition(input);
      const std::int32_t wanted = graph.node(input.node).repartition.partitions;
      if (!partitions) partitions = wanted > 0 ? wanted : input.inputs;
    }
    if (!partitions)
      refuse(fmt::format(
          "source \"{}\": topic \"{}\" does not exist. Create it first (`kappa log import`, `kappa log produce`)",
          graph.node(input.node).name, input.topic));
    if (stage.partitions != 0 && stage.partitions != *partitions)
      refuse(fmt::format(
          "\"{}\" has {} partitions and \"{}\" has {}: inputs that meet need equally many. Repartition one of them "
          "(GROUP BY another key) or give the topics the same number",
          stage.inputs.front().topic, stage.partitions, input.topic, *partitions));
    stage.partitions = *partitions;
  }
  number_inputs(stage);
  find_shared(stage);
  summarise(stage);
}

void Builder::number_inputs(Stage& stage) const {
  for (StageInput& input : stage.inputs) {
    input.first_input = stage.input_count;
    stage.input_count += input.inputs;
  }
}

void Builder::find_shared(Stage& stage) const {
  std::map<int, std::set<int>> reach;  // node → task inputs that reach it
  for (const StageInput& input : stage.inputs)
    for (int i = 0; i < input.inputs; ++i) reach[input.node].insert(input.first_input + i);
  std::map<std::string, std::set<int>> of_sink_topic;
  for (const int node : stage.nodes) {
    for (const int from : graph.node(node).inputs) reach[node].insert(reach[from].begin(), reach[from].end());
    if (graph.node(node).kind == NodeKind::sink)
      of_sink_topic[graph.node(node).sink.topic].insert(reach[node].begin(), reach[node].end());
  }
  for (const int node : stage.nodes) {
    if (graph.node(node).kind == NodeKind::source) continue;
    const auto& inputs =
        graph.node(node).kind == NodeKind::sink ? of_sink_topic[graph.node(node).sink.topic] : reach[node];
    if (inputs.size() > 1) stage.shared.push_back(node);
  }
  const auto is_shared = [&](int node) { return std::count(stage.shared.begin(), stage.shared.end(), node) > 0; };
  std::set<int> boundary;
  for (const int node : stage.shared)
    for (const int from : graph.node(node).inputs)
      if (!is_shared(from)) boundary.insert(from);
  stage.boundary.assign(boundary.begin(), boundary.end());
}

void Builder::summarise(Stage& stage) const {
  std::map<int, std::int64_t> along;
  std::map<std::string, std::string> stateful;
  for (const int n : stage.nodes) {
    const Node& node = graph.node(n);
    stage.out_of_orderness_us = std::max(stage.out_of_orderness_us, graph.out_of_orderness_us(n));
    for (const int input : node.inputs) along[n] = std::max(along[n], along[input]);
    along[n] = std::min(kForever, along[n] + node.horizon_us);
    stage.horizon_us = std::max(stage.horizon_us, along[n]);
    if (node.stateful) stateful[node.name] = graph.fingerprint(n);
  }
  std::string text;
  for (const auto& [name, fingerprint] : stateful) text += name + "=" + fingerprint + "\n";
  for (const StageInput& input : stage.inputs) text += graph.node(input.node).name + "\n";
  stage.state_fingerprint = hash16(text);
}

void Builder::check_sinks() const {
  std::map<std::string, std::string> topic_of_stage;
  for (const Stage& stage : topology.stages)
    for (const int n : stage.nodes) {
      const Node& node = graph.node(n);
      if (node.kind != NodeKind::sink) continue;
      const auto [at, fresh] = topic_of_stage.emplace(node.sink.topic, stage.name);
      KAPPA_CHECK(fresh || at->second == stage.name, "sinks on one topic are joined into one stage");
    }
}
}  // namespace

std::string sanitized(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!plain) c = c == '/' ? '.' : '_';
  }
  return out;
}

std::string repartition_topic(const Graph& graph, const std::string& node, const std::string& run) {
  return sanitized(graph.name() + "-" + node) + "-repartition" + (run.empty() ? "" : "." + run);
}

Topology make_topology(const Graph& graph, const std::string& run,
                       const std::function<std::optional<std::int32_t>(const std::string&)>& partitions_of) {
  Builder builder{graph, run, partitions_of};
  builder.order(builder.cut());
  builder.check_sinks();
  return std::move(builder.topology);
}

}  // namespace kappa
