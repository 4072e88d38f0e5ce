#include "kappa/engine/task.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/task_input.h"

namespace kappa {

Task::Task(const TaskContext& context, int stage, std::int32_t partition, Producer& producer)
    : context_(context),
      stage_(context.topology.stages[static_cast<std::size_t>(stage)]),
      partition_(partition),
      output_(producer, context.policy, context.names, partition) {
  if (stage_.input_count > 1) merge_ = std::make_unique<Merge>(stage_.input_count);
  make_nodes();
  for (const StageInput& spec : stage_.inputs) {
    auto input = std::make_unique<Input>();
    input->spec = &spec;
    input->at = {spec.topic, partition_};
    const Node& node = context_.graph.node(spec.node);
    if (spec.repartition)
      input->repartition = std::make_unique<RepartitionReader>(node, spec.topic, spec.first_input, spec.inputs);
    else
      input->source = std::make_unique<SourceStep>(node, input->at, spec.first_input, context_.batch_rows);
    inputs_.push_back(std::move(input));
  }
  // A node in front of the merge is reached by one input only, so it belongs to the first input that reaches it.
  for (const int n : stage_.nodes) {
    if (context_.graph.node(n).kind == NodeKind::source ||
        std::count(stage_.shared.begin(), stage_.shared.end(), n) > 0)
      continue;
    for (const auto& input : inputs_) {
      const auto& from = context_.graph.node(n).inputs;
      const bool reached = std::any_of(from.begin(), from.end(), [&](int f) {
        return f == input->spec->node || std::count(input->front.begin(), input->front.end(), f) > 0;
      });
      if (reached) input->front.push_back(n);
    }
  }
}

Task::~Task() = default;

void Task::make_nodes() {
  const std::size_t n = context_.graph.nodes().size();
  operators_.resize(n);
  writers_.resize(n);
  encoders_.resize(n);
  counters_.resize(n);
  outputs_.resize(n);
  for (const int i : stage_.nodes) {
    const Node& node = context_.graph.node(i);
    const auto at = static_cast<std::size_t>(i);
    if (node.factory)
      operators_[at] = node.factory({node.name, context_.graph.out_of_orderness_us(i), context_.batch_rows});
    if (node.kind == NodeKind::sink) encoders_[at] = node.sink.encoder();
    if (node.kind == NodeKind::repartition) {
      const std::string topic = repartition_topic(context_.graph, node.name, context_.run);
      writers_[at] =
          std::make_unique<RepartitionWriter>(node, topic, context_.log.topic(topic).value().partitions, partition_);
    }
  }
}

void Task::start(std::vector<InputStart> starts) {
  bool muted = false;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Input& input = *inputs_[i];
    input.start = starts[i];
    input.decision = input.start.decision;
    input.last = input.start.last;
    input.reader = context_.log.open_reader(input.at, input.start.offset);
    if (!input.source || !input.source->reads_headers()) input.reader->leave_out_headers();
    if (inputs_.size() == 1) input.reader->never_wait();  // several are read in the order of their progress
    muted |= input.start.offset < input.start.mute_until;
    if (!input.source) continue;
    input.source->raise(input.start.progress);
    if (merge_) merge_->reach(input.spec->first_input, input.start.progress);
    if (!context_.live_decisions_topic.empty())
      read_decisions_of(input, context_.live_decisions_topic, input.start.decisions_max);
    read_decisions_of(input, context_.decisions_topic, kForever);
    await_decisions(input);
  }
  output_.mute(muted);
  reach_writers();
}

// The run before may have died behind its last record and in front of its marker: the readers of the repartitions must
// learn how far this task is even if no record ever follows.
void Task::reach_writers() {
  for (std::size_t n = 0; n < writers_.size(); ++n) {
    if (!writers_[n]) continue;
    std::int64_t reached = released();
    for (const auto& input : inputs_)
      if (std::count(input->front.begin(), input->front.end(), static_cast<int>(n)) > 0) reached = input->progress();
    writers_[n]->reach(reached);
  }
}

void Task::read_decisions_of(Input& input, const std::string& topic, std::int64_t number_max) {
  for (const Decision& decision : read_decisions(context_.log, topic, partition_))
    if (decision.source == input.at.topic && decision.number > input.decision && decision.number <= number_max)
      input.pending.push_back(decision);
}

// A decision that was committed may still be hidden behind another's open transaction. Without it, what it closed would
// be open, and be published again. (A replay's own and live's are numbered together; its positions are its own.)
void Task::await_decisions(const Input& input) const {
  if (!context_.run.empty()) return;
  const std::int64_t newest = input.pending.empty() ? input.decision : input.pending.back().number;
  if (newest >= input.start.decisions_min) return;
  const std::string what = fmt::format("decision {} of {} is committed, but cannot be read from {}",
                                       input.start.decisions_min, to_string(input.at), context_.decisions_topic);
  if (context_.log.lock_is_exclusive())
    refuse(what + ": the topic was removed or made anew. Use another application.id, or `kappa replay`");
  throw LogUnavailable(what + ": it lies behind another producer's open transaction, or the topic was removed");
}

