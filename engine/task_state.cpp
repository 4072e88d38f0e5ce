// What a task says of itself: positions for commits, checkpoints, reports and the balance of its records.
#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/held_rows.h"
#include "kappa/engine/task.h"
#include "kappa/engine/task_input.h"

namespace kappa {

namespace {
std::string upstream_name(const std::string& topic, int upstream) { return topic + "/" + std::to_string(upstream); }
}  // namespace

std::vector<Position> Task::positions(std::int64_t sequence) const {
  std::vector<Position> positions;
  for (const auto& input : inputs_) {
    const CommitMetadata metadata{sequence,        input->start.first,       input->progress(), released(),
                                  input->decision, stage_.state_fingerprint, input->last};
    positions.push_back({input->at, input->reader->position(), to_string(metadata)});
  }
  return positions;
}

CheckpointMeta Task::checkpoint_meta() const {
  CheckpointMeta meta;
  meta.released = released();
  for (const auto& input : inputs_) {
    meta.inputs.push_back(
        {input->at.topic, input->at.partition, input->reader->position(), input->progress(), input->decision});
    if (!input->repartition) continue;
    for (int u = 0; u < input->spec->inputs; ++u) {
      meta.last_order_keys[upstream_name(input->at.topic, u)] = input->repartition->last_order_key(u);
      meta.upstream_progress[upstream_name(input->at.topic, u)] = input->repartition->progress(u);
    }
  }
  for (const int n : stage_.nodes)
    if (context_.graph.node(n).stateful) meta.fingerprints[context_.graph.node(n).name] = context_.graph.fingerprint(n);
  return meta;
}

std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> Task::freeze() {
  std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> frozen;
  for (const int n : stage_.nodes)
    if (Operator* op = operators_[static_cast<std::size_t>(n)].get())
      if (std::unique_ptr<Frozen> state = op->freeze())
        frozen.emplace_back(context_.graph.node(n).name, std::move(state));
  if (merge_) frozen.emplace_back(kMergeNode, freeze_held(context_.graph, *merge_, stage_.input_count, ++generation_));
  return frozen;
}

void Task::restore(RestoredState& state) {
  for (const int n : stage_.nodes)
    if (context_.graph.node(n).stateful) {
      const std::unique_ptr<StateReader> entries = state.node(context_.graph.node(n).name);
      operators_[static_cast<std::size_t>(n)]->restore(*entries);
    }
  for (const auto& input : inputs_) {
    if (!input->repartition) continue;
    for (int u = 0; u < input->spec->inputs; ++u) {
      const std::string name = upstream_name(input->at.topic, u);
      const auto progress = state.meta().upstream_progress.find(name);
      if (progress == state.meta().upstream_progress.end()) continue;
      input->repartition->restore(u, progress->second, state.meta().last_order_keys.at(name));
      if (merge_) merge_->reach(input->spec->first_input + u, progress->second);
    }
  }
  if (!merge_) return;
  const std::unique_ptr<StateReader> entries = state.node(kMergeNode);
  generation_ = restore_held(context_.graph, *entries, [this](int input, int port, Batch batch) {
    restored_held_[port] += batch.rows;
    merge_->add(input, port, std::move(batch));
  });
}

OpenWindows Task::open_windows() const {
  OpenWindows all;
  for (const auto& op : operators_) {
    if (!op) continue;
    const OpenWindows open = op->open_windows();
    all.count += open.count;
    all.least_end = std::min(all.least_end, open.least_end);
    all.greatest_end = std::max(all.greatest_end, open.greatest_end);
  }
  return all;
}

std::int64_t Task::state_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& op : operators_)
    if (op) bytes += op->state_bytes();
  return bytes;
}

std::int64_t Task::records_read() const {
  std::int64_t read = 0;
  for (const auto& input : inputs_) read += input->counters.read;
  return read;
}

