#include "kappa/service/field_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kappa/engine/schema.h"
#include "kappa/service/bounded_json.h"

namespace kappa {

namespace {
constexpr std::int64_t kSampled = 1000;
constexpr int kDepthMax = 16;

// Names of fields, and of fields inside objects with their path.
void collect(const nlohmann::json& object, const std::string& prefix, int depth, std::set<std::string>& names) {
  for (const auto& [name, value] : object.items()) {
    names.insert(prefix + name);
    if (value.is_object() && depth < kDepthMax) collect(value, prefix + name + ".", depth + 1, names);
  }
}

std::set<std::string> fields_of(Log& log, const TopicInfo& topic) {
  std::set<std::string> names;
  std::int64_t left = kSampled;
  for (std::int32_t p = 0; p < topic.partitions && left > 0; ++p) {
    const TopicPartition at{topic.name, p};
    RecordBlock block;
    // What the earlier partitions leave is shared by the others.
    log.open_reader(at, log.start_offset(at))
        ->read(block, std::max<std::int64_t>(1, left / (topic.partitions - p)), log.end_offset(at));
    left -= static_cast<std::int64_t>(block.records.size());
    for (const RecordView& record : block.records)
      if (const auto json = parse_bounded<nlohmann::json>(record.value()); json.is_object())
        collect(json, "", 0, names);
  }
  return names;
}
}  // namespace

std::vector<std::string> missing_fields(const Graph& graph, Log& log) {
  std::vector<std::string> warnings;
  for (const Node& node : graph.nodes()) {
    const std::optional<TopicInfo> topic =
        node.kind == NodeKind::source && !node.source.fields.empty() ? log.topic(node.source.topic) : std::nullopt;
    if (!topic) continue;
    const std::set<std::string> names = fields_of(log, *topic);
    if (names.empty()) continue;
    for (const std::string& field : node.source.fields) {
      if (field.empty() || names.count(field) > 0) continue;
      const std::string nearest = nearest_word(field, {names.begin(), names.end()});
      warnings.push_back(fmt::format("source \"{}\": none of the first records of topic \"{}\" has a field \"{}\"{}",
                                     node.name, topic->name, field,
                                     nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
    }
  }
  return warnings;
}

}  // namespace kappa