bool Task::at_ends() const {
  return std::all_of(inputs_.begin(), inputs_.end(), [](const auto& input) {
    return input->reader->position() >= input->start.end &&
           (input->pending.empty() || input->pending.front().offset > input->start.end);
  });
}

void Task::set_end(int stage_input, std::int64_t offset) {
  inputs_[static_cast<std::size_t>(stage_input)]->start.end = offset;
}

std::int64_t Task::progress(int stage_input) const {
  return inputs_[static_cast<std::size_t>(stage_input)]->progress();
}

std::int64_t Task::position(int stage_input) const {
  return inputs_[static_cast<std::size_t>(stage_input)]->reader->position();
}

bool Task::is_in_front_of_open(int stage_input) const {
  return inputs_[static_cast<std::size_t>(stage_input)]->reader->is_in_front_of_open();
}

std::int64_t Task::released() const { return merge_ ? merge_->released() : inputs_.front()->progress(); }

std::int64_t Task::limit(const Input& input) const {
  std::int64_t offset = output_.muted() ? std::min(input.start.end, input.start.mute_until) : input.start.end;
  if (!input.pending.empty()) offset = std::min(offset, input.pending.front().offset);
  return offset;
}

// The input that is furthest behind in event time first: so a merge holds little.
std::vector<Task::Input*> Task::reading_order() {
  std::vector<Input*> order;
  for (const auto& input : inputs_) order.push_back(input.get());
  if (order.size() > 1)
    std::stable_sort(order.begin(), order.end(),
                     [](const Input* a, const Input* b) { return a->progress() < b->progress(); });
  return order;
}

bool Task::step() {
  for (Input* input : reading_order()) {
    apply_decisions(*input);
    const std::int64_t before = limit(*input);
    if (input->reader->position() >= before) continue;
    input->reader->read(block_, context_.batch_rows, before);
    if (!block_.records.empty()) process(*input);
    note_cause();
    apply_decisions(*input);
    if (input->progress() >= input->start.stop_progress)
      input->start.end = std::min(input->start.end, input->reader->position());
    unmute_if_caught_up();
    const bool has_read = !block_.records.empty();
    block_.records.clear();
    block_.memory.clear();  // for the reader of another task
    if (has_read) {
      read_progress_ = input->progress();
      return true;
    }
  }
  unmute_if_caught_up();
  if (at_ends() || !inputs_.front()->reader->is_waiting()) read_progress_.reset();
  return false;
}

void Task::note_cause() {
  if (!output_.take_wrote() || block_.records.empty()) return;
  oldest_cause_ = std::min(oldest_cause_.value_or(kForever), block_.records.front().timestamp_ms);
}

std::optional<std::int64_t> Task::take_oldest_cause() { return std::exchange(oldest_cause_, std::nullopt); }

void Task::unmute_if_caught_up() {
  if (!output_.muted()) return;
  for (const auto& input : inputs_)
    if (input->reader->position() < input->start.mute_until) return;
  output_.mute(false);
}

void Task::apply_decisions(Input& input) {
  while (!input.pending.empty() && input.pending.front().offset <= input.reader->position()) {
    raise(input, input.pending.front());
    input.pending.pop_front();
  }
}

void Task::raise(Input& input, const Decision& decision) {
  input.decision = decision.number;
  input.source->raise(decision.progress);
  run_front(input, input.spec->first_input, input.source->progress());
}

void Task::decide(int stage_input, std::int64_t progress, const std::string& cause, std::int64_t wall_ms) {
  Input& input = *inputs_[static_cast<std::size_t>(stage_input)];
  KAPPA_CHECK(input.source && input.pending.empty() && !output_.muted(),
              "decisions are made at the end of a caught-up source");
  const Decision decision{input.at.topic, partition_, input.reader->position(), input.decision + 1, progress, cause};
  if (!KAPPA_FAULT("decision.unwritten"))
    append_decision(output_.producer(), context_.decisions_topic, decision, wall_ms);
  output_.producer().settle();
  raise(input, decision);
}

int Task::write_markers() {
  int written = 0;
  for (const auto& writer : writers_)
    if (writer) written += writer->write_markers(output_.producer(), output_.muted());
  return written;
}

std::string Task::topic_of(std::int32_t task_input) const {
  for (const auto& input : inputs_)
    if (task_input >= input->spec->first_input && task_input < input->spec->first_input + input->spec->inputs)
      return input->spec->repartition ? std::string() : input->spec->topic;
  return {};
}

}  // namespace kappa
