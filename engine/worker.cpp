#include "kappa/engine/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kappa/engine/kill_point.h"
#include "kappa/engine/names.h"
#include "kappa/engine/random_id.h"
#include "kappa/engine/worker_slot.h"

namespace kappa {

namespace {
// Readers of a repartition wait for markers only where no record came; ten a second keep them close without filling the
// topic.
constexpr std::chrono::milliseconds kMarkerInterval{100};
constexpr std::chrono::milliseconds kIdleWait{50};
constexpr std::chrono::milliseconds kReportInterval{500};
// Brokers forget positions that are not committed for days; a quiet partition's are committed again.
constexpr std::chrono::hours kRefreshInterval{1};

// The least of the sources that have one; 0: none has.
std::int64_t max_drift_of(const Graph& graph, const Stage& stage) {
  std::int64_t least = 0;
  for (const StageInput& input : stage.inputs)
    if (const std::int64_t most = input.repartition ? 0 : graph.node(input.node).source.max_drift_us; most > 0)
      least = least == 0 ? most : std::min(least, most);
  return least;
}
}  // namespace

Worker::Worker(RunShared& shared, int number) : shared_(shared), number_(number) {
  started_ = last_commit_ = last_markers_ = last_checkpoint_ = shared.options.clock->now();
  if (shared.options.run.empty() || shared.options.live_lag_max <= 0) return;
  std::vector<std::string> groups;
  for (const Stage& stage : shared.context.topology.stages)
    if (std::any_of(stage.inputs.begin(), stage.inputs.end(),
                    [](const StageInput& input) { return !input.repartition; }))
      groups.push_back(group_of(shared.context.graph, stage, ""));
  live_ = std::make_unique<LiveWatch>(shared.context.log, std::move(groups), shared.options.live_lag_max);
}

Worker::~Worker() {
  for (auto& [stage, transaction] : transactions_)
    if (transaction.member) drop_tasks(transaction);
}

void Worker::add_producer(int stage, std::unique_ptr<Producer> producer) {
  const Stage& spec = shared_.context.topology.stages[static_cast<std::size_t>(stage)];
  Transaction& transaction = transactions_[stage];
  transaction.stage = stage;
  transaction.group = group_of(shared_.context.graph, spec, shared_.options.run);
  transaction.producer = std::move(producer);
}

void Worker::add_task(int stage, std::int32_t partition, TaskStart start, TaskState* state) {
  add_slot(transactions_.at(stage), partition, std::move(start), state);
}

Worker::Slot& Worker::add_slot(Transaction& transaction, std::int32_t partition, TaskStart start, TaskState* state) {
  const Stage& spec = shared_.context.topology.stages[static_cast<std::size_t>(transaction.stage)];
  transaction.sequence = std::max(transaction.sequence, start.sequence);
  auto slot = std::make_unique<Slot>(shared_.drift);
  slot->stage = transaction.stage;
  slot->state = state;
  if (state)
    for (const CheckpointMeta& meta : state->checkpoints([](const std::string&, const std::string&) {}))
      slot->checkpoint = std::max(slot->checkpoint, meta.sequence);
  slot->task = std::make_unique<Task>(shared_.context, transaction.stage, partition, *transaction.producer);
  if (start.restored) slot->task->restore(*start.restored);
  start.restored.reset();
  slot->task->start(std::move(start.inputs));
  slot->committed.resize(spec.inputs.size(), {-1, kNever});
  slot->quiet.resize(spec.inputs.size());
  slot->max_drift = max_drift_of(shared_.context.graph, spec);
  if (slot->max_drift > 0) slot->drift.note(slot->task->released());  // has records for all that is known
  transaction.slots.push_back(slot.get());
  slots_.push_back(std::move(slot));
  return *slots_.back();
}

std::vector<const Task*> Worker::tasks() const {
  std::vector<const Task*> tasks;
  for (const auto& slot : slots_) tasks.push_back(slot->task.get());
  return tasks;
}

void Worker::work(std::stop_token stop) {
  stop_ = stop;
  const bool bounded = shared_.options.until_end || shared_.options.close;
  for (bool over = false; !over && !stop.stop_requested();) {
    try {
      work_until(stop, bounded);
      over = true;
    } catch (const LogUnavailable& why) {
      start_over(why);
    }
  }
  commit(true);
  checkpoint(true);
  report(true);
  if (shared_.options.metrics) shared_.options.metrics->rest(number_);
}

void Worker::work_until(std::stop_token stop, bool bounded) {
  while (!stop.stop_requested()) {
    follow_groups();
    const bool progressed = step_all();
    decide_idle();
    report(false);
    if (commit_due() || (!progressed && shared_.options.commit_records > 0)) commit(false);
    if (progressed) continue;
    if (bounded) {
      finish_tasks();
      if (all_finished()) {
        if (!end_phase(stop)) return;
        continue;
      }
    }
    shared_.context.log.wait(idle_wait());
  }
}

// Until the next commit is due, so that what was read last does not wait longer.
std::chrono::milliseconds Worker::idle_wait() const {
  const auto due = last_commit_ + shared_.options.commit_interval - shared_.options.clock->now();
  return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(due), std::chrono::milliseconds(1), kIdleWait);
}

