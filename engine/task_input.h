// kappa/engine/task_input.h: one input of a task while it runs. Private to engine/task*.cpp.
#pragma once

#include <deque>

#include "kappa/engine/task.h"

namespace kappa {

struct Task::Input {
  const StageInput* spec = nullptr;
  TopicPartition at;
  std::unique_ptr<Reader> reader;
  std::unique_ptr<SourceStep> source;
  std::unique_ptr<RepartitionReader> repartition;
  std::vector<int> front;  // nodes in front of the merge that this input alone reaches, without its own node
  InputStart start;
  std::deque<Decision> pending;  // decisions not yet applied
  std::int64_t decision = 0;     // number of the last one applied
  SourceCounters counters;
  std::optional<RecordMark> last;  // record read; at first what the run before read

  [[nodiscard]] std::int64_t progress() const {
    if (source) return source->progress();
    std::int64_t least = kForever;
    for (int u = 0; u < spec->inputs; ++u) least = std::min(least, repartition->progress(u));
    return least;
  }
};

}  // namespace kappa
