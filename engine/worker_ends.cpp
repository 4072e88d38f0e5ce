// The ends of a bounded run, closing, and idle decisions: what a worker does when there is nothing to read.
#include <algorithm>

#include "kappa/engine/worker.h"
#include "kappa/engine/worker_slot.h"

namespace kappa {

// A repartition's end is known once all tasks of the stage that writes it have finished.
void Worker::find_ends(Slot& slot) {
  const Stage& stage = slot.task->stage();
  for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
    const StageInput& input = stage.inputs[i];
    if (input.repartition && shared_.coordinator.stage_finished(input.upstream_stage))
      slot.task->set_end(static_cast<int>(i), shared_.context.log.end_offset({input.topic, slot.task->partition()}));
  }
}

void Worker::finish_tasks() {
  bool any = false;
  std::vector<Slot*> finishing;
  for (const auto& slot : slots_) {
    if (slot->finished) continue;
    find_ends(*slot);
    if (!slot->task->at_ends()) continue;
    finishing.push_back(slot.get());
    any = true;
  }
  if (!any) return;
  commit(true);
  for (Slot* slot : finishing) {
    slot->finished = true;
    shared_.coordinator.task_finished(slot->stage);
  }
}

bool Worker::all_finished() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->finished; });
}

Coordinator::Open Worker::open() const {
  Coordinator::Open open;
  for (const auto& slot : slots_) {
    const OpenWindows windows = slot->task->open_windows();
    const Stage& stage = slot->task->stage();
    open.any |= windows.count > 0 || slot->task->held_rows() > 0;
    if (windows.count > 0)
      open.progress_wanted = std::max(open.progress_wanted, windows.greatest_end + stage.out_of_orderness_us);
    for (std::size_t i = 0; i < stage.inputs.size(); ++i)
      open.progress_wanted = std::max(open.progress_wanted, slot->task->progress(static_cast<int>(i)));
  }
  return open;
}

void Worker::close_to(std::int64_t progress) {
  for (const auto& slot : slots_) {
    slot->finished = false;
    const Stage& stage = slot->task->stage();
    for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
      const int input = static_cast<int>(i);
      if (stage.inputs[i].repartition)
        slot->task->set_end(input, kForever);
      else if (slot->task->progress(input) < progress)
        slot->task->decide(input, progress, "close", shared_.options.clock->wall_ms());
    }
  }
}

// Not in a bounded run: what it has read to its end is not quiet, it is over.
void Worker::decide_idle() {
  if (shared_.options.until_end || shared_.options.close) return;
  for (const auto& slot : slots_) {
    const Stage& stage = slot->task->stage();
    for (std::size_t i = 0; i < stage.inputs.size(); ++i)
      if (!stage.inputs[i].repartition && shared_.context.graph.node(stage.inputs[i].node).source.idle_timeout_us > 0 &&
          !slot->task->muted())
        decide_idle(*slot, static_cast<int>(i));
  }
}

// A source that has been at its end for idle_timeout, with no transaction open behind it.
void Worker::decide_idle(Slot& slot, int input) {
  Task& task = *slot.task;
  const StageInput& spec = task.stage().inputs[static_cast<std::size_t>(input)];
  Slot::Quiet& quiet = slot.quiet[static_cast<std::size_t>(input)];
  const auto now = shared_.options.clock->now();
  const std::int64_t position = task.position(input);
  if (quiet.position != position) {
    quiet = {position, task.progress(input), now};
    return;
  }
  const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - quiet.since).count();
  if (waited < shared_.context.graph.node(spec.node).source.idle_timeout_us) return;
  // The end last: a log may have to ask others for it.
  if (task.is_in_front_of_open(input) || position < shared_.context.log.end_offset({spec.topic, task.partition()})) {
    quiet.since = now;
    return;
  }
  const std::int64_t wanted =
      task.stage().inputs.size() == 1 ? idle_progress_alone(slot, waited) : idle_progress_beside_others(task, input);
  if (wanted > task.progress(input) && wanted < kForever)
    task.decide(input, wanted, "idle", shared_.options.clock->wall_ms());
}

// As far as the others have come.
std::int64_t Worker::idle_progress_beside_others(const Task& task, int input) const {
  std::int64_t least = kForever;
  for (std::size_t i = 0; i < task.stage().inputs.size(); ++i)
    if (static_cast<int>(i) != input) least = std::min(least, task.progress(static_cast<int>(i)));
  return least;
}

// On by the wall time since the last record; where there never was one, to the wall time of idle_timeout ago. Only
// where that closes a window, or where other tasks may wait for the progress that a repartition carries: who waits is
// not known here, so this is once per idle_timeout.
std::int64_t Worker::idle_progress_alone(const Slot& slot, std::int64_t waited) const {
  const Task& task = *slot.task;
  const Stage& stage = task.stage();
  const std::int64_t timeout = shared_.context.graph.node(stage.inputs.front().node).source.idle_timeout_us;
  const std::int64_t last = slot.quiet.front().progress, now = task.progress(0);
  const std::int64_t reached = last == kNever ? shared_.options.clock->wall_ms() * 1000 - timeout : last + waited;
  const OpenWindows open = task.open_windows();
  const bool closes = open.count > 0 && reached >= open.least_end + stage.out_of_orderness_us;
  const bool is_carried = std::any_of(stage.nodes.begin(), stage.nodes.end(), [&](int n) {
    return shared_.context.graph.node(n).kind == NodeKind::repartition;
  });
  return closes || (is_carried && (now == kNever || reached - now >= timeout)) ? reached : kNever;
}

}  // namespace kappa
