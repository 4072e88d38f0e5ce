// How a worker gets tasks and gives them up as a member of its stages' groups, and how it starts over where the log has
// lost a transaction: the same path, from what is committed.
#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/worker.h"
#include "kappa/engine/worker_slot.h"

namespace kappa {

namespace {
constexpr std::chrono::milliseconds kTryAgain{100};
constexpr std::chrono::milliseconds kTryAgainAfterLoss{1000};
// Commits that failed in a row: then it is no passing trouble, and the process ends with the cause.
constexpr int kLossesMax = 20;

bool same(const std::vector<Position>& published, const std::map<TopicPartition, Position>& committed) {
  return std::all_of(published.begin(), published.end(), [&](const Position& position) {
    const auto found = committed.find(position.at);
    return found != committed.end() && found->second.offset == position.offset &&
           found->second.metadata == position.metadata;
  });
}
}  // namespace

bool TaskClaims::take(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  return taken_.insert(task).second;
}

void TaskClaims::give_back(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  taken_.erase(task);
}

void Worker::join(int stage) {
  const Stage& spec = shared_.context.topology.stages[static_cast<std::size_t>(stage)];
  Transaction& transaction = transactions_[stage];
  const GroupMember member = group_member(shared_.context.graph, spec, shared_.options, number_);
  transaction.stage = stage;
  transaction.group = member.group;
  transaction.id = producer_of(shared_.context.graph, spec, shared_.options, std::to_string(number_));
  transaction.member = shared_.context.log.join_group(member);
  KAPPA_CHECK(transaction.member, "only a log with groups is joined");
}

void Worker::follow_groups() {
  for (auto& [stage, transaction] : transactions_) {
    if (!transaction.member) continue;
    const GroupChange change = transaction.member->poll();
    if (change.kind != GroupChange::Kind::none) on_change(transaction, change);
    if (!transaction.needs_tasks || shared_.options.clock->now() < transaction.next_try) continue;
    // It may take longer than the others' transactions may last.
    for (auto& [other, open] : transactions_)
      if (other != stage) commit_stage(open, true);
    take_over(transaction);
  }
}

void Worker::on_change(Transaction& transaction, const GroupChange& change) {
  if (change.kind == GroupChange::Kind::assigned) {
    transaction.assigned = change.partitions;
    transaction.needs_tasks = true;
    transaction.next_try = {};
    return;
  }
  transaction.assigned.clear();
  transaction.needs_tasks = false;
  give_up(transaction, change.kind == GroupChange::Kind::lost);
  transaction.member->release();
}

// What was processed is committed first, so that nobody has to read it again; if that fails, all of it is forgotten.
void Worker::give_up(Transaction& transaction, bool lost) {
  try {
    if (!lost) commit_stage(transaction, true);
  } catch (const LogUnavailable&) {
    lost = true;
  }
  if (lost) {
    drop_tasks(transaction);
    transaction.producer.reset();
    return;
  }
  for (Slot* slot : std::vector<Slot*>(transaction.slots)) {
    slot->task->check_balance();
    transaction.kept[slot->task->partition()] = detach(slot);
  }
}

std::unique_ptr<Worker::Slot> Worker::detach(Slot* slot) {
  Transaction& transaction = transactions_.at(slot->stage);
  std::erase(transaction.slots, slot);
  slot->drift.note(std::nullopt);
  const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& owned) { return owned.get() == slot; });
  std::unique_ptr<Slot> owned = std::move(*found);
  slots_.erase(found);
  return owned;
}

void Worker::drop(std::unique_ptr<Slot> slot) {
  if (shared_.checkpointer && slot->state) shared_.checkpointer->finish(slot->state);
  const TaskId task = slot->task->id();
  slot.reset();
  shared_.claims.give_back(task);
}

void Worker::drop_tasks(Transaction& transaction) {
  for (Slot* slot : std::vector<Slot*>(transaction.slots)) drop(detach(slot));
  for (auto& [partition, slot] : transaction.kept) drop(std::move(slot));
  transaction.kept.clear();
}

