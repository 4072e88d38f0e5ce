// kappa/state/rocksdb_store.h: checkpoints of tasks on RocksDB.
//
// <directory>/lock                                   held while the store is open; names the process
// <directory>/live/<task>/                           scratch, rebuilt from a checkpoint at every start
// <directory>/checkpoints/<task>/<sequence>-<id>/    published checkpoints (elsewhere with checkpoint_directory)
//
// Threads:  see engine/state_store.h.
// Owns:     the directory; a second process is refused. TaskStates may outlive the store and keep the lock.
// Errors:   Error{refused} for a directory in use, a link, or one that others may write to; Error{usage} for a setting;
//           Error{failed} for I/O and damage, with the file. After write() threw, go on with restore() or clear().
// Example:  auto store = kappa::open_state_store({.directory = "kappa-data/state/hot-bidders"});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/state_store.h"
#include "kappa/state/database_statistics.h"

namespace kappa {

struct StateStoreOptions {
  /// <state.directory>/<application>, or …/<application>.<run>.
  std::filesystem::path directory = {};
  /// How many automatic checkpoints of a task stay in any case.
  int checkpoints_retained = 3;
  /// Beyond those: one an hour for a day, one a day for a week. "none" for no history.
  std::string history = "1h:24, 1d:7";
  /// Where checkpoints go instead of <directory>/checkpoints. May be on another file system: then files are copied,
  /// each SST once.
  std::filesystem::path checkpoint_directory = {};
  /// Checkpoint directories of other runs of the same graph: listed behind ours, can be restored, are never changed.
  std::vector<std::filesystem::path> borrowed_directories = {};
  /// More of them, asked each time: other instances come and go.
  std::function<std::vector<std::filesystem::path>()> find_borrowed = {};
  /// Wall clock in ms, asked where CheckpointMeta::created_ms is 0.
  std::function<std::int64_t()> wall_ms = {};
  /// Counts what the databases are asked to do; outlives the store and its tasks. Null: nothing is counted.
  DatabaseStatistics* statistics = nullptr;
};

/// Takes the lock; removes what a killed process left behind when a task is opened.
[[nodiscard]] std::unique_ptr<StateStore> open_state_store(StateStoreOptions options);

}  // namespace kappa
