// The rounds of a task: a block of one input through the nodes in front of the merge, the merge, and the nodes behind
// it.
#include <algorithm>

#include "kappa/engine/task.h"
#include "kappa/engine/task_input.h"

namespace kappa {

void Task::process(Input& input) {
  input.counters.read += static_cast<std::int64_t>(block_.records.size());
  if (output_.muted()) input.counters.muted += static_cast<std::int64_t>(block_.records.size());
  input.last = mark_of(block_.records.back());
  if (input.source)
    process_source(input);
  else
    process_repartition(input);
}

void Task::process_source(Input& input) {
  std::vector<SideRecord> dead;
  Batch batch = input.source->step(block_, dead);
  input.counters.rows += batch.rows;
  input.counters.dead += static_cast<std::int64_t>(dead.size());
  const auto n = static_cast<std::size_t>(input.spec->node);
  counters_[n].out += batch.rows;
  for (const SideRecord& record : dead)
    output_.dead(context_.graph.node(input.spec->node).name, record, input.spec->topic);
  if (batch.rows > 0) outputs_[n].push_back(std::move(batch));
  run_front(input, input.spec->first_input, input.source->progress());
}

void Task::process_repartition(Input& input) {
  const auto n = static_cast<std::size_t>(input.spec->node);
  for (RepartitionReader::Piece& piece : input.repartition->read(block_, partition_)) {
    counters_[n].emitted += piece.batch.rows;  // of this side; the writer's side counts its own
    input.counters.rows += piece.batch.rows;
    const int upstream = piece.input - input.spec->first_input;
    if (input.spec->inputs == 1) {
      if (piece.batch.rows > 0) outputs_[n].push_back(std::move(piece.batch));
      run_front(input, piece.input, input.repartition->progress(upstream));
    } else {
      merge_->add(piece.input, input.spec->node, std::move(piece.batch));
      merge_->reach(piece.input, input.repartition->progress(upstream));
    }
  }
  if (input.spec->inputs > 1) release();
}

void Task::run_front(Input& input, int task_input, std::int64_t progress) {
  run_nodes(input.front, progress);
  if (merge_) {
    for (const int port : stage_.boundary) {
      const bool mine = port == input.spec->node || std::count(input.front.begin(), input.front.end(), port) > 0;
      if (!mine) continue;
      for (Batch& batch : outputs_[static_cast<std::size_t>(port)]) merge_->add(task_input, port, std::move(batch));
    }
    merge_->reach(task_input, progress);
  }
  outputs_[static_cast<std::size_t>(input.spec->node)].clear();
  for (const int n : input.front) outputs_[static_cast<std::size_t>(n)].clear();
  if (merge_) release();
}

void Task::release() {
  const std::int64_t progress = merge_->released();
  if (progress == kNever) return;
  for (auto& [port, batch] : merge_->release()) {
    passed_[port] += batch.rows;
    outputs_[static_cast<std::size_t>(port)].push_back(std::move(batch));
  }
  run_nodes(stage_.shared, progress);
  for (const int n : stage_.boundary) outputs_[static_cast<std::size_t>(n)].clear();
  for (const int n : stage_.shared) outputs_[static_cast<std::size_t>(n)].clear();
}

void Task::run_nodes(const std::vector<int>& nodes, std::int64_t progress) {
  for (const int n : nodes) run_node(n, progress);
  publish();
}

std::vector<Batch> Task::take_inputs(const Node& node) {
  if (node.inputs.size() == 1) return outputs_[static_cast<std::size_t>(node.inputs.front())];
  std::vector<Batch> parts;
  for (const int from : node.inputs)
    if (const auto& batches = outputs_[static_cast<std::size_t>(from)]; !batches.empty())
      parts.push_back(concat(batches));
  if (parts.size() > 1) parts = {merge_by_order(parts)};
  return parts;
}

void Task::run_node(int n, std::int64_t progress) {
  const Node& node = context_.graph.node(n);
  std::vector<Batch> batches = take_inputs(node);
  NodeCounters& counters = counters_[static_cast<std::size_t>(n)];
  switch (node.kind) {
    case NodeKind::source: return;
    case NodeKind::key_by:
    case NodeKind::union_all:
      for (const Batch& batch : batches) counters.in += batch.rows, counters.out += batch.rows;
      outputs_[static_cast<std::size_t>(n)] = std::move(batches);
      return;
    case NodeKind::repartition: {
      RepartitionWriter& writer = *writers_[static_cast<std::size_t>(n)];
      for (const Batch& batch : batches) {
        counters.in += batch.rows;
        counters.out += batch.rows;
        writer.write(batch, output_.producer(), output_.muted());
      }
      return writer.reach(progress);
    }
    case NodeKind::sink: return encode(n, std::move(batches));
    default: return run_operator(n, std::move(batches), progress);
  }
}

void Task::run_operator(int n, std::vector<Batch> batches, std::int64_t progress) {
  Operator& op = *operators_[static_cast<std::size_t>(n)];
  Output out;
  for (Batch& batch : batches)
    if (batch.rows > 0) op.process(std::move(batch), out);
  op.advance(progress, out);
  const std::string& name = context_.graph.node(n).name;
  for (const SideRecord& record : out.late) output_.late(name, record, topic_of(record.input));
  for (const SideRecord& record : out.dead) output_.dead(name, record, topic_of(record.input));
  NodeCounters& counters = counters_[static_cast<std::size_t>(n)];
  counters.in += out.counters.in;
  counters.out += out.counters.out;
  counters.folded += out.counters.folded;
  counters.filtered += out.counters.filtered;
  counters.late += out.counters.late;
  counters.dead += out.counters.dead;
  counters.emitted += out.counters.emitted;
  counters.emitted_dead += out.counters.emitted_dead;
  outputs_[static_cast<std::size_t>(n)] = std::move(out.batches);
}

void Task::encode(int n, std::vector<Batch> batches) {
  const Node& node = context_.graph.node(n);
  NodeCounters& counters = counters_[static_cast<std::size_t>(n)];
  for (Batch& batch : batches) {
    if (batch.rows == 0) continue;
    TaskOutput::SinkRows rows;
    rows.sink = &node;
    encoders_[static_cast<std::size_t>(n)]->encode(batch, rows.rows);
    counters.in += batch.rows;
    counters.out += static_cast<std::int64_t>(rows.rows.entries.size());
    counters.dead += static_cast<std::int64_t>(rows.rows.dead.size());
    for (const SideRecord& record : rows.rows.dead) output_.dead(node.name, record, topic_of(record.input));
    rows.batch = std::move(batch);
    sinks_[node.sink.topic].push_back(std::move(rows));
  }
}

void Task::publish() {
  for (auto& [topic, rows] : sinks_) {
    if (!rows.empty()) output_.publish(rows);
    rows.clear();
  }
}

}  // namespace kappa
