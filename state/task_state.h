// kappa/state/task_state.h: the checkpoints of one task in directories; see rocksdb_store.h.
//
// Law: a directory named <sequence>-<id> is complete and durable. Everything unfinished, and everything on its way out,
// ends in .tmp and is removed when the task is opened.
//
// Threads:  one at a time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kappa/state/live_database.h"
#include "kappa/state/manifest.h"
#include "kappa/state/retention.h"
#include "kappa/state/rocksdb_store.h"

namespace kappa::detail {

inline constexpr const char* kLeftoverSuffix = ".tmp";

/// What a store and its tasks share.
struct StoreContext {
  StateStoreOptions options;
  std::vector<HistoryRule> history;
  Path checkpoints;  // absolute
  Path live;         // absolute
  DatabaseResources resources;
  std::shared_ptr<void> lock;  // shared: the last of the store and its tasks releases it

  std::mutex mutex;
  std::set<TaskId> open;  // guarded by mutex
};

class RocksTaskState : public TaskState {
 public:
  RocksTaskState(std::shared_ptr<StoreContext> context, TaskId task);
  RocksTaskState(const RocksTaskState&) = delete;
  RocksTaskState& operator=(const RocksTaskState&) = delete;
  ~RocksTaskState() override;

  std::vector<CheckpointMeta> checkpoints(
      const std::function<void(const std::string&, const std::string&)>& damaged) override;
  std::unique_ptr<RestoredState> restore(const std::string& id) override;
  void clear() override;
  void write(const CheckpointMeta& meta, std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes) override;
  void publish() override;
  void discard() override;
  void drop_checkpoints() override;

 private:
  /// A checkpoint directory whose files new checkpoints may share.
  struct Base {
    Path directory;
    std::map<std::string, FileEntry> files;
  };
  struct Pending {
    Path temporary, published;
    Manifest manifest;
  };

  /// Where checkpoints of the task may lie: first the own ones.
  [[nodiscard]] std::vector<Path> places() const;
  [[nodiscard]] Path find(const std::string& id) const;
  [[nodiscard]] Path next_live_directory();
  [[nodiscard]] bool is_complete(const std::vector<std::pair<std::string, std::unique_ptr<Frozen>>>& nodes) const;
  void bring_files(const Path& checkpoint, const Manifest& manifest, const Path& live);
  [[nodiscard]] std::vector<NodeChanges> sorted_changes(
      std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes);
  void make_files(const Path& target);
  void transfer(const Path& staging, const Path& target);
  [[nodiscard]] std::vector<FileEntry> digest_files(const Path& directory);
  void make_pending(Manifest manifest);
  void apply_retention();
  void remove_checkpoint(const std::string& name);
  void remove_leftovers();

  std::shared_ptr<StoreContext> context_;  // shared: see StoreContext::lock
  const TaskId task_;
  const Path directory_;  // of the task's checkpoints
  const Path live_root_;
  bool links_work_ = true;  // live_root_ and directory_ are on one file system
  std::int64_t live_count_ = 0;
  std::shared_ptr<LiveDatabase> live_;  // shared with readers of what was restored
  bool usable_ = false;                 // the live database holds what was published last, and nothing else
  std::set<std::string> nodes_;         // all that have entries in the live database
  Base base_;
  std::map<std::string, FileDigest> digests_;  // of the live database's SSTs; their names are never used twice
  std::optional<Pending> pending_;
  std::map<std::string, RetentionEntry> known_;  // by directory name; published checkpoints never change
};

}  // namespace kappa::detail
