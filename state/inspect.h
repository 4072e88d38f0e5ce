// kappa/state/inspect.h: looks at checkpoints without owning them, for `kappa checkpoints` and `kappa state`. Takes no
// lock and changes nothing: published checkpoints never change; one that retention removes meanwhile is left out.
//
// Threads:  any.
// Errors:   damage is part of a report; Error{failed} from read_checkpoint() and its readers names the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/state_store.h"
#include "kappa/state/rocksdb_store.h"

namespace kappa {

struct CheckpointReport {
  TaskId task;
  std::filesystem::path directory;
  CheckpointMeta meta;             // as far as the manifest could be read
  std::vector<std::string> nodes;  // that have entries, or had
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t bytes_added = 0;     // in files that the next older checkpoint of the task does not have
  std::vector<std::string> damage;  // a sentence per file; empty: sound, as far as was looked
};

enum class Verify : std::uint8_t {
  manifest,  // reads the manifests only
  files,     // reads every byte of every file
};

/// Where a store with these options keeps its checkpoints.
[[nodiscard]] std::filesystem::path checkpoints_directory(const StateStoreOptions& options);

/// All checkpoints in such a directory: by task, newest first. A directory that does not exist has none.
[[nodiscard]] std::vector<CheckpointReport> inspect_checkpoints(const std::filesystem::path& checkpoints,
                                                                Verify verify);

/// Opens a checkpoint where it lies, for reading only. Checks its manifest and the size of every file first; blocks are
/// checked as they are read.
[[nodiscard]] std::unique_ptr<RestoredState> read_checkpoint(const std::filesystem::path& checkpoint);

}  // namespace kappa
