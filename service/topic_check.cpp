#include "kappa/service/topic_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

std::string setting(const TopicSettings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? "" : found->second;
}

// -1 (Kafka's "no limit"), and what is not there, are kUnlimited.
std::int64_t limit(const TopicSettings& settings, const std::string& name) {
  const std::string text = setting(settings, name);
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value < 0 ? kUnlimited : value;
}

bool has_policy(const TopicSettings& settings, const char* policy) {
  return setting(settings, "cleanup.policy").find(policy) != std::string::npos;
}

// The largest unit that is exact: "7 days", "90 minutes".
std::string time_text(std::int64_t ms) {
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  for (const Unit& unit : {Unit{86'400'000, "day"}, {3'600'000, "hour"}, {60'000, "minute"}, {1000, "second"}})
    if (ms >= unit.ms && ms % unit.ms == 0)
      return fmt::format("{} {}{}", ms / unit.ms, unit.name, ms == unit.ms ? "" : "s");
  return fmt::format("{} ms", ms);
}

bool keeps_state(const Graph& graph, const Stage& stage) {
  return stage.input_count > 1 ||
         std::any_of(stage.nodes.begin(), stage.nodes.end(), [&](int n) { return graph.node(n).stateful; });
}

// How much of an input a start without a checkpoint reads again; kForever: all.
std::int64_t needed_ms(const Graph& graph, const Stage& stage, const StageInput& input) {
  if (stage.horizon_us >= kForever) return kForever;
  const std::int64_t max_future = input.repartition ? 0 : graph.node(input.node).source.max_future_us;
  return (stage.horizon_us + stage.out_of_orderness_us + max_future) / 1000;
}

constexpr const char* kNoRebuild =
    "Without a checkpoint (state directory lost, another machine, --rebuild) a start may not find what it has to read "
    "again, and is then refused";

void check_retention(const Graph& graph, const Stage& stage, const StageInput& input, const std::string& what,
                     const TopicSettings& settings, std::vector<std::string>& lines) {
  if (!keeps_state(graph, stage) || !has_policy(settings, "delete")) return;
  const std::int64_t needed = needed_ms(graph, stage, input), kept = limit(settings, "retention.ms");
  const std::string wanted = needed >= kForever ? std::string("all records, since its horizon is unbounded")
                                                : "the last " + time_text(needed) + " and the time it is stopped";
  if (kept < needed)
    lines.push_back(
        fmt::format("{} keeps records for {} (retention.ms={}), but the state is made of {}. {}: raise "
                    "retention.ms, or keep checkpoints safe (checkpoint.directory)",
                    what, time_text(kept), kept, wanted, kNoRebuild));
  if (const std::int64_t bytes = limit(settings, "retention.bytes"); bytes != kUnlimited)
    lines.push_back(
        fmt::format("{} keeps about {} bytes a partition whatever their age (retention.bytes), but the "
                    "state is made of {}. {}: make sure that they are in there",
                    what, bytes, wanted, kNoRebuild));
}

void check_leaders(const std::string& what, const TopicSettings& settings, std::vector<std::string>& lines) {
  if (setting(settings, "unclean.leader.election.enable") == "true")
    lines.push_back(
        fmt::format("{} has unclean.leader.election.enable=true: a broker that missed records may become "
                    "the leader; they are lost then, and other records may take their offsets, unseen",
                    what));
}

// A result is stamped with its event time, which the future guard lets lie ahead of the clock; --close closes windows
// before their end.
std::int64_t ahead_ms(const Graph& graph) {
  std::int64_t max_future = 0;
  for (const Node& node : graph.nodes())
    if (node.kind == NodeKind::source) max_future = std::max(max_future, node.source.max_future_us);
  return graph.horizon_us() >= kForever ? kForever : (max_future + graph.horizon_us()) / 1000;
}

void check_timestamps(const TopicCheck& check, const std::string& what, const TopicSettings& settings,
                      std::vector<std::string>& lines) {
  if (setting(settings, "message.timestamp.type") == "LogAppendTime") {
    lines.push_back(
        fmt::format("{} has message.timestamp.type=LogAppendTime: results lose their event time, which is "
                    "what `kappa diff` and pipelines that read them go by. Set it to CreateTime",
                    what));
    return;  // then the brokers look at no timestamp
  }
  const std::int64_t difference = limit(settings, "message.timestamp.difference.max.ms");
  const std::int64_t after = std::min(difference, limit(settings, "message.timestamp.after.max.ms"));
  const std::int64_t before = std::min(difference, limit(settings, "message.timestamp.before.max.ms"));
  if (const std::int64_t ahead = ahead_ms(check.graph); after < ahead)
    lines.push_back(fmt::format(
        "{} refuses timestamps more than {} ahead of the clock (message.timestamp.after.max.ms={}); results may be "
        "stamped {} ahead (max_future and windows that --close closes), and one that is refused ends the run. Raise it",
        what, time_text(after), after, ahead >= kForever ? "any time" : time_text(ahead)));
  if (before != kUnlimited)
    lines.push_back(fmt::format(
        "{} refuses timestamps more than {} back (message.timestamp.before.max.ms={}): a result of older records, as a "
        "catch-up or a replay has them, ends the run. Remove the bound",
        what, time_text(before), before));
}

void check_written(const TopicCheck& check, const std::string& what, const TopicSettings& settings,
                   std::vector<std::string>& lines) {
  check_timestamps(check, what, settings, lines);
  check_leaders(what, settings, lines);
  if (const std::int64_t bytes = limit(settings, "max.message.bytes"); bytes < check.batch_bytes)
    lines.push_back(
        fmt::format("{} takes batches of {} bytes (max.message.bytes), kappa sends up to {}: one that is "
                    "refused ends the run. Raise it, or lower kafka.batch.size",
                    what, bytes, check.batch_bytes));
}
}  // namespace

std::vector<std::string> sink_warnings(const TopicCheck& check) {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for (const Node& node : check.graph.nodes()) {
    if (node.kind != NodeKind::sink) continue;
    const auto settings = check.settings(node.sink.topic);
    if (!settings) continue;
    const std::string what = fmt::format("sink \"{}\": topic \"{}\"", node.name, node.sink.topic);
    if (has_policy(*settings, "compact") && !node.sink.keyed)
      lines.push_back(
          fmt::format("{} is compacted (cleanup.policy={}), but the record key does not name one result: "
                      "older results of a key go away, and the brokers refuse a record without a key, which "
                      "ends the run",
                      what, setting(*settings, "cleanup.policy")));
    if (seen.insert(node.sink.topic).second) check_written(check, what, *settings, lines);
  }
  return lines;
}

std::vector<std::string> topic_warnings(const TopicCheck& check) {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for (const Stage& stage : check.topology.stages)
    for (const StageInput& input : stage.inputs) {
      const auto settings = check.settings(input.topic);
      if (!settings) continue;
      const Node& node = check.graph.node(input.node);
      const std::string what =
          fmt::format("{} \"{}\": topic \"{}\"", input.repartition ? "repartition" : "source", node.name, input.topic);
      if (has_policy(*settings, "compact"))
        lines.push_back(
            fmt::format("{} is compacted (cleanup.policy={}): older records of a key go away, so that state "
                        "made by reading it again may differ from what it was, and a replay is refused",
                        what, setting(*settings, "cleanup.policy")));
      check_retention(check.graph, stage, input, what, *settings, lines);
      if (seen.insert(input.topic).second) check_leaders(what, *settings, lines);
    }
  for (std::string& line : sink_warnings(check)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> check_replayable(const TopicCheck& check) {
  std::vector<std::string> lines;
  for (const Node& node : check.graph.nodes()) {
    if (node.kind != NodeKind::source) continue;
    const auto settings = check.settings(node.source.topic);
    if (!settings) continue;
    const std::string what = fmt::format("source \"{}\": topic \"{}\"", node.name, node.source.topic);
    if (has_policy(*settings, "compact"))
      refuse(
          fmt::format("{} is compacted (cleanup.policy={}): older records of a key are gone, so a replay would not "
                      "give what live gave. Replay from a topic that keeps them (cleanup.policy=delete)",
                      what, setting(*settings, "cleanup.policy")));
    if (setting(*settings, "message.timestamp.type") == "LogAppendTime")
      lines.push_back(
          fmt::format("{} stamps records when they are appended (LogAppendTime): where to begin is found by "
                      "that time. Records that were copied there later are all read",
                      what));
    check_leaders(what, *settings, lines);
  }
  return lines;
}

}  // namespace kappa
