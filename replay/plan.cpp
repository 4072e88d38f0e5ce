#include "kappa/replay/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/preflight.h"
#include "kappa/engine/recovery.h"
#include "kappa/engine/time_text.h"

namespace kappa {

namespace {
std::int64_t last_decision(Log& log, const std::string& topic, const TopicPartition& at) {
  std::int64_t last = 0;
  for (const Decision& decision : read_decisions(log, topic, at.partition))
    if (decision.source == at.topic) last = std::max(last, decision.number);
  return last;
}

class Planner {
 public:
  Planner(const Graph& graph, Log& log, StateStore* state, const ReplaySpec& spec)
      : graph_(graph), log_(log), state_(state), topology_(topology_of(graph, log, spec.name)) {
    plan_.spec = spec;
    plan_.horizon_us = graph.horizon_us();
  }

  ReplayPlan plan() {
    if (plan_.spec.from_us >= plan_.spec.to_us)
      usage_error(fmt::format("--from {} is not before --to {}", timestamp_text(plan_.spec.from_us),
                              timestamp_text(plan_.spec.to_us)));
    RunOptions options;
    options.run = plan_.spec.name;
    options.policy.suffix = suffix();
    check_topics(graph_, topology_, log_, options);
    check_positions(graph_, topology_, log_, options.run);
    plan_sinks();
    for (const Stage& stage : topology_.stages)
      for (const StageInput& input : stage.inputs)
        if (!input.repartition)
          for (std::int32_t p = 0; p < stage.partitions; ++p) plan_partition(input, {input.topic, p});
    check_range();
    if (state_ && topology_.stages.size() == 1) choose_checkpoints(topology_.stages.front());
    for (const PlannedPartition& partition : plan_.partitions) {
      plan_.records += partition.records;
      plan_.bytes += partition.bytes;
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] std::string suffix() const { return plan_.spec.output == ReplayOutput::topic ? plan_.spec.name : ""; }

  void plan_sinks() {
    for (const Node& node : graph_.nodes()) {
      if (node.kind != NodeKind::sink) continue;
      if (plan_.spec.output == ReplayOutput::upsert && !node.sink.keyed)
        refuse(fmt::format(
            "sink \"{}\" has no record key that names group and window: an upsert would double its results. "
            "Use --output topic",
            node.name));
      const std::string topic = node.sink.topic + (suffix().empty() ? "" : "." + suffix());
      plan_.sinks.push_back(
          {node.name, plan_.spec.output == ReplayOutput::none ? "" : topic, log_.topic(topic).has_value()});
    }
  }

  void plan_partition(const StageInput& input, const TopicPartition& at) {
    PlannedPartition planned;
    planned.at = at;
    planned.log_start = log_.start_offset(at);
    planned.end = log_.end_offset(at);
    planned.decisions_max = last_decision(log_, decisions_topic_of(graph_, ""), at);
    const RunOptions options;
    const Recovery recovery(graph_, log_, options);
    const bool bounded = plan_.horizon_us < kForever;
    planned.start =
        bounded ? recovery.cold_offset(input, at, plan_.spec.from_us - plan_.horizon_us) : planned.log_start;
    // The first kept record already lies in the range that is needed: whether earlier ones did too, nobody can tell any
    // more.
    if (planned.start == planned.log_start && planned.log_start > 0)
      refuse(
          fmt::format("{} begins at offset {}: records that a replay from {} needs ({} before it) may be gone. Choose "
                      "a later --from",
                      to_string(at), planned.log_start, timestamp_text(plan_.spec.from_us),
                      bounded ? fmt::format("{} ms", plan_.horizon_us / 1000) : "all records"));
    look_at(planned);
    plan_.partitions.push_back(std::move(planned));
  }

  void look_at(PlannedPartition& planned) {
    planned.records = planned.end - planned.start;
    planned.bytes = log_.bytes_between(planned.at, planned.start, planned.end);
    RecordBlock block;
    log_.open_reader(planned.at, planned.start)->read(block, 1, planned.end);
    if (!block.records.empty()) planned.first_timestamp_ms = block.records.front().timestamp_ms;
  }

  void check_range() {
    std::int64_t found = 0;
    for (const PlannedPartition& partition : plan_.partitions) found += partition.records;
    if (found == 0)
      refuse(
          fmt::format("no partition has a record that could matter to results from {} on: the log ends before. Choose "
                      "an earlier --from",
                      timestamp_text(plan_.spec.from_us)));
    if (plan_.horizon_us >= kForever)
      plan_.notes.push_back("the graph's horizon is unbounded: the log is read from its beginning");
    else
      plan_.notes.push_back(
          fmt::format("warm-up: records stamped from {} on ({} ms of state before --from, and max_future) are read; "
                      "results before --from are muted",
                      timestamp_text(plan_.spec.from_us - plan_.horizon_us), plan_.horizon_us / 1000));
  }

  // Newest first: on every input the greatest event time read must lie before --from.
  void choose_checkpoints(const Stage& stage) {
    for (std::int32_t p = 0; p < stage.partitions; ++p) {
      const std::unique_ptr<TaskState> task = state_->open({stage.name, p});
      for (const CheckpointMeta& meta : task->checkpoints([](const std::string&, const std::string&) {})) {
        if (!usable(stage, meta)) continue;
        plan_.checkpoints[{stage.name, p}] = meta.id;
        for (const InputMark& mark : meta.inputs) begin_at(mark);
        break;
      }
    }
    if (!plan_.checkpoints.empty())
      plan_.notes.push_back(
          fmt::format("{} of {} tasks begin at a checkpoint of live", plan_.checkpoints.size(), stage.partitions));
    else
      plan_.notes.push_back("no checkpoint of the same graph lies before --from: a cold start");
  }

  [[nodiscard]] bool usable(const Stage& stage, const CheckpointMeta& meta) const {
    return fits(graph_, stage, meta) && meta.inputs.size() == stage.inputs.size() &&
           std::all_of(meta.inputs.begin(), meta.inputs.end(), [&](const InputMark& mark) {
             return mark.progress < plan_.spec.from_us && mark.offset >= start_of({mark.topic, mark.partition});
           });
  }

  [[nodiscard]] std::int64_t start_of(const TopicPartition& at) const {
    for (const PlannedPartition& partition : plan_.partitions)
      if (partition.at == at) return partition.log_start;
    return kForever;
  }

  void begin_at(const InputMark& mark) {
    for (PlannedPartition& partition : plan_.partitions) {
      if (partition.at.topic != mark.topic || partition.at.partition != mark.partition) continue;
      partition.records = std::max<std::int64_t>(0, partition.end - mark.offset);
      partition.bytes = log_.bytes_between(partition.at, std::min(mark.offset, partition.end), partition.end);
    }
  }

  const Graph& graph_;
  Log& log_;
  StateStore* state_;
  Topology topology_;
  ReplayPlan plan_;
};
}  // namespace

void check_replay_name(const std::string& name) {
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 50 || !std::all_of(name.begin(), name.end(), good))
    usage_error(fmt::format("a replay's name is 1 to 50 of A-Z a-z 0-9 . _ -, not \"{}\"", name));
}

ReplayPlan plan_replay(const Graph& graph, Log& log, StateStore* state, const ReplaySpec& spec) {
  check_replay_name(spec.name);
  return Planner(graph, log, state, spec).plan();
}

std::string describe(const ReplayPlan& plan) {
  std::string out = fmt::format(
      "replay \"{}\" of results from {} to {}, output {}\n", plan.spec.name, timestamp_text(plan.spec.from_us),
      plan.spec.to_us >= kForever ? "the end" : timestamp_text(plan.spec.to_us), to_string(plan.spec.output));
  for (const std::string& note : plan.notes) out += "  " + note + "\n";
  out += "reads\n";
  for (const PlannedPartition& p : plan.partitions)
    out += fmt::format("  {} offsets {} to {} ({} records, {} bytes){}\n", to_string(p.at), p.end - p.records, p.end,
                       p.records, p.bytes,
                       p.first_timestamp_ms < 0 ? "" : ", stamped from " + timestamp_text(p.first_timestamp_ms * 1000));
  out += fmt::format("  in all {} records, {} bytes\n", plan.records, plan.bytes);
  out += "writes\n";
  for (const PlannedSink& sink : plan.sinks)
    out += fmt::format("  {} -> {}{}\n", sink.node, sink.topic.empty() ? "nothing" : "topic " + sink.topic,
                       sink.topic.empty() || sink.exists ? "" : " (new)");
  return out;
}

}  // namespace kappa
