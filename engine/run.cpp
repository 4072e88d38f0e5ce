#include "kappa/engine/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "kappa/engine/preflight.h"
#include "kappa/engine/worker.h"

namespace kappa {

namespace {
TaskReport report_of(const Task& task) {
  TaskReport report = task.report();
  if (const std::string imbalance = task.imbalance(); !imbalance.empty())
    fail(fmt::format("task {}: the records do not add up: {}. This is a defect of kappa", to_string(task.id()),
                     imbalance));
  return report;
}

// A commit comes after a batch, so a batch is no larger than what commit.records allows; and a rate is kept ten times a
// second.
std::int64_t batch_rows_of(const RunOptions& options) {
  std::int64_t rows = options.batch_rows;
  if (options.commit_records > 0) rows = std::min(rows, options.commit_records);
  if (options.rate > 0) rows = std::min(rows, std::max<std::int64_t>(1, options.rate / 10));
  return rows;
}

// Everything of one run, in the order in which it must come to life.
class Run {
 public:
  Run(const Graph& graph, Log& log, StateStore* state, const RunOptions& options)
      : graph_(graph),
        log_(log),
        state_(state),
        options_(options),
        lock_(log.lock_group(options.run.empty() ? graph.name() : graph.name() + "." + options.run)),
        topology_(topology_of(graph, log, options.run)),
        context_{.graph = graph,
                 .topology = topology_,
                 .log = log,
                 .run = options.run,
                 .decisions_topic = decisions_topic_of(graph, options.run),
                 .live_decisions_topic = options.run.empty() ? "" : decisions_topic_of(graph, ""),
                 .batch_rows = batch_rows_of(options),
                 .policy = options.policy,
                 .names = {}} {
    context_.names.application = graph.name();
    context_.names.late_topic = options.late_topic.empty() ? graph.name() + "-late" : options.late_topic;
    context_.names.dead_letter_topic =
        options.dead_letter_topic.empty() ? graph.name() + "-dead-letters" : options.dead_letter_topic;
    context_.names.errors = options.errors;
  }

  RunReport execute(std::stop_token stop);

 private:
  struct Planned {
    int stage = 0;
    std::int32_t partition = 0;
    TaskStart start;
    std::unique_ptr<TaskState> state;
  };
  void plan();
  void open_producers();
  [[nodiscard]] int workers_wanted() const;
  void make_workers();
  void commit_starts();
  [[nodiscard]] std::vector<Position> starts_of(const Stage& stage) const;
  void work(std::stop_token stop);
  void watch(std::stop_token done, std::int64_t to_read);
  [[nodiscard]] std::int64_t records_to_read() const;

  const Graph& graph_;
  Log& log_;
  StateStore* state_;
  const RunOptions& options_;
  std::unique_ptr<RunLock> lock_;
  Topology topology_;
  TaskContext context_;
  std::vector<Planned> planned_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<RunShared> shared_;
  std::map<std::pair<int, int>, std::unique_ptr<Producer>> producers_;  // by stage and worker
  std::vector<std::unique_ptr<Producer>> starters_;                     // by stage
  std::vector<std::unique_ptr<Worker>> workers_;
};

int Run::workers_wanted() const {
  std::int32_t widest = 1;
  for (const Stage& stage : topology_.stages) widest = std::max(widest, stage.partitions);
  return std::clamp(options_.workers, 1, static_cast<int>(widest));
}

// Where others cannot be locked out, an older run may have had more workers than this one, but no more than partitions:
// all their names are taken over, which ends what they have left open or still have at work. The one that commits
// starts comes first: of two runs that start at once, the one that is still allowed to commit a start has taken all
// names after the other.
void Run::open_producers() {
  for (const Stage& stage : topology_.stages)
    starters_.push_back(log_.open_producer(group_of(graph_, stage, options_.run) + ".start"));
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const Stage& stage = topology_.stages[s];
    const std::int32_t wanted = std::min<std::int32_t>(workers_wanted(), stage.partitions);
    for (std::int32_t n = 0; n < (log_.lock_is_exclusive() ? wanted : stage.partitions); ++n) {
      auto producer = log_.open_producer(fmt::format("{}.{}", group_of(graph_, stage, options_.run), n));
      if (n < wanted) producers_[{static_cast<int>(s), n}] = std::move(producer);
    }
  }
}

void Run::plan() {
  const bool repartitions = topology_.stages.size() > 1;
  if (options_.rebuild && repartitions)
    refuse(
        "--rebuild is not available yet for a graph with a repartition: use `kappa replay`, or another application.id");
  check_topics(graph_, topology_, log_, options_);
  // In front of the positions: what a killed run left open would hold them back until it times out.
  if (!log_.lock_is_exclusive()) open_producers();
  check_positions(graph_, topology_, log_, options_.run);
  const Recovery recovery(graph_, log_, options_);
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const Stage& stage = topology_.stages[s];
    const auto committed = log_.committed(group_of(graph_, stage, options_.run));
    for (std::int32_t p = 0; p < stage.partitions; ++p) {
      Planned planned{static_cast<int>(s), p, {}, state_ ? state_->open({stage.name, p}) : nullptr};
      planned.start = recovery.plan(stage, p, committed, planned.state.get());
      planned_.push_back(std::move(planned));
    }
  }
}

