#include "kappa/replay/replay.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"

namespace kappa {

namespace {
bool same(const ReplaySpec& a, const ReplaySpec& b) {
  return a.name == b.name && a.from_us == b.from_us && a.to_us == b.to_us && a.output == b.output;
}

// The frozen plan of an interrupted replay of this name, or a new one.
CatalogEntry entry_for(const Graph& graph, Log& log, StateStore* state, const Catalog& catalog, const ReplaySpec& spec,
                       bool& resumed) {
  if (std::optional<CatalogEntry> before = catalog.find(spec.name)) {
    if (before->finished) refuse(fmt::format("replay \"{}\" is finished: give another --name", spec.name));
    if (!same(before->plan.spec, spec) || before->fingerprint != fingerprint_of(graph))
      refuse(fmt::format(
          "replay \"{}\" was begun with another range, output or pipeline: go on with those, or give another --name",
          spec.name));
    resumed = true;
    return std::move(*before);
  }
  CatalogEntry entry{plan_replay(graph, log, state, spec), graph.name(), fingerprint_of(graph), false};
  if (spec.output == ReplayOutput::topic)
    for (const PlannedSink& sink : entry.plan.sinks)
      if (sink.exists)
        refuse(fmt::format("topic \"{}\" exists already and is not of an unfinished replay \"{}\": give another --name",
                           sink.topic, spec.name));
  return entry;
}

// An upsert may run beside live only below what live has closed: later results would come from both.
std::unique_ptr<RunLock> guard_upsert(const Graph& graph, Log& log, const ReplaySpec& spec) {
  if (spec.output != ReplayOutput::upsert) return nullptr;
  const Topology topology = topology_of(graph, log, "");
  std::int64_t closed = kForever;
  for (const Stage& stage : topology.stages) {
    const auto committed = log.committed(group_of(graph, stage, ""));
    for (const auto& [at, position] : committed)
      closed = std::min(closed, parse_commit_metadata(position).released - stage.out_of_orderness_us);
    if (committed.empty()) closed = kNever;
  }
  if (spec.to_us < closed) return nullptr;
  if (!log.lock_is_exclusive())
    refuse(
        "--output upsert writes results that live has not closed yet, and live may run on another machine: give --to "
        "below "
        "what it has closed, or use --output topic");
  try {
    return log.lock_group(graph.name());
  } catch (const Error& error) {
    refuse(
        fmt::format("--output upsert writes results that a running live has not closed yet ({}). Stop live, give --to "
                    "below what it has "
                    "closed, or use --output topic",
                    error.what()));
  }
}

RunOptions bounds_of(const ReplayPlan& plan, RunOptions run, std::int64_t out_of_orderness_us) {
  run.run = plan.spec.name;
  run.until_end = true;
  run.close = false;
  run.policy.publish = plan.spec.output != ReplayOutput::none;
  run.policy.suffix = plan.spec.output == ReplayOutput::topic ? plan.spec.name : "";
  run.policy.from_us = plan.spec.from_us;
  run.policy.to_us = plan.spec.to_us;
  run.policy.run = plan.spec.name;
  run.policy.digest = plan.spec.output != ReplayOutput::topic;
  run.initial_checkpoints = plan.checkpoints;
  // A window whose result lies before --to ends less than 1 ms after it.
  const std::int64_t stop = plan.spec.to_us >= kForever ? kForever : plan.spec.to_us + 1'000 + out_of_orderness_us;
  for (const PlannedPartition& p : plan.partitions) run.ranges[p.at] = {p.start, p.end, p.decisions_max, stop};
  return run;
}

std::vector<SinkDigest> digests(Log& log, const ReplayPlan& plan, const RunReport& report) {
  std::vector<SinkDigest> sinks;
  if (plan.spec.output == ReplayOutput::topic) {
    for (const PlannedSink& sink : plan.sinks) sinks.push_back(digest_of(log, sink.topic));
    return sinks;
  }
  std::map<std::string, std::pair<std::int64_t, std::uint64_t>> totals;
  for (const TaskReport& task : report.tasks)
    for (const auto& [topic, total] : task.sinks) {
      auto& [records, digest] = totals[topic];
      records += total.records;
      digest = XXH3_64bits_withSeed(&total.digest, sizeof total.digest, digest);
    }
  for (const auto& [topic, total] : totals) sinks.push_back({topic, total.first, fmt::format("{:016x}", total.second)});
  return sinks;
}
}  // namespace

SinkDigest digest_of(Log& log, const std::string& topic) {
  SinkDigest result{topic, 0, ""};
  std::uint64_t all = 0;
  const std::int32_t partitions = log.topic(topic).value().partitions;
  for (std::int32_t p = 0; p < partitions; ++p) {
    const TopicPartition at{topic, p};
    const std::int64_t end = log.end_offset(at);
    const std::unique_ptr<Reader> reader = log.open_reader(at, log.start_offset(at));
    std::uint64_t digest = 0;
    RecordBlock block;
    while (reader->position() < end) {
      reader->read(block, kBatchRows, end);
      for (const RecordView& record : block.records) {
        const std::uint64_t seed =
            digest ^ static_cast<std::uint64_t>(record.timestamp_ms) ^ (record.key_is_null() ? 1U : 0U);
        digest = XXH3_64bits_withSeed(
            record.value_data, static_cast<std::size_t>(record.value_size),
            XXH3_64bits_withSeed(record.key_data, static_cast<std::size_t>(record.key_size), seed));
      }
      result.records += static_cast<std::int64_t>(block.records.size());
    }
    all = XXH3_64bits_withSeed(&digest, sizeof digest, all);
  }
  result.digest = fmt::format("{:016x}", all);
  return result;
}

ReplayReport run_replay(const Graph& graph, Log& log, StateStore* state, const Catalog& catalog, ReplayOptions options,
                        std::stop_token stop) {
  check_replay_name(options.spec.name);
  ReplayReport report;
  CatalogEntry entry = entry_for(graph, log, state, catalog, options.spec, report.resumed);
  const std::unique_ptr<RunLock> live = guard_upsert(graph, log, options.spec);
  if (!report.resumed) catalog.put(entry);
  std::int64_t out_of_orderness_us = 0;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    out_of_orderness_us = std::max(out_of_orderness_us, graph.out_of_orderness_us(static_cast<int>(i)));
  report.plan = entry.plan;
  report.run = run_graph(graph, log, state, bounds_of(entry.plan, std::move(options.run), out_of_orderness_us), stop);
  report.finished = !report.run.stopped;
  if (report.finished) {
    entry.finished = true;
    catalog.put(entry);
    report.sinks = digests(log, entry.plan, report.run);
  }
  return report;
}

}  // namespace kappa
