#include "kappa/engine/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/kill_point.h"
#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/run_base.h"
#include "kappa/engine/sole_member.h"

namespace kappa {

namespace {
// A run that has all tasks, from its start to its end.
class WholeRun : private RunBase {
 public:
  WholeRun(const Graph& graph, Log& log, StateStore* state, const RunOptions& options)
      : RunBase(graph, log, state, options, options.run.empty() ? graph.name() : graph.name() + "." + options.run) {}

  // Workers end before what their tasks' checkpoints are written to, and before the member as which they commit.
  ~WholeRun() {
    workers_.clear();
    checkpointer_.reset();
  }
  WholeRun(const WholeRun&) = delete;
  WholeRun& operator=(const WholeRun&) = delete;

  RunReport execute(std::stop_token stop);

 private:
  struct Planned {
    int stage = 0;
    std::int32_t partition = 0;
    TaskStart start;
    std::unique_ptr<TaskState> state;
  };
  void check() const;
  void join();
  void plan();
  void open_producers();
  /// Live, on a log that shares out partitions.
  [[nodiscard]] bool is_member() const { return options_.run.empty() && !log_.lock_is_exclusive(); }
  [[nodiscard]] bool is_alone() const { return member_ || log_.lock_is_exclusive(); }
  void add_tasks();
  void commit_starts();
  [[nodiscard]] std::vector<Position> starts_of(const Stage& stage) const;
  [[nodiscard]] std::int64_t records_to_read() const;

  std::unique_ptr<SoleMember> member_;  // outlives the producers that commit as it
  std::vector<Planned> planned_;
  std::map<std::pair<int, int>, std::unique_ptr<Producer>> producers_;  // by stage and worker
  std::vector<std::unique_ptr<Producer>> starters_;                     // by stage
};

// Where others cannot be locked out and no group keeps them out (a replay), an older run may have had more workers than
// this one, but no more than partitions: all their names are taken over, which ends what they have left open or still
// have at work. The one that commits starts comes first: of two runs that start at once, the one that is still allowed
// to commit a start has taken all names after the other.
void WholeRun::open_producers() {
  const auto name = [&](const Stage& stage, const std::string& worker) {
    return member_ ? producer_of(graph_, stage, options_, worker)
                   : group_of(graph_, stage, options_.run) + "." + worker;
  };
  const auto member = [&](std::size_t stage) { return member_ ? member_->of(stage) : nullptr; };
  for (std::size_t s = 0; s < topology_.stages.size(); ++s)
    starters_.push_back(log_.open_producer(name(topology_.stages[s], "start"), member(s)));
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const Stage& stage = topology_.stages[s];
    const std::int32_t wanted = std::min<std::int32_t>(workers_wanted(), stage.partitions);
    for (std::int32_t n = 0; n < (is_alone() ? wanted : stage.partitions); ++n) {
      auto producer = log_.open_producer(name(stage, std::to_string(n)), member(s));
      if (n < wanted) producers_[{static_cast<int>(s), n}] = std::move(producer);
    }
  }
}

// Before anything is written.
void WholeRun::check() const {
  if (options_.rebuild && topology_.stages.size() > 1)
    refuse(
        "--rebuild is not available yet for a graph with a repartition: use `kappa replay`, or another application.id");
  check_topics(graph_, topology_, log_, options_);
  if (is_member()) end_leftovers();
  check_positions(graph_, topology_, log_, options_.run);
}

void WholeRun::plan() {
  // In front of the positions: what a killed run left open would hold them back until it times out.
  if (!log_.lock_is_exclusive()) open_producers();
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const Stage& stage = topology_.stages[s];
    const auto committed = log_.committed(group_of(graph_, stage, options_.run));
    recovery_.check_last_records(stage, committed);
    for (std::int32_t p = 0; p < stage.partitions; ++p) {
      Planned planned{static_cast<int>(s), p, {}, state_ ? state_->open({stage.name, p}) : nullptr};
      planned.start = recovery_.plan(stage, p, committed, planned.state.get());
      planned_.push_back(std::move(planned));
    }
  }
}