bool Worker::end_phase(std::stop_token stop) {
  report(true);
  if (shared_.options.metrics) shared_.options.metrics->rest(number_);
  const Coordinator::Phase phase = shared_.coordinator.arrive(open(), stop);
  if (!phase.done) close_to(phase.close_progress);
  return !phase.done;
}

bool Worker::step_all() {
  if (must_wait()) return false;
  bool progressed = false;
  for (const auto& slot : slots_) {
    if (stop_.stop_requested()) break;  // a read may have to wait for a broker
    if (slot->max_drift > 0 && slot->drift.is_ahead(slot->max_drift)) continue;
    const std::int64_t before = slot->task->records_read();
    progressed |= slot->task->step();
    if (slot->max_drift > 0) slot->drift.note(slot->task->read_progress());
    const std::int64_t read = slot->task->records_read() - before;
    shared_.records_read += read;
    records_since_commit_ += read;
    if (shared_.options.commit_records > 0 && commit_due()) commit(false);
  }
  return progressed;
}

// While the run is ahead of its rate, or live needs what it would take.
bool Worker::must_wait() {
  const auto now = shared_.options.clock->now();
  if (live_) {
    const bool behind = live_->is_behind(now);
    if (behind && !waits_for_live_ && shared_.options.message)
      shared_.options.message(fmt::format("waits for live, which is {} records behind", live_->lag()));
    waits_for_live_ = behind;
    if (behind) return true;
  }
  const std::int64_t rate = shared_.options.rate;
  const auto elapsed = std::chrono::duration<double>(now - started_).count();
  return rate > 0 && static_cast<double>(shared_.records_read.load()) > static_cast<double>(rate) * elapsed;
}

bool Worker::commit_due() const {
  const RunOptions& options = shared_.options;
  std::int64_t bytes = 0;
  if (options.commit_records > 0 && records_since_commit_ >= options.commit_records) return true;
  for (const auto& [stage, transaction] : transactions_)
    if (transaction.producer) bytes += transaction.producer->pending_bytes();
  return bytes > options.commit_bytes || options.clock->now() - last_commit_ >= options.commit_interval;
}

void Worker::commit(bool final) {
  const auto now = shared_.options.clock->now();
  const bool markers = final || now - last_markers_ >= kMarkerInterval;
  const std::int64_t commits_before = commits_;
  if (KAPPA_FAULT("checkpoint.ahead")) checkpoint(true), shared_.checkpointer->finish();
  for (auto& [stage, transaction] : transactions_) commit_stage(transaction, markers);
  if (markers) last_markers_ = now;
  // The interval counts from a commit's beginning, or a record could wait for two commits and the interval; but half of
  // it is for work, however slow commits are.
  const auto ended = shared_.options.clock->now();
  last_commit_ = std::max(now, ended - shared_.options.commit_interval / 2);
  observe(ended - now, commits_before);
  records_since_commit_ = 0;
  checkpoint(false);
}

