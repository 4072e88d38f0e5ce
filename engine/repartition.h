// kappa/engine/repartition.h: the records between two stages (docs/FORMAT.md, "Repartition record").
//
// A record carries its upstream task, progress, order key, event time and row; its Kafka timestamp is its progress.
// Markers carry progress alone. A reader keeps the last order key per upstream task and skips what it has seen, so
// writing again does no harm.
//
// Threads:  belong to one task each.
// Errors:   a record that is not ours, or is damaged, throws Error{failed} naming topic-partition-offset.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kappa/engine/graph.h"
#include "kappa/engine/row_codec.h"

namespace kappa {

class RepartitionWriter {
 public:
  RepartitionWriter(const Node& node, std::string topic, std::int32_t partitions, std::int32_t task);

  /// Appends the batch's rows to `producer` unless `muted`.
  void write(const Batch& batch, Producer& producer, bool muted);
  /// Nothing below `progress` will be written any more.
  void reach(std::int64_t progress) { progress_ = std::max(progress_, progress); }
  /// Writes a marker to each partition whose readers do not know the progress yet; returns how many.
  int write_markers(Producer& producer, bool muted);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const std::string& topic() const { return topic_; }

 private:
  void append_head(std::string& out, bool marker, std::int64_t progress) const;

  const Node& node_;
  std::string topic_;
  std::int32_t task_;
  std::int64_t progress_ = kNever;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> told_;  // per partition, the progress that its readers know
};

class RepartitionReader {
 public:
  /// `first_input` is the task input of upstream task 0.
  RepartitionReader(const Node& node, std::string topic, int first_input, int upstream_tasks);

  struct Piece {
    int input = 0;
    Batch batch;  // may be empty: only the progress rose
  };
  /// The rows per upstream task, in their order.
  std::vector<Piece> read(const RecordBlock& block, std::int32_t partition);
  [[nodiscard]] std::int64_t progress(int upstream) const {
    return upstreams_[static_cast<std::size_t>(upstream)].progress;
  }
  [[nodiscard]] const std::string& last_order_key(int upstream) const {
    return upstreams_[static_cast<std::size_t>(upstream)].last_key;
  }
  void restore(int upstream, std::int64_t progress, std::string last_order_key);
  [[nodiscard]] std::int64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t markers() const { return markers_; }

 private:
  struct Upstream {
    std::int64_t progress = kNever;
    std::string last_key;
    std::vector<std::int64_t> row_progress, row_event_time;
    ColumnBuilder keys{Type::bytea()};
  };
  void take(const RecordView& record, std::vector<RowReader>& rows);
  Batch finish(Upstream& upstream, int input, RowReader& rows);

  const Node& node_;
  std::string topic_;
  int first_input_;
  std::vector<Upstream> upstreams_;
  std::int64_t rows_ = 0, duplicates_ = 0, markers_ = 0;
};

}  // namespace kappa
