#include "kappa/engine/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/murmur2.h"
#include "kappa/engine/names.h"
#include "kappa/engine/value_text.h"

namespace kappa {

namespace {
constexpr std::int64_t kLookedAt = 100;  // records per partition that a first look reads

std::int32_t partitions_of(const Stage& stage) { return stage.partitions; }

std::string suffixed(const std::string& topic, const std::string& suffix) {
  return suffix.empty() ? topic : topic + "." + suffix;
}

[[noreturn]] void refuse_placement(const Node& node, const std::pair<TopicPartition, std::int64_t>& record,
                                   const std::string& key, std::int32_t hashed, std::int32_t partitions) {
  refuse(fmt::format(
      "source \"{}\" says partitioned_by = '{}', but the record at {} offset {} has the key \"{}\", whose place among "
      "{} "
      "partitions is {}: partitions were added since, so that its rows lie in several, or another partitioner was "
      "used. "
      "Remove partitioned_by (kappa then repartitions; an application that has run before needs another application.id "
      "for it, and `kappa replay`), or set partitioned_by_trust = true if equal values always share a partition",
      node.name, node.source.partitioned_by, to_string(record.first), record.second, key.substr(0, 100), partitions,
      hashed));
}

// The first records' keys must be the column's text, in the partition where murmur2 puts it.
void check_partitioned_by(const Node& node, const StageInput& input, std::int32_t partition, std::int32_t partitions,
                          Log& log) {
  const TopicPartition at{input.topic, partition};
  const std::unique_ptr<Reader> reader = log.open_reader(at, log.start_offset(at));
  RecordBlock block;
  reader->read(block, kLookedAt, kForever);
  if (block.records.empty()) return;
  Decoder::Result decoded;
  node.source.decoder(at)->decode(block.records, decoded);
  const Column& column =
      decoded.columns[static_cast<std::size_t>(node.schema.find(node.source.partitioned_by).value())];
  const Column* columns[] = {&column};
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const auto r = decoded.records.empty() ? static_cast<std::size_t>(row)
                                           : static_cast<std::size_t>(decoded.records[static_cast<std::size_t>(row)]);
    const RecordView& record = block.records[r];
    std::string key;
    const bool has_key = append_key(key, columns, row);
    const bool same = has_key ? !record.key_is_null() && record.key() == key : record.key_is_null();
    const std::int32_t hashed = has_key ? partition_of(key, partitions) : partition;
    if (same && hashed == partition) continue;
    if (same) refuse_placement(node, {at, record.offset}, key, hashed, partitions);
    refuse(fmt::format(
        "source \"{}\" says partitioned_by = '{}', but the record at {} offset {} has the key {} and {} = {}. Remove "
        "partitioned_by (kappa then repartitions), or set partitioned_by_trust = true if equal values always share a "
        "partition",
        node.name, node.source.partitioned_by, to_string(at), record.offset,
        record.key_is_null() ? "null" : "\"" + std::string(record.key().substr(0, 100)) + "\"",
        node.source.partitioned_by, has_key ? "\"" + key.substr(0, 100) + "\"" : "null"));
  }
}

void check_sink(const Node& node, std::int32_t tasks, Log& log, const std::string& suffix) {
  const std::string topic = suffixed(node.sink.topic, suffix);
  const std::optional<TopicInfo> info = log.topic(topic);
  if (info && info->partitions != tasks && node.sink.partition_by < 0)
    refuse(
        fmt::format("sink \"{}\": topic \"{}\" has {} partitions, the stage has {} tasks. Give partition_by = "
                    "'<column>', or use another topic; where partitions were added to a source since a run before, use "
                    "another application.id too, or `kappa replay` into a versioned topic",
                    node.name, topic, info->partitions, tasks));
}

void check_partition_counts(const Graph& graph, const Stage& stage, Log& log, const std::string& run) {
  std::map<std::string, std::int32_t> before;
  for (const auto& [at, position] : log.committed(group_of(graph, stage, run)))
    before[at.topic] = std::max(before[at.topic], at.partition + 1);
  for (const StageInput& input : stage.inputs)
    if (const auto found = before.find(input.topic); found != before.end() && found->second != stage.partitions)
      refuse(fmt::format(
          "\"{}\" has positions for {} partitions of \"{}\", now there are {}: partitions were added or removed, so "
          "keys "
          "lie elsewhere now; or positions of the last ones were removed or expired (group \"{}\"). What was published "
          "stays; use another application.id, or `kappa replay` into a versioned topic",
          graph.name(), found->second, input.topic, stage.partitions, group_of(graph, stage, run)));
}
}  // namespace

std::string decisions_topic_of(const Graph& graph, const std::string& run) {
  return suffixed(graph.name() + "-decisions", run);
}

Topology topology_of(const Graph& graph, Log& log, const std::string& run) {
  for (const Node& node : graph.nodes()) {
    if (node.kind != NodeKind::source || log.topic(node.source.topic)) continue;
    std::vector<std::string> names;
    for (const TopicInfo& info : log.topics()) names.push_back(info.name);
    const std::string nearest = nearest_word(node.source.topic, names);
    refuse(fmt::format("source \"{}\": topic \"{}\" does not exist{}. `kappa log topics` lists those that do",
                       node.name, node.source.topic, nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
  }
  return make_topology(graph, run, [&](const std::string& name) -> std::optional<std::int32_t> {
    const std::optional<TopicInfo> info = log.topic(name);
    return info ? std::optional(info->partitions) : std::nullopt;
  });
}

void check_topics(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options) {
  for (const Stage& stage : topology.stages) {
    for (const StageInput& input : stage.inputs) {
      const Node& node = graph.node(input.node);
      if (input.repartition || node.source.partitioned_by.empty() || node.source.partitioned_by_trust) continue;
      for (std::int32_t p = 0; p < stage.partitions; ++p) check_partitioned_by(node, input, p, stage.partitions, log);
    }
    for (const int n : stage.nodes)
      if (graph.node(n).kind == NodeKind::sink) check_sink(graph.node(n), stage.partitions, log, options.policy.suffix);
  }
}

void check_positions(const Graph& graph, const Topology& topology, Log& log, const std::string& run) {
  for (const Stage& stage : topology.stages) check_partition_counts(graph, stage, log, run);
}

void create_topics(const Graph& graph, const Topology& topology, Log& log, const RunOptions& options,
                   const OutputNames& names, const std::string& decisions_topic) {
  std::int32_t widest = 1;
  for (const Stage& stage : topology.stages) widest = std::max(widest, partitions_of(stage));
  const auto create = [&](const std::string& topic, std::int32_t partitions) {
    if (!log.topic(topic)) log.create_topic(topic, partitions);
  };
  for (const Stage& stage : topology.stages) {
    for (const StageInput& input : stage.inputs)
      if (input.repartition) create(input.topic, stage.partitions);
    for (const int n : stage.nodes)
      if (const Node& node = graph.node(n); node.kind == NodeKind::sink && options.policy.publish)
        create(suffixed(node.sink.topic, options.policy.suffix), stage.partitions);
  }
  if (options.policy.publish) {
    if (!names.late_topic.empty()) create(suffixed(names.late_topic, options.policy.suffix), widest);
    if (!names.dead_letter_topic.empty()) create(suffixed(names.dead_letter_topic, options.policy.suffix), widest);
  }
  create(decisions_topic, widest);
}

}  // namespace kappa