// The producer first: opening it ends what an earlier one of its name has left open, which would hold back the
// positions. Those of others are waited for.
void Worker::take_over(Transaction& transaction) {
  Log& log = shared_.context.log;
  if (!transaction.producer) transaction.producer = log.open_producer(transaction.id, transaction.member.get());
  std::map<TopicPartition, Position> committed = log.committed(transaction.group);
  if (committed.empty()) {
    transaction.next_try = shared_.options.clock->now() + kTryAgain;
    if (!begin_group(transaction)) return;
    committed = log.committed(transaction.group);
  }
  check_positions(shared_.context.graph, shared_.context.topology, log, shared_.options.run);
  bool all = true;
  for (const std::int32_t partition : transaction.assigned) {
    const bool have = std::any_of(transaction.slots.begin(), transaction.slots.end(),
                                  [&](const Slot* slot) { return slot->task->partition() == partition; });
    if (!have) all &= keep_task(transaction, partition, committed) || take_over_task(transaction, partition, committed);
  }
  for (auto& [partition, slot] : transaction.kept) drop(std::move(slot));
  transaction.kept.clear();
  transaction.needs_tasks = !all;
  transaction.placed |= all;
  transaction.next_try = shared_.options.clock->now() + kTryAgain;
}

// Of all members the one that has the first partition commits where the stage begins.
bool Worker::begin_group(Transaction& transaction) {
  const Stage& stage = shared_.context.topology.stages[static_cast<std::size_t>(transaction.stage)];
  if (std::count(transaction.assigned.begin(), transaction.assigned.end(), 0) == 0) return false;
  for (const std::int32_t partition : transaction.assigned) {
    if (!shared_.state || !shared_.claims.take({stage.name, partition})) continue;
    shared_.recovery.refuse_foreign(stage, partition, *shared_.state->open({stage.name, partition}));
    shared_.claims.give_back({stage.name, partition});
  }
  const GroupStart start{transaction.group, shared_.recovery.first_positions(stage), shared_.options.at_least_once,
                         shared_.options.clock->wall_ms()};
  if (commit_starts(*transaction.producer, shared_.context.decisions_topic, start) == CommitOutcome::committed)
    return true;
  throw LogUnavailable(fmt::format("the start of {} was not committed", transaction.group));
}

// The memory of a task that was given up is as good as a restored one if nobody has committed since.
bool Worker::keep_task(Transaction& transaction, std::int32_t partition,
                       const std::map<TopicPartition, Position>& committed) {
  const auto kept = transaction.kept.find(partition);
  if (kept == transaction.kept.end() || !same(kept->second->published, committed)) return false;
  transaction.slots.push_back(kept->second.get());
  slots_.push_back(std::move(kept->second));
  transaction.kept.erase(kept);
  return true;
}

bool Worker::take_over_task(Transaction& transaction, std::int32_t partition,
                            const std::map<TopicPartition, Position>& committed) {
  const Stage& stage = shared_.context.topology.stages[static_cast<std::size_t>(transaction.stage)];
  const TaskId task{stage.name, partition};
  if (const auto kept = transaction.kept.find(partition); kept != transaction.kept.end()) {
    drop(std::move(kept->second));
    transaction.kept.erase(kept);
  }
  if (!shared_.claims.take(task)) return false;  // another worker of this process has not given it up yet
  try {
    std::unique_ptr<TaskState> state = shared_.state ? shared_.state->open(task) : nullptr;
    TaskStart start = shared_.recovery.plan(stage, partition, committed, state.get());
    if (shared_.options.message) shared_.options.message(start.explanation);
    if (!start.restored && state) state->clear();
    Slot& slot = add_slot(transaction, partition, std::move(start), state.get());
    slot.own_state = std::move(state);
    for (const StageInput& input : stage.inputs) slot.published.push_back(committed.at({input.topic, partition}));
    return true;
  } catch (...) {
    shared_.claims.give_back(task);
    throw;
  }
}

// Everything since the last commits is forgotten, and what is assigned taken over anew.
void Worker::start_over(const LogUnavailable& why) {
  const bool may_go_on = std::all_of(transactions_.begin(), transactions_.end(), [](const auto& entry) {
    return entry.second.member && entry.second.losses <= kLossesMax;
  });
  if (!may_go_on) fail(fmt::format("{}. Start the run again: it recovers from what is committed", why.what()));
  if (shared_.options.message) shared_.options.message(fmt::format("{}. Goes on from what is committed", why.what()));
  for (auto& [stage, transaction] : transactions_) {
    drop_tasks(transaction);
    transaction.producer.reset();
    transaction.needs_tasks = !transaction.assigned.empty();
    transaction.next_try = shared_.options.clock->now() + kTryAgainAfterLoss;
  }
}

}  // namespace kappa
