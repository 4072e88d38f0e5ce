// tests/oracle/time.h: progress, merge and windows as docs/FORMAT.md says them, one row at a time, with maps and sorts.
//
// An independent recomputation: shares no code with kappa, so that a mistake there is not repeated here.
//
// Threads:  values; share nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace oracle {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 4;
inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max() / 4;

/// Null, bigint, double or text.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;
[[nodiscard]] inline bool is_null(const Value& value) { return value.index() == 0; }
/// The order of results at a close: nulls last, else by value (text by its bytes).
[[nodiscard]] inline bool comes_before(const Value& a, const Value& b) {
  if (is_null(a) || is_null(b)) return !is_null(a) && is_null(b);
  return a < b;
}

struct Row {
  std::int64_t progress = kNever;    // µs
  std::int64_t event_time = kNever;  // µs
  Value key;
  std::vector<Value> values;  // by column
  int input = 0;              // of the task that takes it
  std::size_t record = 0;     // where it comes from: index into the source records
};

/// Releases rows of several inputs in the order (progress, input, position), whatever the order in which they arrive.
class Merge {
 public:
  explicit Merge(std::size_t inputs) : rows_(inputs), reached_(inputs, kNever) {}
  /// Both return what can go on now.
  std::vector<Row> add(std::size_t input, Row row);
  std::vector<Row> raise_progress(std::size_t input, std::int64_t progress);
  [[nodiscard]] std::vector<Row> held() const;
  [[nodiscard]] std::int64_t least() const;

 private:
  [[nodiscard]] bool may_go(std::int64_t progress, std::size_t input) const;
  std::vector<Row> release();

  std::vector<std::deque<Row>> rows_;
  std::vector<std::int64_t> reached_;
};

struct WindowSpec {
  std::int64_t size_us = 0;  // of a session: its gap
  bool is_session = false;
  std::int64_t out_of_orderness_us = 0;
};

/// A window that closed.
struct Closed {
  std::int64_t progress = 0, event_time = 0, start = 0, end = 0;
  Value key;
  std::vector<Row> rows;  // in the order in which they came
};

class Windows {
 public:
  explicit Windows(const WindowSpec& spec) : spec_(spec) {}
  std::vector<Closed> advance(std::int64_t watermark);
  /// First what the row's watermark closes, then the row.
  std::vector<Closed> row(const Row& row);
  [[nodiscard]] const std::vector<Row>& late() const { return late_; }
  [[nodiscard]] std::size_t open() const { return open_.size(); }
  /// Rows that lie in open windows or were in closed ones.
  [[nodiscard]] const std::vector<Row>& folded() const { return folded_; }

 private:
  struct Id {
    Value key;
    std::int64_t start = 0;
    bool operator<(const Id& other) const {
      if (key != other.key) return comes_before(key, other.key);
      return start < other.start;
    }
  };
  struct Open {
    std::int64_t end = 0;
    std::vector<Row> rows;
  };
  [[nodiscard]] std::int64_t due(std::int64_t end) const { return spec_.is_session ? end + 1 : end; }
  [[nodiscard]] std::vector<Id> join(const Row& row, std::int64_t& start, std::int64_t& end) const;
  void fold(const Row& row);

  WindowSpec spec_;
  std::map<Id, Open> open_;
  std::int64_t advanced_to_ = kNever;
  std::vector<Row> late_, folded_;
};

}  // namespace oracle
