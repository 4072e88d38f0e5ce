// kappa/engine/task.h: one stage × one partition at work: the one run loop's body (law L1).
//
// step() reads one block of one input, runs the nodes in front of the merge, releases what the merge lets go and runs
// the nodes behind it. Live, recovery and replay differ in where the inputs start, up to where the task is muted, and
// where they end.
//
// Threads:  belongs to one worker.
// Errors:   throws kappa::Error; nothing since the last commit is published then.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/commit_metadata.h"
#include "kappa/engine/decisions.h"
#include "kappa/engine/merge.h"
#include "kappa/engine/repartition.h"
#include "kappa/engine/run_report.h"
#include "kappa/engine/source_step.h"
#include "kappa/engine/task_output.h"
#include "kappa/engine/topology.h"

namespace kappa {

/// What all tasks of a run share. Borrowed; outlives them.
struct TaskContext {
  const Graph& graph;
  const Topology& topology;
  Log& log;
  std::string run;                   // empty: live
  std::string decisions_topic;       // where this run's own decisions go
  std::string live_decisions_topic;  // read too by a run other than live; empty for live
  std::int64_t batch_rows = kBatchRows;
  OutputPolicy policy;
  OutputNames names;
};

/// Where one input of a task begins, unmutes and ends.
struct InputStart {
  std::int64_t offset = 0;
  std::int64_t first = 0;                 // the first offset that the application ever read
  std::int64_t mute_until = 0;            // offset; below it nothing is published
  std::int64_t end = kForever;            // offset; kForever: tail
  std::int64_t progress = kNever;         // from a checkpoint
  std::int64_t decision = 0;              // number of the last one applied
  std::int64_t decisions_min = 0;         // number of the last one committed: it must be there to be read
  std::int64_t decisions_max = kForever;  // live's later decisions are not applied (frozen ends)
  std::int64_t stop_progress = kForever;  // µs; the input ends where its progress has reached this (replay --to)
  std::optional<RecordMark> last{};       // the last record read by the run before
};

class Task {
 public:
  Task(const TaskContext& context, int stage, std::int32_t partition, Producer& producer);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] TaskId id() const { return {stage_.name, partition_}; }
  [[nodiscard]] const Stage& stage() const { return stage_; }
  [[nodiscard]] std::int32_t partition() const { return partition_; }

  /// Loads operators, merge and repartition readers; call before start().
  void restore(RestoredState& state);
  /// One InputStart per StageInput.
  void start(std::vector<InputStart> starts);
  /// Processes up to batch_rows records; false if nothing could be read now.
  bool step();
  [[nodiscard]] bool muted() const { return output_.muted(); }
  /// All inputs have reached their ends.
  [[nodiscard]] bool at_ends() const;
  void set_end(int stage_input, std::int64_t offset);

  /// Raises the progress of a source input where it stands, as a recorded decision that takes effect at once.
  void decide(int stage_input, std::int64_t progress, const std::string& cause, std::int64_t wall_ms);
  [[nodiscard]] std::int64_t progress(int stage_input) const;
  [[nodiscard]] std::int64_t position(int stage_input) const;
  /// The progress of the input that was read last; none where there was nothing to read.
  [[nodiscard]] std::optional<std::int64_t> read_progress() const { return read_progress_; }
  /// An open transaction has written behind the position.
  [[nodiscard]] bool is_in_front_of_open(int stage_input) const;
  /// The progress that the nodes behind the merge (or all nodes) have seen.
  [[nodiscard]] std::int64_t released() const;

  /// Tells the readers of repartitions how far this task is; returns the number of markers written.
  int write_markers();
  /// Positions of all inputs, for the commit numbered `sequence`.
  [[nodiscard]] std::vector<Position> positions(std::int64_t sequence) const;
  /// What changed since the last freeze, and where the task stands.
  [[nodiscard]] CheckpointMeta checkpoint_meta() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> freeze();

  [[nodiscard]] OpenWindows open_windows() const;
  [[nodiscard]] std::int64_t held_rows() const { return merge_ ? merge_->held_rows() : 0; }
  [[nodiscard]] std::int64_t state_bytes() const;
  [[nodiscard]] std::int64_t records_read() const;
  [[nodiscard]] const TaskOutput& output() const { return output_; }
  [[nodiscard]] TaskReport report() const;
  /// The timestamp (ms) of the oldest record that led to an output since the last call; none if there was no output.
  [[nodiscard]] std::optional<std::int64_t> take_oldest_cause();
  /// Empty if every record is accounted for, else what does not add up (law L4).
  [[nodiscard]] std::string imbalance() const;
  /// Throws Error{failed} unless it is empty.
  void check_balance() const;

 private:
  struct Input;

  void make_nodes();
  void reach_writers();
  void process(Input& input);
  void process_source(Input& input);
  void process_repartition(Input& input);
  /// Runs the nodes in front of the merge on what `outputs_` holds for the input's node, then hands over to the merge.
  void run_front(Input& input, int task_input, std::int64_t progress);
  void release();
  void run_nodes(const std::vector<int>& nodes, std::int64_t progress);
  void run_node(int n, std::int64_t progress);
  std::vector<Batch> take_inputs(const Node& node);
  void run_operator(int n, std::vector<Batch> batches, std::int64_t progress);
  void encode(int n, std::vector<Batch> batches);
  void publish();
  void read_decisions_of(Input& input, const std::string& topic, std::int64_t number_max);
  void await_decisions(const Input& input) const;
  void apply_decisions(Input& input);
  void raise(Input& input, const Decision& decision);
  void unmute_if_caught_up();
  [[nodiscard]] bool has_merge() const { return merge_ != nullptr; }
  [[nodiscard]] std::string topic_of(std::int32_t task_input) const;
  [[nodiscard]] std::int64_t limit(const Input& input) const;
  std::vector<Input*> reading_order();
  void note_cause();
  [[nodiscard]] std::string slowest_source() const;
  [[nodiscard]] std::int64_t produced(int node) const;
  [[nodiscard]] std::int64_t held_on(int port) const;

  const TaskContext& context_;
  const Stage& stage_;
  std::int32_t partition_;
  TaskOutput output_;
  std::unique_ptr<Merge> merge_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<Operator>> operators_;  // by graph node; null where the engine itself runs it
  std::vector<std::unique_ptr<RepartitionWriter>> writers_;
  std::vector<std::unique_ptr<Encoder>> encoders_;
  std::vector<NodeCounters> counters_;
  std::vector<std::vector<Batch>> outputs_;                         // of the current round
  std::map<std::string, std::vector<TaskOutput::SinkRows>> sinks_;  // of the current round, by topic
  std::map<int, std::int64_t> restored_held_,
      passed_;  // by boundary node: rows that came from a checkpoint, rows released
  RecordBlock block_;
  std::optional<std::int64_t> read_progress_;
  std::int64_t generation_ = 0;  // of what the merge holds, in checkpoints
  std::optional<std::int64_t> oldest_cause_;
};

}  // namespace kappa
