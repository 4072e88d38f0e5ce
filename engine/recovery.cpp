#include "kappa/engine/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/kill_point.h"
#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/time_text.h"

namespace kappa {

namespace {
void tell(const RunOptions& options, const std::string& line) {
  if (options.message) options.message(line);
}

bool needs_state(const Graph& graph, const Stage& stage) {
  const bool stateful =
      std::any_of(stage.nodes.begin(), stage.nodes.end(), [&](int n) { return graph.node(n).stateful; });
  return stateful || stage.input_count > 1;
}

std::int64_t records_behind(const CheckpointMeta& meta) {
  std::int64_t sum = 0;
  for (const InputMark& mark : meta.inputs) sum += mark.offset;
  return sum;
}
}  // namespace

bool fits(const Graph& graph, const Stage& stage, const CheckpointMeta& meta) {
  for (const int n : stage.nodes) {
    if (!graph.node(n).stateful) continue;
    const auto found = meta.fingerprints.find(graph.node(n).name);
    if (found == meta.fingerprints.end() || found->second != graph.fingerprint(n)) return false;
  }
  return true;
}

Recovery::Recovery(const Graph& graph, Log& log, const RunOptions& options)
    : graph_(graph), log_(log), options_(options) {}

// A repartition topic that does not exist yet is empty: nothing is written before all tasks are planned.
std::int64_t Recovery::start_of(const TopicPartition& at) const {
  return log_.topic(at.topic) ? log_.start_offset(at) : 0;
}
std::int64_t Recovery::end_of(const TopicPartition& at) const { return log_.topic(at.topic) ? log_.end_offset(at) : 0; }

std::int64_t Recovery::first_offset(const StageInput& input, const TopicPartition& at) const {
  if (const auto range = options_.ranges.find(at); range != options_.ranges.end()) return range->second.start;
  if (input.repartition || options_.start.kind == StartPolicy::Kind::earliest) return start_of(at);
  const std::int64_t end = end_of(at);  // asked for first: what comes after it is read
  if (options_.start.kind == StartPolicy::Kind::latest) return end;
  return log_.offset_at(at, options_.start.time_ms).value_or(end);
}

std::int64_t Recovery::cold_offset(const StageInput& input, const TopicPartition& at, std::int64_t instant_us) const {
  if (instant_us <= kNever / 2) return start_of(at);
  const std::int64_t max_future = input.repartition ? 0 : graph_.node(input.node).source.max_future_us;
  const std::int64_t end = end_of(at);
  return log_.offset_at(at, floor_ms(instant_us - max_future)).value_or(end);
}

TaskStart Recovery::first_start(const Stage& stage, std::int32_t partition, TaskState* state) const {
  TaskStart start;
  if (const auto chosen = options_.initial_checkpoints.find({stage.name, partition});
      state && chosen != options_.initial_checkpoints.end()) {
    try {
      start.restored = state->restore(chosen->second);
    } catch (const Error& error) {
      tell(options_, fmt::format("checkpoint {} is not used, the log is read from the horizon instead: {}",
                                 chosen->second, error.what()));
    }
  }
  if (state && options_.run.empty()) refuse_foreign(stage, partition, *state);
  refuse_second_start(stage, partition);
  for (const StageInput& input : stage.inputs) {
    const TopicPartition at{input.topic, partition};
    InputStart in;
    in.first = in.offset = first_offset(input, at);
    if (start.restored)
      for (const InputMark& mark : start.restored->meta().inputs)
        if (mark.topic == at.topic) in.offset = mark.offset, in.progress = mark.progress, in.decision = mark.decision;
    in.mute_until = in.offset;
    start.explanation +=
        fmt::format("{}{} starts at offset {}", start.explanation.empty() ? "" : ", ", to_string(at), in.offset);
    start.inputs.push_back(in);
  }
  return start;
}

void Recovery::refuse_foreign(const Stage& stage, std::int32_t partition, TaskState& state) const {
  if (state.checkpoints([](const std::string&, const std::string&) {}).empty()) return;
  refuse(fmt::format(
      "task {}-{} has checkpoints, but the log holds no position of \"{}\": the state directory belongs to another "
      "log, or the positions were removed, by hand or because their topic was deleted and made anew. To start over, "
      "which publishes every result again, remove the state directory{}, or use another application.id",
      stage.name, partition, graph_.name(),
      log_.lock_is_exclusive() ? "" : " and the topic \"" + decisions_topic_of(graph_, options_.run) + "\""));
}

std::vector<Position> Recovery::first_positions(const Stage& stage) const {
  std::vector<Position> positions;
  refuse_second_start(stage, 0);
  for (std::int32_t p = 0; p < stage.partitions; ++p)
    for (const StageInput& input : stage.inputs) {
      const TopicPartition at{input.topic, p};
      const std::int64_t offset = first_offset(input, at);
      const CommitMetadata metadata{1, offset, kNever, kNever, 0, stage.state_fingerprint};
      positions.push_back({at, offset, to_string(metadata)});
    }
  return positions;
}

bool Recovery::try_checkpoints(TaskStart& start, const Stage& stage, TaskState& state) const {
  const auto damaged = [&](const std::string& file, const std::string& why) {
    tell(options_, fmt::format("checkpoint {} is not used: {}", file, why));
  };
  std::vector<CheckpointMeta> all = state.checkpoints(damaged);
  // Other instances may have left newer ones.
  std::stable_sort(all.begin(), all.end(), [](const CheckpointMeta& a, const CheckpointMeta& b) {
    return records_behind(a) > records_behind(b);
  });
  for (const CheckpointMeta& meta : all) {
    if (!fits(graph_, stage, meta) || meta.inputs.size() != start.inputs.size()) continue;
    bool behind = true;
    for (std::size_t i = 0; i < start.inputs.size(); ++i)
      behind &= meta.inputs[i].topic == stage.inputs[i].topic && meta.inputs[i].offset <= start.inputs[i].mute_until;
    if (!behind && !KAPPA_FAULT("checkpoint.ahead")) continue;
    try {
      start.restored = state.restore(meta.id);
    } catch (const Error& error) {
      damaged(meta.id, error.what());
      continue;
    }
    for (std::size_t i = 0; i < start.inputs.size(); ++i) {
      if (!KAPPA_FAULT("recovery.no-replay")) start.inputs[i].offset = meta.inputs[i].offset;
      start.inputs[i].progress = meta.inputs[i].progress;
      start.inputs[i].decision = meta.inputs[i].decision;
    }
    start.explanation = fmt::format("task {}-{} is restored from checkpoint {}", stage.name,
                                    meta.inputs.front().partition, meta.sequence);
    return true;
  }
  return false;
}

void Recovery::cold_start(TaskStart& start, const Stage& stage, std::int32_t partition, std::int64_t released) const {
  const bool bounded = stage.horizon_us < kForever && released > kNever / 2;
  const std::int64_t instant = bounded ? released - stage.out_of_orderness_us - stage.horizon_us : kNever;
  for (std::size_t i = 0; i < start.inputs.size(); ++i) {
    InputStart& in = start.inputs[i];
    const TopicPartition at{stage.inputs[i].topic, partition};
    const std::int64_t log_start = start_of(at);
    in.offset = std::clamp(cold_offset(stage.inputs[i], at, instant), std::max(in.first, log_start),
                           std::max(in.mute_until, log_start));
    if (in.offset == log_start && log_start > in.first)
      refuse(fmt::format(
          "task {}-{} has no usable checkpoint and {} begins at offset {}, after what its windows need. Restore a "
          "checkpoint (checkpoint.directory) or start another application.id",
          stage.name, partition, to_string(at), log_start));
    in.progress = kNever;
    in.decision = 0;
    start.explanation += start.explanation.empty() ? "" : ", ";
    start.explanation += in.offset == in.mute_until ? fmt::format("{} starts at offset {}", to_string(at), in.offset)
                                                    : fmt::format("{} is read again from offset {}, muted up to {}",
                                                                  to_string(at), in.offset, in.mute_until);
  }
}

void Recovery::set_ends(TaskStart& start, const Stage& stage, std::int32_t partition) const {
  for (std::size_t i = 0; i < start.inputs.size(); ++i) {
    const TopicPartition at{stage.inputs[i].topic, partition};
    if (const auto range = options_.ranges.find(at); range != options_.ranges.end()) {
      start.inputs[i].end = range->second.end;
      start.inputs[i].decisions_max = range->second.decisions_max;
      start.inputs[i].stop_progress = range->second.stop_progress;
    } else if ((options_.until_end || options_.close) && !stage.inputs[i].repartition) {
      start.inputs[i].end = std::max(end_of(at), start.inputs[i].mute_until);
    }
  }
}

// The positions of all partitions of a stage appear at once. One that is missing has been removed since, and to begin
// it anew would publish it again, or leave out what came meanwhile.
void Recovery::refuse_gap(const Stage& stage, std::int32_t partition) const {
  const std::string group = group_of(graph_, stage, options_.run);
  refuse(fmt::format(
      "group \"{0}\" has positions, but none for partition {1} of its inputs: they were removed or expired "
      "(brokers forget positions that were not committed for offsets.retention.minutes, 7 days by default). "
      "What was published stays; use another application.id, or `kappa replay` into a versioned topic",
      group, partition));
}

// Positions can be removed by others only where the log does not keep runs apart itself; there, a start is a decision
// too.
void Recovery::refuse_second_start(const Stage& stage, std::int32_t partition) const {
  if (log_.lock_is_exclusive()) return;
  const std::string topic = decisions_topic_of(graph_, options_.run), group = group_of(graph_, stage, options_.run);
  for (const Decision& decision : read_decisions(log_, topic, 0))
    for (const StageInput& input : stage.inputs)
      if (decision.cause == start_cause(group) && decision.source == input.topic && decision.partition == partition)
        refuse(fmt::format(
            "\"{}\" has read {}-{} before, from offset {} on (as {} says), but its group \"{}\" has no positions: they "
            "were removed, by hand or because the topic was deleted and made anew, or expired (brokers forget "
            "positions "
            "that were not committed for offsets.retention.minutes, 7 days by default), or the table was renamed. To "
            "start over, which publishes every result again, delete the topic \"{}\", or use another application.id; "
            "`kappa replay` corrects history",
            graph_.name(), input.topic, partition, decision.offset, topic, group, topic));
}

void Recovery::check_range(const TopicPartition& at, std::int64_t offset) const {
  const std::int64_t start = start_of(at), end = end_of(at);
  if (offset > end)
    refuse(
        fmt::format("\"{}\" stopped at {} offset {}, but the log holds {} to {}: the topic was made anew, or lost "
                    "records. What was "
                    "published stays; another application.id begins with the topic as it is now",
                    graph_.name(), to_string(at), offset, start, end));
  if (offset < start)
    refuse(fmt::format(
        "\"{}\" stopped at {} offset {}, but the log holds {} to {}: {} records that it has not read were removed, by "
        "retention or by hand. What was published stays; another application.id begins with what is left",
        graph_.name(), to_string(at), offset, start, end, start - offset));
}

void Recovery::check_last_records(const Stage& stage, const std::map<TopicPartition, Position>& committed) const {
  constexpr std::size_t kAtOnce = 16;  // so many partitions answer to one request; each holds a queue meanwhile
  struct Asked {
    const Position& position;
    RecordMark last;
    std::unique_ptr<Reader> reader;
  };
  std::vector<Asked> asked;
  const auto check = [&] {
    for (const Asked& one : asked) check_record(one.position, one.last, *one.reader);
    asked.clear();
  };
  for (const StageInput& input : stage.inputs)
    for (std::int32_t p = 0; p < stage.partitions; ++p) {
      const auto found = committed.find({input.topic, p});
      if (found == committed.end()) continue;
      const TopicPartition& at = found->first;
      const std::optional<RecordMark> last = parse_commit_metadata(found->second).last;
      if (!last || last->offset < start_of(at) || last->offset >= end_of(at)) continue;
      asked.push_back({found->second, *last, log_.open_reader(at, last->offset)});
      if (asked.size() == kAtOnce) check();
    }
  check();
}

void Recovery::check_record(const Position& position, const RecordMark& last, Reader& reader) const {
  RecordBlock block;
  reader.read(block, 1, last.offset + 1);
  if (block.records.empty() && reader.position() <= last.offset)
    fail(fmt::format("stopped while {} offset {} was read", to_string(position.at), last.offset));
  if (block.records.empty() || mark_of(block.records.front()) == last) return;
  const std::int64_t found_ms = block.records.front().timestamp_ms;
  refuse(fmt::format(
      "\"{}\" stopped at {} offset {}, but the record at offset {} is another one than it read there (stamped {}, now "
      "{}): the topic was made anew, its brokers lost records and took others (unclean.leader.election.enable), or "
      "this "
      "is another cluster. What was published stays; use another application.id, or `kappa replay` into a versioned "
      "topic",
      graph_.name(), to_string(position.at), position.offset, last.offset, timestamp_text(last.timestamp_ms * 1000),
      timestamp_text(found_ms * 1000)));
}

// Empty inputs where there are no positions at all.
TaskStart Recovery::committed_start(const Stage& stage, std::int32_t partition,
                                    const std::map<TopicPartition, Position>& committed, std::int64_t& released) const {
  TaskStart start;
  released = kForever;
  for (const StageInput& input : stage.inputs) {
    const TopicPartition at{input.topic, partition};
    const auto found = committed.find(at);
    if (found == committed.end()) break;
    CommitMetadata metadata = parse_commit_metadata(found->second);
    if (KAPPA_FAULT("recovery.no-metadata")) metadata = {.state = stage.state_fingerprint};
    if (metadata.state != stage.state_fingerprint && !options_.rebuild)
      refuse(
          fmt::format("\"{}\" ran before with another graph (stage {}): its state does not fit. `kappa run --rebuild` "
                      "reads the log again "
                      "for the new graph, `kappa replay` corrects history, another application.id starts over",
                      graph_.name(), stage.name));
    check_range(at, found->second.offset);
    InputStart in;
    in.offset = in.mute_until = found->second.offset;
    if (KAPPA_FAULT("recovery.mute-short") && in.offset > 0) in.mute_until = --in.offset;
    in.first = metadata.start;
    in.progress = metadata.progress;
    in.decision = in.decisions_min = metadata.decision;
    in.last = metadata.last;
    released = std::min(released, metadata.released);
    start.sequence = std::max(start.sequence, metadata.sequence);
    start.inputs.push_back(in);
  }
  if (start.inputs.empty() && !committed.empty()) refuse_gap(stage, partition);
  if (!start.inputs.empty() && start.inputs.size() != stage.inputs.size())
    refuse(
        fmt::format("\"{}\" has positions for only some inputs of stage {}: the graph changed. Use `kappa run "
                    "--rebuild` or another application.id",
                    graph_.name(), stage.name));
  return start;
}

void Recovery::check(const Stage& stage, std::int32_t partition,
                     const std::map<TopicPartition, Position>& committed) const {
  std::int64_t released = 0;
  static_cast<void>(committed_start(stage, partition, committed, released));
}

TaskStart Recovery::plan(const Stage& stage, std::int32_t partition,
                         const std::map<TopicPartition, Position>& committed, TaskState* state) const {
  std::int64_t released = 0;
  TaskStart start = committed_start(stage, partition, committed, released);
  if (start.inputs.empty())
    start = first_start(stage, partition, state);
  else if (!needs_state(graph_, stage) && !options_.rebuild)
    start.explanation = fmt::format("task {}-{} goes on", stage.name, partition);
  else if (options_.rebuild || !state || !try_checkpoints(start, stage, *state))
    cold_start(start, stage, partition, released);
  set_ends(start, stage, partition);
  return start;
}

}  // namespace kappa
