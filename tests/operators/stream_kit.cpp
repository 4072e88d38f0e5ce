#include "kappa/tests/operators/stream_kit.h"

#include <algorithm>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/format_kit.h"

namespace kappa::testkit {

namespace {
Batch decode(const Node& node, const std::vector<std::string>& values, Driven& driven) {
  Records records;
  for (const std::string& value : values) records.add(value);
  const std::vector<RecordView> views = records.views();
  Decoder::Result result;
  node.source.decoder({node.source.topic, 0})->decode(views, result);
  for (const Decoder::Failure& failure : result.failures)
    driven.dead.push_back(node.name + ": " + failure.cause + ": " + values[static_cast<std::size_t>(failure.record)]);
  Batch batch = make_batch(result.columns.front().size());
  batch.columns = result.columns;
  const std::int64_t* times = batch.columns[static_cast<std::size_t>(node.source.event_time)].i64();
  std::int64_t progress = kNever;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    progress = std::max(progress, times[row]);
    batch.event_time.as_mutable<std::int64_t>()[row] = times[row];
    batch.progress.as_mutable<std::int64_t>()[row] = progress;
    batch.input.as_mutable<std::int32_t>()[row] = 0;
    batch.position.as_mutable<std::int64_t>()[row] =
        result.records.empty() ? row : result.records[static_cast<std::size_t>(row)];
    batch.index.as_mutable<std::int32_t>()[row] = 0;
  }
  return batch;
}

std::vector<Batch> run_operator(const Graph& graph, int index, const std::vector<Batch>& in, Driven& driven) {
  const Node& node = graph.node(index);
  OperatorContext context;
  context.node = node.name;
  context.out_of_orderness_us = graph.out_of_orderness_us(index);
  const std::unique_ptr<Operator> op = node.factory(context);
  Output out;
  for (const Batch& batch : in) {
    op->process(batch, out);
    if (batch.rows > 0) op->advance(batch.progresses()[batch.rows - 1], out);
  }
  op->advance(kEventTimeMax, out);
  const NodeCounters& c = out.counters;
  CHECK(c.in == c.out + c.folded + c.filtered + c.late + c.dead);
  CHECK(c.dead + c.emitted_dead == static_cast<std::int64_t>(out.dead.size()));
  driven.counters.in += c.in;
  driven.counters.out += c.out;
  driven.counters.filtered += c.filtered;
  driven.counters.dead += c.dead;
  for (const SideRecord& dead : out.dead) driven.dead.push_back(node.name + ": " + dead.cause + ": " + dead.value);
  return std::move(out.batches);
}

void encode(const Node& node, const std::vector<Batch>& batches, Driven& driven) {
  const std::unique_ptr<Encoder> encoder = node.sink.encoder();
  for (const Batch& batch : batches) {
    EncodedRows rows;
    encoder->encode(batch, rows);
    for (const EncodedRows::Entry& entry : rows.entries)
      driven.records.push_back(
          (entry.key_is_null ? "null" : rows.bytes.substr(entry.key_begin, entry.key_end - entry.key_begin)) + " " +
          rows.bytes.substr(entry.key_end, entry.value_end - entry.key_end));
  }
}
}  // namespace

Driven drive(const Graph& graph, const std::vector<std::string>& values) {
  Driven driven;
  std::vector<std::vector<Batch>> rows;
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const auto& input = node.inputs.empty() ? std::vector<Batch>() : rows[static_cast<std::size_t>(node.inputs[0])];
    if (node.kind == NodeKind::source)
      rows.push_back({decode(node, values, driven)});
    else if (node.kind == NodeKind::sink)
      encode(node, input, driven), rows.emplace_back();
    else if (node.factory)
      rows.push_back(run_operator(graph, static_cast<int>(n), input, driven));
    else
      rows.push_back(input);
  }
  return driven;
}

std::vector<std::string> lines_of(const Graph& graph) {
  std::vector<std::string> lines;
  for (const Node& node : graph.nodes()) {
    std::string line = to_string(node.kind) + " " + node.name;
    for (const int input : node.inputs) line += " <- " + graph.node(input).name;
    lines.push_back(line + ": " + node.detail + " " + to_string(node.schema));
  }
  return lines;
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace kappa::testkit
