// kappa/state/live_database.h: one RocksDB database of one task. Entries arrive as sorted SST files, one per
// checkpoint; nothing is ever written to a memtable or a WAL.
//
// Threads:  one at a time; compaction runs on RocksDB's own threads.
// Owns:     its directory, which it removes in its destructor unless it was opened for reading only.
// Errors:   Error{failed} with RocksDB's reason and the directory; after one, the database is to be thrown away.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kappa/engine/state_store.h"
#include "kappa/state/database_statistics.h"
#include "kappa/state/files.h"

namespace rocksdb {
class Cache;
class DB;
struct Options;
}  // namespace rocksdb

namespace kappa::detail {

/// What all databases of a store share: a bounded block cache, and what counts.
class DatabaseResources {
 public:
  DatabaseResources();
  [[nodiscard]] rocksdb::Options options() const;
  DatabaseStatistics* statistics = nullptr;  // null: nothing is counted

 private:
  std::shared_ptr<rocksdb::Cache> cache_;
};

struct NodeChanges {
  std::uint64_t id = 0;
  std::string name;
  std::unique_ptr<Frozen> frozen;
};

class LiveDatabase : public std::enable_shared_from_this<LiveDatabase> {
 public:
  enum class Mode : std::uint8_t { create, restored, read_only };
  /// `source` names the database in errors: the checkpoint that it was made from.
  LiveDatabase(Path directory, Mode mode, const DatabaseResources& resources, std::string source);
  LiveDatabase(const LiveDatabase&) = delete;
  LiveDatabase& operator=(const LiveDatabase&) = delete;
  ~LiveDatabase();

  /// Writes the changes to one SST and ingests it; into an empty database without what they erase. Requires: ascending
  /// by id.
  void ingest(const std::vector<NodeChanges>& nodes);
  /// Whether an empty database in its place saves a compaction, or disk space and a part of a restore, to speak of.
  [[nodiscard]] bool is_worth_replacing() const;
  /// Makes `target`, which must not exist: SSTs as hard links where possible, the rest as copies.
  void checkpoint(const Path& target);
  /// The entries of a node as of now. The reader keeps this database open.
  [[nodiscard]] std::unique_ptr<StateReader> read(std::uint64_t node);
  [[nodiscard]] const Path& directory() const { return directory_; }

 private:
  Path directory_;
  Mode mode_;
  std::string source_;
  DatabaseStatistics* statistics_;
  std::unique_ptr<rocksdb::Options> options_;
  std::unique_ptr<rocksdb::DB> db_;
};

/// The database's content under the names of its nodes. Keeps the database open, as its readers do.
[[nodiscard]] std::unique_ptr<RestoredState> restored_state(CheckpointMeta meta,
                                                            std::shared_ptr<LiveDatabase> database);

}  // namespace kappa::detail
