// kappa/engine/task_output.h: what a task publishes: results, late records, dead letters; muted, limited to a range, or
// redirected.
//
// Threads:  belongs to one task; the producer is that of its worker.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kappa/engine/graph.h"
#include "kappa/engine/run_report.h"

namespace kappa {

enum class ErrorsPolicy : std::uint8_t { dead_letter, fail, skip };

/// Where results go. Live: everything, to the sinks' own topics.
struct OutputPolicy {
  bool publish = true;            // false: nothing is written (replay --output none)
  std::string suffix;             // "<sink>.<suffix>" for versioned topics; empty: the topic itself
  std::int64_t from_us = kNever;  // only results whose event time lies in [from, to)
  std::int64_t to_us = kForever;
  std::string run;      // header kappa-run; empty: no header
  bool digest = false;  // keep a running hash per sink partition
};

struct OutputNames {
  std::string application;
  std::string late_topic, dead_letter_topic;  // without suffix; empty: not written
  ErrorsPolicy errors = ErrorsPolicy::dead_letter;
  std::map<std::string, std::int32_t> sink_partitions;  // of sink topics, without suffix
};

class TaskOutput {
 public:
  TaskOutput(Producer& producer, const OutputPolicy& policy, const OutputNames& names, std::int32_t partition);

  void mute(bool on) { muted_ = on; }
  [[nodiscard]] bool muted() const { return muted_; }
  [[nodiscard]] Producer& producer() { return producer_; }

  struct SinkRows {
    const Node* sink = nullptr;
    Batch batch;
    EncodedRows rows;
  };
  /// Rows of all sinks on one topic in one round, each in order; they are merged by their rows' order.
  void publish(std::span<const SinkRows> sinks);
  /// `topic_of` names the source topic of a task input; "" for dues.
  void late(const std::string& node, const SideRecord& record, const std::string& source_topic);
  /// Throws Error{failed} under errors.policy = fail.
  void dead(const std::string& node, const SideRecord& record, const std::string& source_topic);

  [[nodiscard]] const std::map<std::string, SinkTotals>& totals() const { return totals_; }
  [[nodiscard]] std::int64_t skipped() const { return skipped_; }
  /// Whether results were written since the last call.
  [[nodiscard]] bool take_wrote() { return std::exchange(wrote_, false); }

 private:
  [[nodiscard]] bool in_range(std::int64_t us) const { return us >= policy_.from_us && us < policy_.to_us; }
  void write_side(const std::string& topic, const std::string& node, const SideRecord& record,
                  const std::string& source_topic);
  void add(const SinkRows& sink, const EncodedRows::Entry& entry, SinkTotals& totals);
  void flush(const std::string& topic, std::int32_t partition);
  [[nodiscard]] std::int32_t partition_of_row(const Node& sink, const Batch& batch, std::int32_t row) const;
  [[nodiscard]] std::string target(const std::string& topic) const {
    return policy_.suffix.empty() ? topic : topic + "." + policy_.suffix;
  }

  Producer& producer_;
  const OutputPolicy& policy_;
  const OutputNames& names_;
  std::int32_t partition_;
  bool muted_ = false, wrote_ = false;
  std::int64_t skipped_ = 0;
  std::map<std::string, SinkTotals> totals_;
  std::vector<OutRecord> pending_;
  std::vector<Header> run_headers_;
};

}  // namespace kappa
