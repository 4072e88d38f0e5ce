// kappa/engine/recovery.h: where a task begins. One path for every start: first, after a stop, after a crash, for a
// replay.
//
// With committed positions: the newest usable checkpoint at or below them, the log from there, muted up to them.
// Without a usable checkpoint: the log from the horizon before what the task had released. Without positions: the start
// policy.
//
// Errors:   Error{refused} where a start cannot be right: moved positions, state of another graph, records that are
// gone.
#pragma once

#include "kappa/engine/run.h"

namespace kappa {

struct TaskStart {
  std::vector<InputStart> inputs;           // one per StageInput
  std::unique_ptr<RestoredState> restored;  // null: empty operators
  std::int64_t sequence = 0;                // of the last commit
  std::string explanation;                  // "bids-0 from the log's start, offset 0"
};

/// Whether the checkpoint was made by the same stateful nodes as the stage has.
[[nodiscard]] bool fits(const Graph& graph, const Stage& stage, const CheckpointMeta& meta);

class Recovery {
 public:
  Recovery(const Graph& graph, Log& log, const RunOptions& options);
  /// What lies at the offset of the last record read must be that record; refused where it is another one. It may be
  /// gone: retention removes it, compaction too. In front of plan().
  void check_last_records(const Stage& stage, const std::map<TopicPartition, Position>& committed) const;
  /// `state` may be null. `committed` are the positions of the stage's group.
  [[nodiscard]] TaskStart plan(const Stage& stage, std::int32_t partition,
                               const std::map<TopicPartition, Position>& committed, TaskState* state) const;
  /// What the first commit of a stage says, where a stage begins that never ran: all partitions at once. Refused where
  /// it ran before.
  [[nodiscard]] std::vector<Position> first_positions(const Stage& stage) const;
  /// Refuses checkpoints of a task of which the log holds no position.
  void refuse_foreign(const Stage& stage, std::int32_t partition, TaskState& state) const;
  /// Refuses positions that a run of this graph cannot go on from; reads and writes nothing else.
  void check(const Stage& stage, std::int32_t partition, const std::map<TopicPartition, Position>& committed) const;
  /// The first offset that can matter to results at or after `instant_us` (µs), for a source or a repartition topic;
  /// the partition's end if there is none. Records before it have timestamps below instant − max_future (design:
  /// section 10).
  [[nodiscard]] std::int64_t cold_offset(const StageInput& input, const TopicPartition& at,
                                         std::int64_t instant_us) const;

 private:
  [[nodiscard]] TaskStart committed_start(const Stage& stage, std::int32_t partition,
                                          const std::map<TopicPartition, Position>& committed,
                                          std::int64_t& released) const;
  [[nodiscard]] TaskStart first_start(const Stage& stage, std::int32_t partition, TaskState* state) const;
  void refuse_second_start(const Stage& stage, std::int32_t partition) const;
  void check_range(const TopicPartition& at, std::int64_t offset) const;
  void check_record(const Position& position, const RecordMark& last, Reader& reader) const;
  [[noreturn]] void refuse_gap(const Stage& stage, std::int32_t partition) const;
  [[nodiscard]] std::int64_t start_of(const TopicPartition& at) const;
  [[nodiscard]] std::int64_t end_of(const TopicPartition& at) const;
  [[nodiscard]] std::int64_t first_offset(const StageInput& input, const TopicPartition& at) const;
  bool try_checkpoints(TaskStart& start, const Stage& stage, TaskState& state) const;
  void cold_start(TaskStart& start, const Stage& stage, std::int32_t partition, std::int64_t released) const;
  void set_ends(TaskStart& start, const Stage& stage, std::int32_t partition) const;

  const Graph& graph_;
  Log& log_;
  const RunOptions& options_;
};

}  // namespace kappa
