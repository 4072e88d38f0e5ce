// kappa/engine/source_step.h: the first step of a source's records: decode, future guard, progress.
//
// Threads:  belongs to one task.
#pragma once

#include <memory>

#include "kappa/engine/graph.h"

namespace kappa {

class SourceStep {
 public:
  /// `at` is read; `input` is the task input's number.
  SourceStep(const Node& node, const TopicPartition& at, int input, std::int64_t batch_rows);

  /// The rows of `records` with their hidden columns. What does not decode, or fails the future guard (event time null,
  /// outside 1970–2262, or above record timestamp + max_future), is appended to `dead` and moves no progress. The batch
  /// keeps `block`'s memory.
  Batch step(const RecordBlock& block, std::vector<SideRecord>& dead);

  /// The greatest event time of a good row so far, raised by decisions; kNever before the first.
  [[nodiscard]] std::int64_t progress() const { return progress_; }
  [[nodiscard]] bool reads_headers() const { return decoder_->reads_headers(); }
  void raise(std::int64_t progress) { progress_ = std::max(progress_, progress); }

 private:
  [[nodiscard]] std::string guard(const Column& event_times, std::int64_t row, const RecordView& record) const;
  [[nodiscard]] bool all_pass(const Column& event_times, const std::vector<RecordView>& records) const;
  Batch with_hidden(const RecordBlock& block);
  void bury(const RecordView& record, std::string cause, std::vector<SideRecord>& dead) const;
  void drop_guarded(const RecordBlock& block, std::vector<SideRecord>& dead);

  const Node& node_;
  int input_;
  std::unique_ptr<Decoder> decoder_;
  Decoder::Result decoded_;
  std::int64_t progress_ = kNever;
  Buffer constant_input_, zero_index_;
};

}  // namespace kappa
