#include "kappa/engine/run_base.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"

namespace kappa {

namespace {
// A commit comes after a batch, so a batch is no larger than what commit.records allows; and a rate is kept ten times a
// second.
std::int64_t batch_rows_of(const RunOptions& options) {
  std::int64_t rows = options.batch_rows;
  if (options.commit_records > 0) rows = std::min(rows, options.commit_records);
  if (options.rate > 0) rows = std::min(rows, std::max<std::int64_t>(1, options.rate / 10));
  return rows;
}
}  // namespace

RunBase::RunBase(const Graph& graph, Log& log, StateStore* state, const RunOptions& options, const std::string& lock)
    : graph_(graph),
      log_(log),
      state_(state),
      options_(options),
      lock_(log.lock_group(lock)),
      topology_(topology_of(graph, log, options.run)),
      context_{.graph = graph,
               .topology = topology_,
               .log = log,
               .run = options.run,
               .decisions_topic = decisions_topic_of(graph, options.run),
               .live_decisions_topic = options.run.empty() ? "" : decisions_topic_of(graph, ""),
               .batch_rows = batch_rows_of(options),
               .policy = options.policy,
               .names = {}},
      recovery_(graph, log, options) {
  context_.names.application = graph.name();
  context_.names.late_topic = options.late_topic.empty() ? graph.name() + "-late" : options.late_topic;
  context_.names.dead_letter_topic =
      options.dead_letter_topic.empty() ? graph.name() + "-dead-letters" : options.dead_letter_topic;
  context_.names.errors = options.errors;
}

int RunBase::workers_wanted() const {
  std::int32_t widest = 1;
  for (const Stage& stage : topology_.stages) widest = std::max(widest, stage.partitions);
  return std::clamp(options_.workers, 1, static_cast<int>(widest));
}

void RunBase::end_leftovers() const {
  for (const Stage& stage : topology_.stages) {
    static_cast<void>(log_.open_producer(producer_of(graph_, stage, options_, "start")));
    for (int n = 0; n < workers_wanted(); ++n)
      static_cast<void>(log_.open_producer(producer_of(graph_, stage, options_, std::to_string(n))));
  }
}

void RunBase::make_workers() {
  for (const Node& node : graph_.nodes())
    if (node.kind == NodeKind::sink)
      if (const auto info = log_.topic(context_.policy.suffix.empty() ? node.sink.topic
                                                                      : node.sink.topic + "." + context_.policy.suffix))
        context_.names.sink_partitions[node.sink.topic] = info->partitions;
  const int count = workers_wanted();
  coordinator_ = std::make_unique<Coordinator>(topology_, count, options_.close);
  if (state_ && options_.checkpoint_interval.count() > 0)
    checkpointer_ = std::make_unique<Checkpointer>(options_.metrics);
  shared_ = std::make_unique<RunShared>(context_, options_, recovery_, *coordinator_, checkpointer_.get(), state_);
  for (int w = 0; w < count; ++w) workers_.push_back(std::make_unique<Worker>(*shared_, w));
}

void RunBase::watch(std::stop_token done, std::int64_t to_read) {
  std::mutex mutex;
  std::condition_variable_any tick;
  std::unique_lock lock(mutex);
  while (!tick.wait_for(lock, done, std::chrono::milliseconds(500), [] { return false; }) && !done.stop_requested())
    options_.progress(shared_->records_read.load(), to_read);
}

void RunBase::work(std::stop_token stop) {
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

void RunBase::work_and_watch(std::stop_token stop, std::int64_t to_read) {
  std::jthread watcher;
  if (options_.progress) watcher = std::jthread([&](std::stop_token done) { watch(done, to_read); });
  work(stop);
}

RunReport RunBase::report(const std::stop_token& stop) const {
  RunReport report;
  report.stopped = stop.stop_requested();
  report.commits = shared_->commits.load();
  report.checkpoints = checkpointer_ ? checkpointer_->published() : 0;
  report.records_read = shared_->records_read.load();
  for (const auto& worker : workers_)
    for (const Task* task : worker->tasks()) {
      task->check_balance();
      report.tasks.push_back(task->report());
    }
  std::sort(report.tasks.begin(), report.tasks.end(),
            [](const TaskReport& a, const TaskReport& b) { return a.task < b.task; });
  return report;
}

}  // namespace kappa