// Live, on a log that shares out partitions: nobody else may have any.
void WholeRun::join() {
  for (const Stage& stage : topology_.stages) {
    const auto committed = log_.committed(group_of(graph_, stage, options_.run));
    for (std::int32_t p = 0; p < stage.partitions; ++p) recovery_.check(stage, p, committed);
  }
  create_topics(graph_, topology_, log_, options_, context_.names, context_.decisions_topic);
  member_ = std::make_unique<SoleMember>(graph_, topology_, log_, options_);
}

void WholeRun::add_tasks() {
  if (producers_.empty()) open_producers();
  for (auto& [of, producer] : producers_)
    workers_[static_cast<std::size_t>(of.second)]->add_producer(of.first, std::move(producer));
  for (Planned& planned : planned_) {
    if (options_.message && !planned.start.explanation.empty()) options_.message(planned.start.explanation);
    if (options_.rebuild && planned.state) planned.state->drop_checkpoints();
    if (!planned.start.restored && planned.state) planned.state->clear();
    workers_[static_cast<std::size_t>(planned.partition) % workers_.size()]->add_task(
        planned.stage, planned.partition, std::move(planned.start), planned.state.get());
  }
}

// All positions of a stage appear in the log at once, before any result: a run that is killed among its workers' first
// commits is neither one that had fewer partitions, nor one whose start may be chosen anew. Where others cannot be
// locked out, positions that are there are committed as they are: it fails if another run has started since.
void WholeRun::commit_starts() {
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const std::string group = group_of(graph_, topology_.stages[s], options_.run);
    std::vector<Position> positions;
    for (auto& [at, position] : log_.committed(group)) positions.push_back(position);
    if (!positions.empty() && is_alone()) continue;
    const bool is_first = positions.empty();
    if (is_first) positions = starts_of(topology_.stages[s]);
    // Only others can remove positions later.
    const CommitOutcome outcome =
        is_first && !log_.lock_is_exclusive()
            ? kappa::commit_starts(*starters_[s], context_.decisions_topic,
                                   {group, positions, member_ && options_.at_least_once, options_.clock->wall_ms()})
            : starters_[s]->commit(group, positions);
    if (outcome != CommitOutcome::committed)
      fail(fmt::format("the start of {} was not committed; start it again", group));
  }
}

std::vector<Position> WholeRun::starts_of(const Stage& stage) const {
  std::vector<Position> positions;
  for (const auto& worker : workers_)
    for (const Task* task : worker->tasks())
      if (&task->stage() == &stage)
        for (Position& position : task->positions(1)) positions.push_back(std::move(position));
  return positions;
}

std::int64_t WholeRun::records_to_read() const {
  std::int64_t records = 0;
  for (const Planned& planned : planned_)
    for (const InputStart& input : planned.start.inputs)
      if (input.end < kForever) records += input.end - input.offset;
  return records;
}

RunReport WholeRun::execute(std::stop_token stop) {
  check();
  if (is_member()) join();
  plan();
  create_topics(graph_, topology_, log_, options_, context_.names, context_.decisions_topic);
  make_workers();
  add_tasks();
  if (!KAPPA_FAULT("run.no-start-commit")) commit_starts();
  std::stop_source halt;
  const std::stop_callback forward(stop, [&] { halt.request_stop(); });
  if (member_)
    member_->watch([this, halt]() mutable {  // it may outlive this call
      halt.request_stop();
      log_.wake();
    });
  work_and_watch(halt.get_token(), records_to_read());
  if (member_) member_->rethrow();
  return report(stop);
}
}  // namespace

RunReport run_graph(const Graph& graph, Log& log, StateStore* state, const RunOptions& options, std::stop_token stop) {
  const bool in_groups = options.run.empty() && !options.until_end && !options.close && !options.rebuild;
  if (in_groups && !log.lock_is_exclusive()) return run_in_groups(graph, log, state, options, std::move(stop));
  return WholeRun(graph, log, state, options).execute(std::move(stop));
}

}  // namespace kappa
