// kappa/operators/tumble.h: the tumbling window aggregate.
//
// A window is [start, end), aligned to the epoch, and due at its end: it closes when the watermark (progress −
// out-of-orderness) reaches that. A row is late iff its window's end is at or below the watermark of the row itself,
// so nothing about lateness has to be remembered. Results come in the order (end, key); each has the event time
// end − 1 ms and travels with the progress of the instant before its due (end − 1 µs + out-of-orderness).
//
// Threads:  belongs to one task.
// Owns:     its open windows; what freeze() returns is independent of the operator.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "kappa/engine/operator.h"
#include "kappa/operators/group_order.h"
#include "kappa/operators/nodes.h"
#include "kappa/operators/window_table.h"

namespace kappa {

/// What a tumbling aggregate does; shared by its operators and by what they freeze.
struct TumblePlan {
  TumblePlan(Schema input_schema, Schema output_schema, std::int64_t size, std::vector<int> keys,
             const std::vector<AggregateCall>& calls);

  Schema input, output;
  std::int64_t size_us;
  std::vector<int> key_columns;
  std::vector<Type> key_types;
  GroupLayout layout;
};

class Tumble final : public Operator {
 public:
  Tumble(std::shared_ptr<const TumblePlan> plan, OperatorContext context);

  void process(Batch batch, Output& out) override;
  void advance(std::int64_t progress, Output& out) override;
  [[nodiscard]] std::unique_ptr<Frozen> freeze() override;
  void restore(StateReader& entries) override;
  [[nodiscard]] OpenWindows open_windows() const override;
  [[nodiscard]] std::int64_t state_bytes() const override;

 private:
  struct Window {
    std::unique_ptr<WindowTable> table;
    bool in_checkpoint = false;  // an earlier checkpoint may hold entries of it
  };
  /// Rows of one span that belong to one window.
  struct Part {
    std::int64_t end = 0;
    std::vector<std::int32_t> rows;
  };

  [[nodiscard]] bool find_common_end(const Batch& batch);
  void find_ends(const Batch& batch, Output& out);
  void fold(const Batch& batch, std::int64_t begin, std::int64_t end);
  Part& part_of(std::int64_t end);
  void fold_window(const Batch& batch, std::int64_t end, std::span<const std::int32_t> rows);
  void resolve(const Batch& batch, std::span<const std::int32_t> rows, WindowTable& table);
  void update_one(const Batch& batch, std::span<const std::int32_t> rows, WindowTable& table, std::size_t call);
  void add_distinct(const Column& column, std::span<const std::int32_t> rows, WindowTable& table, std::size_t call);
  void fire(std::int64_t watermark, Output& out);
  void close(std::int64_t end, const WindowTable& table, Output& out);
  void emit(std::int64_t end, std::span<const OrderedGroup> groups, std::int64_t first, Output& out);
  [[nodiscard]] Batch result_frame(std::int64_t end, std::int64_t rows, std::int64_t first) const;
  void append_keys(std::span<const OrderedGroup> groups, std::vector<Column>& columns) const;
  Window& window(std::int64_t end);
  [[nodiscard]] bool is_mostly_dirty() const;

  std::shared_ptr<const TumblePlan> plan_;
  OperatorContext context_;
  SlabPool pool_;
  std::map<std::int64_t, Window> windows_;  // by end
  bool erase_ = false;                      // a window that a checkpoint may hold has closed since the last freeze
  std::int64_t erase_end_ = 0;              // the greatest end of such

  // Of the batch in work; kept to reuse their memory.
  std::vector<std::int64_t> ends_;      // per row; kForever: late
  bool one_window_ = false;             // all rows, none of them late
  std::vector<std::int32_t> all_rows_;  // 0, 1, 2, …
  std::vector<Part> parts_;
  std::size_t parts_used_ = 0;
  std::vector<GroupRow> groups_, chosen_groups_;
  std::vector<std::int32_t> chosen_rows_;
  std::string key_bytes_;
  std::vector<std::size_t> key_ends_;
  std::vector<std::string_view> keys_;
};

}  // namespace kappa
