// kappa/engine/state_store.h: the contract between tasks and what keeps their checkpoints (state/ implements it on
// RocksDB).
//
// Working state lives in the operators. A checkpoint takes what changed since the one before (an operator's `Frozen`),
// a background thread writes it, and it is published only after the commit that it belongs to is known to have
// succeeded.
//
// Threads:  a StateStore may be used from any thread; a TaskState by one thread at a time.
// Errors:   kappa::Error; `failed` names the file that is damaged or could not be written.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kappa {

/// Receives the entries of one node. Keys are the node's own; the store puts the node's id in front.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  /// Requires: keys of put() ascend, bytewise. Not inside a range given to erase_range() of the same checkpoint.
  virtual void put(std::string_view key, std::string_view value) = 0;
  /// Removes the entries in [from, to) that earlier checkpoints hold.
  virtual void erase_range(std::string_view from, std::string_view to) = 0;
};

/// Walks the entries of one node in ascending key order.
class StateReader {
 public:
  virtual ~StateReader() = default;
  /// False at the end. The views live until the next call.
  virtual bool next(std::string_view& key, std::string_view& value) = 0;
};

/// A copy of what changed in one node since its last checkpoint; independent of the operator that made it.
class Frozen {
 public:
  virtual ~Frozen() = default;
  /// Whether write() puts all that its node holds, changed or not, so that nothing older is needed.
  [[nodiscard]] virtual bool is_complete() const { return false; }
  /// Called once, on a checkpoint thread. Also erases what has gone since the last checkpoint, complete or not.
  virtual void write(StateWriter& writer) = 0;
};

/// One stage × one partition.
struct TaskId {
  std::string stage;
  std::int32_t partition = 0;
  auto operator<=>(const TaskId&) const = default;
};
[[nodiscard]] inline std::string to_string(const TaskId& task) {
  return task.stage + "-" + std::to_string(task.partition);
}

/// Where one input of a task stood.
struct InputMark {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;    // the next one to read
  std::int64_t progress = 0;  // µs; the greatest event time read (raised by decisions), kNever for none
  std::int64_t decision = 0;  // number of the last decision applied, 0 for none
  bool operator==(const InputMark&) const = default;
};

struct CheckpointMeta {
  std::string id;               // 32 hex digits, random
  std::int64_t sequence = 0;    // counts a task's checkpoints, from 1
  std::int64_t created_ms = 0;  // wall clock; for retention and for people only
  std::vector<InputMark> inputs;
  std::int64_t released = 0;  // µs; the progress up to which rows left the merge (or were read, where there is none)
  /// Per upstream task of a repartition ("topic/task"): the order key last seen, as bytes, and its progress.
  std::map<std::string, std::string> last_order_keys;
  std::map<std::string, std::int64_t> upstream_progress;
  std::string order_key;                            // the greatest order key that this task has published, as bytes
  std::map<std::string, std::string> fingerprints;  // node name → fingerprint (hex)
  std::string savepoint;                            // its name, empty for an automatic checkpoint
};

/// What was read back from a checkpoint.
class RestoredState {
 public:
  virtual ~RestoredState() = default;
  [[nodiscard]] virtual const CheckpointMeta& meta() const = 0;
  [[nodiscard]] virtual std::unique_ptr<StateReader> node(const std::string& name) = 0;
};

/// The checkpoints of one task. At most one PendingCheckpoint exists at a time.
class TaskState {
 public:
  virtual ~TaskState() = default;
  /// Newest first; only those whose manifest can be read. What cannot be read is told to `damaged` (file, reason).
  [[nodiscard]] virtual std::vector<CheckpointMeta> checkpoints(
      const std::function<void(const std::string&, const std::string&)>& damaged) = 0;
  /// Verifies sizes and checksums of every file, then makes the live database a copy (hard links) of the checkpoint.
  /// Throws Error{failed} naming the file if it is damaged; the caller tries an older one.
  [[nodiscard]] virtual std::unique_ptr<RestoredState> restore(const std::string& id) = 0;
  /// Starts with an empty live database.
  virtual void clear() = 0;
  /// Writes a checkpoint next to the published ones, not yet visible. Blocks; call it on a checkpoint thread.
  virtual void write(const CheckpointMeta& meta,
                     std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes) = 0;
  /// Makes the one written last visible (atomic rename), then applies retention.
  virtual void publish() = 0;
  /// Forgets the one written last (its commit did not succeed). The live database holds its entries: restore() or
  /// clear() next.
  virtual void discard() = 0;
  /// Removes all published checkpoints that are not savepoints.
  virtual void drop_checkpoints() = 0;
};

class StateStore {
 public:
  virtual ~StateStore() = default;
  [[nodiscard]] virtual std::unique_ptr<TaskState> open(const TaskId& task) = 0;
  [[nodiscard]] virtual std::vector<TaskId> tasks() = 0;
};

}  // namespace kappa
