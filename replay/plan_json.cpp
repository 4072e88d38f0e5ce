// A plan as JSON: for `--output json` and for the catalog, which a resumed replay reads back.
#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/replay/plan.h"

namespace kappa {

std::string to_string(ReplayOutput output) {
  switch (output) {
    case ReplayOutput::topic: return "topic";
    case ReplayOutput::upsert: return "upsert";
    case ReplayOutput::none: return "none";
  }
  return "?";
}

ReplayOutput parse_replay_output(const std::string& text) {
  for (const ReplayOutput output : {ReplayOutput::topic, ReplayOutput::upsert, ReplayOutput::none})
    if (to_string(output) == text) return output;
  usage_error("--output is topic, upsert or none, not \"" + text + "\"");
}

std::string to_json(const ReplayPlan& plan) {
  using Json = nlohmann::ordered_json;
  Json partitions = Json::array(), sinks = Json::array(), checkpoints = Json::array();
  for (const PlannedPartition& p : plan.partitions)
    partitions.push_back({{"topic", p.at.topic},
                          {"partition", p.at.partition},
                          {"log_start", p.log_start},
                          {"start", p.start},
                          {"end", p.end},
                          {"decisions_max", p.decisions_max},
                          {"first_timestamp", p.first_timestamp_ms},
                          {"records", p.records},
                          {"bytes", p.bytes}});
  for (const PlannedSink& sink : plan.sinks)
    sinks.push_back({{"node", sink.node}, {"topic", sink.topic}, {"exists", sink.exists}});
  for (const auto& [task, id] : plan.checkpoints)
    checkpoints.push_back({{"stage", task.stage}, {"partition", task.partition}, {"checkpoint", id}});
  return Json{{"name", plan.spec.name},
              {"from_us", plan.spec.from_us},
              {"to_us", plan.spec.to_us},
              {"output", to_string(plan.spec.output)},
              {"horizon_us", plan.horizon_us},
              {"partitions", partitions},
              {"sinks", sinks},
              {"checkpoints", checkpoints},
              {"notes", plan.notes},
              {"records", plan.records},
              {"bytes", plan.bytes}}
      .dump(2);
}

ReplayPlan parse_replay_plan(const std::string& json, const std::string& place) {
  try {
    const nlohmann::json j = nlohmann::json::parse(json);
    ReplayPlan plan;
    plan.spec = {j.at("name"), j.at("from_us"), j.at("to_us"), parse_replay_output(j.at("output"))};
    plan.horizon_us = j.at("horizon_us");
    for (const auto& p : j.at("partitions"))
      plan.partitions.push_back({{p.at("topic"), p.at("partition")},
                                 p.at("log_start"),
                                 p.at("start"),
                                 p.at("end"),
                                 p.at("decisions_max"),
                                 p.at("first_timestamp"),
                                 p.at("records"),
                                 p.at("bytes")});
    for (const auto& s : j.at("sinks")) plan.sinks.push_back({s.at("node"), s.at("topic"), s.at("exists")});
    for (const auto& c : j.at("checkpoints")) plan.checkpoints[{c.at("stage"), c.at("partition")}] = c.at("checkpoint");
    plan.notes = j.at("notes");
    plan.records = j.at("records");
    plan.bytes = j.at("bytes");
    return plan;
  } catch (const nlohmann::json::exception& error) {
    fail(place + " is damaged (" + error.what() + "): remove it and give the replay another name");
  }
}

}  // namespace kappa
