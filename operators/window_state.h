// kappa/operators/window_state.h: a tumbling aggregate's windows in a checkpoint.
//
// Entries (docs/FORMAT.md, "Window state"), keys ascending:
//   key    window end (8 bytes, as state keys write a bigint, without a tag) | state key of the group | kind
//          kind 00: the group;  01: one value of a count(DISTINCT …): call (2 bytes, big-endian) | the value's state
//          key
//   value  of a group: version 01, then per aggregate, little-endian:
//            count, count(DISTINCT …)  8 bytes
//            all others                00: no value so far; else 01 and
//              sum      bigint 16 bytes; numeric 24; double 8
//              avg      as sum, then the count, 8
//              min, max bigint, timestamptz, boolean 8; double 8: its state key as an integer with the sign bit
//              flipped;
//                       numeric 16; interval months 4, days 4, µs 8; text, bytea size 4 and the bytes
//          of a distinct value: empty
//
// Threads:  FrozenWindows is made on the task's thread and written on another; nothing is shared between them.
// Errors:   restoring a damaged entry throws Error{failed}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/state_store.h"
#include "kappa/operators/tumble.h"
#include "kappa/operators/window_table.h"

namespace kappa {

class FrozenWindows final : public Frozen {
 public:
  /// `complete`: all groups of the windows added, not the dirty ones only.
  FrozenWindows(std::shared_ptr<const TumblePlan> plan, bool complete) : plan_(std::move(plan)), complete_(complete) {}

  /// All windows with an end up to and including this one are closed.
  void erase_through(std::int64_t end) {
    erase_ = true;
    erase_end_ = end;
  }
  /// Copies the dirty groups of a window, or all of them, and marks them clean. Requires: ends ascend.
  void add(std::int64_t end, WindowTable& table);
  [[nodiscard]] bool is_complete() const override { return complete_; }
  void write(StateWriter& writer) override;

 private:
  struct Member {
    std::uint32_t group = 0, call = 0;
    std::string value;
  };
  struct Window {
    std::int64_t end = 0;
    std::size_t groups = 0;
    HugeBytes rows;  // of the groups; their addresses point into `arena`
    ByteArena arena;
    std::vector<Member> members;
  };
  void write_window(StateWriter& writer, Window& window) const;
  void write_group(StateWriter& writer, std::string& key, std::string& value, const std::uint8_t* row) const;

  std::shared_ptr<const TumblePlan> plan_;
  bool complete_;
  bool erase_ = false;
  std::int64_t erase_end_ = 0;
  std::vector<Window> windows_;
};

/// Takes the entries of one node in ascending order.
class WindowRestorer {
 public:
  explicit WindowRestorer(const TumblePlan& plan) : plan_(plan) {}
  /// `key`: what follows the window end.
  void add(WindowTable& table, std::string_view key, std::string_view value);

 private:
  const TumblePlan& plan_;
};

}  // namespace kappa