void Run::make_workers() {
  create_topics(graph_, topology_, log_, options_, context_.names, context_.decisions_topic);
  for (const Node& node : graph_.nodes())
    if (node.kind == NodeKind::sink)
      if (const auto info = log_.topic(context_.policy.suffix.empty() ? node.sink.topic
                                                                      : node.sink.topic + "." + context_.policy.suffix))
        context_.names.sink_partitions[node.sink.topic] = info->partitions;
  const int count = workers_wanted();
  coordinator_ = std::make_unique<Coordinator>(topology_, count, options_.close);
  if (state_ && options_.checkpoint_interval.count() > 0)
    checkpointer_ = std::make_unique<Checkpointer>(options_.metrics);
  shared_ = std::make_unique<RunShared>(context_, options_, *coordinator_, checkpointer_.get());
  for (int w = 0; w < count; ++w) workers_.push_back(std::make_unique<Worker>(*shared_, w));
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
void Run::commit_starts() {
  for (std::size_t s = 0; s < topology_.stages.size(); ++s) {
    const std::string group = group_of(graph_, topology_.stages[s], options_.run);
    std::vector<Position> positions;
    for (auto& [at, position] : log_.committed(group)) positions.push_back(position);
    if (!positions.empty() && log_.lock_is_exclusive()) continue;
    if (positions.empty()) positions = starts_of(topology_.stages[s]);
    if (starters_[s]->commit(group, positions) != CommitOutcome::committed)
      fail(fmt::format("the start of {} was not committed; start it again", group));
  }
}

std::vector<Position> Run::starts_of(const Stage& stage) const {
  std::vector<Position> positions;
  for (const auto& worker : workers_)
    for (const Task* task : worker->tasks())
      if (&task->stage() == &stage)
        for (Position& position : task->positions(1)) positions.push_back(std::move(position));
  return positions;
}

std::int64_t Run::records_to_read() const {
  std::int64_t records = 0;
  for (const Planned& planned : planned_)
    for (const InputStart& input : planned.start.inputs)
      if (input.end < kForever) records += input.end - input.offset;
  return records;
}

void Run::watch(std::stop_token done, std::int64_t to_read) {
  std::mutex mutex;
  std::condition_variable_any tick;
  std::unique_lock lock(mutex);
  while (!tick.wait_for(lock, done, std::chrono::milliseconds(500), [] { return false; }) && !done.stop_requested())
    options_.progress(shared_->records_read.load(), to_read);
}

void Run::work(std::stop_token stop) {
  std::stop_source halt;
  const std::stop_callback forward(stop, [&] {
    halt.request_stop();
    log_.wake();
  });
  std::mutex mutex;
  std::exception_ptr error;
  {
    std::vector<std::jthread> threads;
    for (const auto& worker : workers_)
      threads.emplace_back([&, raw = worker.get()] {
        try {
          raw->work(halt.get_token());
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!error) error = std::current_exception();
          halt.request_stop();
          log_.wake();
        }
      });
  }
  if (error) std::rethrow_exception(error);
  if (checkpointer_) checkpointer_->finish();
}

RunReport Run::execute(std::stop_token stop) {
  plan();
  const std::int64_t to_read = records_to_read();
  make_workers();
  commit_starts();
  {
    std::jthread watcher;
    if (options_.progress) watcher = std::jthread([&](std::stop_token done) { watch(done, to_read); });
    work(stop);
  }
  RunReport report;
  report.stopped = stop.stop_requested();
  report.commits = shared_->commits.load();
  report.checkpoints = checkpointer_ ? checkpointer_->published() : 0;
  report.records_read = shared_->records_read.load();
  for (const auto& worker : workers_)
    for (const Task* task : worker->tasks()) report.tasks.push_back(report_of(*task));
  std::sort(report.tasks.begin(), report.tasks.end(),
            [](const TaskReport& a, const TaskReport& b) { return a.task < b.task; });
  return report;
}
}  // namespace

std::string group_of(const Graph& graph, const Stage& stage, const std::string& run) {
  return graph.name() + "-" + stage.name + (run.empty() ? "" : "." + run);
}

RunReport run_graph(const Graph& graph, Log& log, StateStore* state, const RunOptions& options, std::stop_token stop) {
  return Run(graph, log, state, options).execute(stop);
}

}  // namespace kappa