TaskReport Task::report() const {
  TaskReport report;
  report.task = id();
  report.muted = muted();
  for (const auto& input : inputs_) {
    SourceReport& source = report.sources[input->at];
    static_cast<SourceCounters&>(source) = input->counters;
    source.repartition = input->spec->repartition;
    source.position = input->reader->position();
    source.progress = input->progress();
  }
  for (const int n : stage_.nodes)
    report.nodes.push_back({context_.graph.node(n).name, counters_[static_cast<std::size_t>(n)]});
  report.sinks = output_.totals();
  report.open = open_windows();
  report.held_rows = held_rows();
  report.skipped = output_.skipped();
  report.state_bytes = state_bytes();
  report.released = released();
  if (report.open.count > 0 || report.held_rows > 0) report.held_by = slowest_source();
  return report;
}

std::string Task::slowest_source() const {
  const auto slowest = std::min_element(inputs_.begin(), inputs_.end(),
                                        [](const auto& a, const auto& b) { return a->progress() < b->progress(); });
  return to_string((*slowest)->at);
}

// Rows that left a node (or, for a repartition that this stage reads, that arrived).
std::int64_t Task::produced(int node) const {
  const bool reads = std::any_of(stage_.inputs.begin(), stage_.inputs.end(),
                                 [&](const StageInput& input) { return input.node == node && input.repartition; });
  const NodeCounters& counters = counters_[static_cast<std::size_t>(node)];
  return reads ? counters.emitted : counters.out + counters.emitted;
}

std::int64_t Task::held_on(int port) const {
  std::int64_t rows = 0;
  for (int input = 0; input < stage_.input_count; ++input)
    for (const Merge::Held& held : merge_->held(input)) rows += held.port == port ? held.batch.rows : 0;
  return rows;
}

void Task::check_balance() const {
  if (const std::string what = imbalance(); !what.empty())
    fail(fmt::format("task {}: the records do not add up: {}. This is a defect of kappa", to_string(id()), what));
}

std::string Task::imbalance() const {
  for (const auto& input : inputs_) {
    const SourceCounters& c = input->counters;
    const std::int64_t other =
        input->repartition ? input->repartition->duplicates() + input->repartition->markers() : c.dead;
    if (c.read != c.rows + other)
      return fmt::format("{}: {} records read, {} rows and {} others", to_string(input->at), c.read, c.rows, other);
  }
  for (const int port : stage_.boundary) {
    const auto restored = restored_held_.find(port);
    const auto passed = passed_.find(port);
    const std::int64_t in = produced(port) + (restored == restored_held_.end() ? 0 : restored->second);
    const std::int64_t out = (passed == passed_.end() ? 0 : passed->second) + held_on(port);
    if (in != out)
      return fmt::format("merge behind \"{}\": {} rows in, {} released or held", context_.graph.node(port).name, in,
                         out);
  }
  for (const int n : stage_.nodes) {
    const Node& node = context_.graph.node(n);
    const NodeCounters& c = counters_[static_cast<std::size_t>(n)];
    if (node.kind == NodeKind::source) continue;
    if (c.in != c.out + c.folded + c.filtered + c.late + c.dead)
      return fmt::format("node \"{}\": {} rows in, but {} out, {} folded, {} filtered, {} late, {} dead", node.name,
                         c.in, c.out, c.folded, c.filtered, c.late, c.dead);
    const bool shared = std::count(stage_.shared.begin(), stage_.shared.end(), n) > 0;
    std::int64_t arrived = 0;
    for (const int from : node.inputs) {
      const bool through_merge = shared && std::count(stage_.boundary.begin(), stage_.boundary.end(), from) > 0;
      const auto passed = passed_.find(from);
      arrived += through_merge ? (passed == passed_.end() ? 0 : passed->second) : produced(from);
    }
    if (arrived != c.in)
      return fmt::format("node \"{}\": {} rows were handed to it, {} came in", node.name, arrived, c.in);
  }
  return {};
}

}  // namespace kappa