// What a commit took, and how old what it published is.
void Worker::observe(std::chrono::steady_clock::duration took, std::int64_t commits_before) {
  RunMetrics* const metrics = shared_.options.metrics;
  if (metrics == nullptr) return;
  if (commits_ > commits_before) metrics->commit.observe(took);
  metrics->commits += commits_ - commits_before;
  const std::int64_t now_ms = shared_.options.clock->wall_ms();
  for (const auto& slot : slots_)
    if (const auto cause = slot->task->take_oldest_cause())
      metrics->latency.observe(std::chrono::milliseconds(now_ms - *cause));
}

// Between batches, so that all counters of a task agree.
void Worker::report(bool force) {
  RunMetrics* const metrics = shared_.options.metrics;
  const bool placed = std::all_of(transactions_.begin(), transactions_.end(),
                                  [](const auto& entry) { return !entry.second.member || entry.second.placed; });
  if (metrics == nullptr || !placed) return;
  const auto now = shared_.options.clock->now();
  if (!force && now - last_report_ < kReportInterval) return;
  last_report_ = now;
  std::vector<TaskReport> reports;
  for (const auto& slot : slots_) reports.push_back(slot->task->report());
  metrics->records_read = shared_.records_read.load();
  metrics->report(number_, std::move(reports), now);
}

// What has changed since the last commit of a stage.
std::vector<Position> Worker::changed_positions(Transaction& transaction, bool markers) {
  std::vector<Position> positions;
  for (Slot* slot : transaction.slots) {
    if (slot->task->muted()) continue;  // its positions lie behind those committed
    const bool told = markers && slot->task->write_markers() > 0;
    bool changed = told || !slot->first_commit_done || last_commit_ - slot->committed_at >= kRefreshInterval;
    const auto inputs = static_cast<int>(slot->committed.size());
    for (int i = 0; i < inputs; ++i) {
      const std::pair now{slot->task->position(i), slot->task->progress(i)};
      changed |= std::exchange(slot->committed[static_cast<std::size_t>(i)], now) != now;
    }
    if (!changed) continue;
    slot->first_commit_done = true;
    slot->committed_at = last_commit_;
    slot->published = slot->task->positions(transaction.sequence + 1);
    positions.insert(positions.end(), slot->published.begin(), slot->published.end());
  }
  return positions;
}

void Worker::commit_stage(Transaction& transaction, bool markers) {
  if (!transaction.producer) return;
  const std::vector<Position> positions = changed_positions(transaction, markers);
  if (positions.empty() && transaction.producer->pending_bytes() == 0) return;
  ++transaction.losses;
  const CommitOutcome outcome = transaction.producer->commit(transaction.group, positions);
  if (outcome != CommitOutcome::committed)
    throw LogUnavailable(fmt::format("the commit of {} {}", transaction.group,
                                     outcome == CommitOutcome::aborted ? "was aborted" : "has an unknown outcome"));
  transaction.losses = 0;
  ++transaction.sequence;
  ++shared_.commits;
  ++commits_;
}

void Worker::checkpoint(bool force) {
  if (!shared_.checkpointer || shared_.options.checkpoint_interval.count() == 0) return;
  const auto now = shared_.options.clock->now();
  if (!force && now - last_checkpoint_ < shared_.options.checkpoint_interval) return;
  if (force) shared_.checkpointer->finish();
  for (const auto& slot : slots_) {
    if (!slot->state || shared_.checkpointer->busy(slot->state)) continue;
    auto nodes = slot->task->freeze();
    if (nodes.empty()) continue;
    CheckpointMeta meta = slot->task->checkpoint_meta();
    meta.id = random_id();
    meta.sequence = ++slot->checkpoint;
    meta.created_ms = shared_.options.clock->wall_ms();
    shared_.checkpointer->submit({slot->state, std::move(meta), std::move(nodes)});
  }
  last_checkpoint_ = now;
}

}  // namespace kappa
