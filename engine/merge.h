// kappa/engine/merge.h: the one merge of a task: rows of several inputs in the order (progress, input, position).
//
// A row is released when no other input can still deliver a smaller one. With L = the least (progress reached, input)
// over all inputs, the releasable rows are those with (progress, input) <= L: rows of the input that holds L are not
// behind anything it may still deliver, and every other input has passed them. So the order is a pure function of the
// logs (L3), whatever the order of reading.
//
// Rows travel on `ports`: the nodes in front of the merge whose rows a node behind it takes.
//
// Threads:  belongs to one task.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "kappa/engine/batch.h"

namespace kappa {

class Merge {
 public:
  explicit Merge(int inputs)
      : reached_(static_cast<std::size_t>(inputs), kNever), held_(static_cast<std::size_t>(inputs)) {}

  /// Rows of `input` in its order; their progress is at least what the input had reached.
  void add(int input, int port, Batch batch);
  /// The input will deliver nothing below `progress` any more. Falling values are ignored.
  void reach(int input, std::int64_t progress);
  [[nodiscard]] std::int64_t reached(int input) const { return reached_[static_cast<std::size_t>(input)]; }
  /// The least progress that all inputs have reached: what the nodes behind the merge advance to after release().
  [[nodiscard]] std::int64_t released() const;
  /// Takes out the rows that can go on, per port, in merged order. Ports without any are absent.
  std::map<int, Batch> release();
  [[nodiscard]] std::int64_t held_rows() const { return held_rows_; }
  /// Rows held on each input and port, oldest first, for checkpoints.
  struct Held {
    int port = 0;
    Batch batch;
  };
  [[nodiscard]] const std::deque<Held>& held(int input) const { return held_[static_cast<std::size_t>(input)]; }

 private:
  void release_input(int input, std::int64_t least, bool rows_at_least, std::map<int, std::vector<Batch>>& parts);

  std::vector<std::int64_t> reached_;
  std::vector<std::deque<Held>> held_;
  std::int64_t held_rows_ = 0;
};

}  // namespace kappa
