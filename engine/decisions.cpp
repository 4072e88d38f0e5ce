#include "kappa/engine/decisions.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"

namespace kappa {

std::string to_json(const Decision& decision) {
  return nlohmann::ordered_json{{"source", decision.source},     {"partition", decision.partition},
                                {"offset", decision.offset},     {"number", decision.number},
                                {"progress", decision.progress}, {"cause", decision.cause}}
      .dump();
}

Decision parse_decision(std::string_view json, const std::string& place) {
  try {
    const nlohmann::json j = nlohmann::json::parse(json);
    return {j.at("source"), j.at("partition"), j.at("offset"), j.at("number"), j.at("progress"), j.at("cause")};
  } catch (const nlohmann::json::exception& error) {
    fail(fmt::format("{}: not a decision ({}). Only kappa writes this topic", place, error.what()));
  }
}

std::vector<Decision> read_decisions(Log& log, const std::string& topic, std::int32_t partition) {
  std::vector<Decision> decisions;
  const std::optional<TopicInfo> info = log.topic(topic);
  if (!info || partition >= info->partitions) return decisions;
  const TopicPartition at{topic, partition};
  const std::int64_t start = log.start_offset(at), end = log.end_offset(at);
  if (start == end) return decisions;
  const std::unique_ptr<Reader> reader = log.open_reader(at, start);
  RecordBlock block;
  while (reader->position() < end) {
    reader->read(block, 1000, end);
    if (block.records.empty()) break;
    for (const RecordView& record : block.records)
      decisions.push_back(parse_decision(record.value(), fmt::format("{} offset {}", to_string(at), record.offset)));
  }
  return decisions;
}

namespace {
void append_to(Producer& producer, const TopicPartition& to, const Decision& decision, std::int64_t wall_ms) {
  const std::string key = to_string(TopicPartition{decision.source, decision.partition});
  const std::string value = to_json(decision);
  const OutRecord record{key, value, false, false, wall_ms, {}};
  producer.append(to, std::span(&record, 1));
}
}  // namespace

std::string start_cause(const std::string& group) { return "start of " + group; }

CommitOutcome commit_starts(Producer& producer, const std::string& decisions_topic, const GroupStart& start) {
  if (start.at_least_once)
    if (const CommitOutcome outcome = producer.commit(start.group, start.positions);
        outcome != CommitOutcome::committed)
      return outcome;
  for (const Position& first : start.positions)
    append_to(producer, {decisions_topic, 0},
              {first.at.topic, first.at.partition, first.offset, 0, 0, start_cause(start.group)}, start.wall_ms);
  return producer.commit(start.group, start.at_least_once ? std::vector<Position>() : start.positions);
}

void append_decision(Producer& producer, const std::string& topic, const Decision& decision, std::int64_t wall_ms) {
  append_to(producer, {topic, decision.partition}, decision, wall_ms);
}

}  // namespace kappa
