#include "kappa/state/live_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <optional>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/state/keys.h"

namespace kappa::detail {
namespace {

constexpr std::size_t kCacheBytes = std::size_t{1} << 20;  // what is read is read once, at a start
// The memtable stays empty: entries are ingested. This only keeps its arena small.
constexpr std::size_t kMemtableBytes = std::size_t{64} << 10;
constexpr std::size_t kDatabaseManifestBytesMax = std::size_t{1} << 20;
constexpr int kSortedRunsMax = 6;
// A new database costs about as much as a checkpoint of so many bytes.
constexpr std::uint64_t kReplacedFromBytes = std::uint64_t{4} << 20;
constexpr int kOpenFilesMax = 64;

/// RocksDB's own log would be one more file per database that nobody reads.
class SilentLogger : public rocksdb::Logger {
 public:
  SilentLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

void check(const rocksdb::Status& status, const std::string& what) {
  if (!status.ok()) fail(what + ": " + status.ToString());
}

rocksdb::ColumnFamilyMetaData contents(rocksdb::DB& db) {
  rocksdb::ColumnFamilyMetaData all;
  db.GetColumnFamilyMetaData(&all);
  return all;
}

class SstWriter : public StateWriter {
 public:
  /// `erases`: the database may hold something to erase.
  SstWriter(rocksdb::SstFileWriter& file, const NodeChanges& node, bool erases)
      : file_(file), node_(node.name), erases_(erases), prefix_(node_prefix(node.id)), key_(prefix_), end_(prefix_) {}

  void put(std::string_view key, std::string_view value) override {
    key_.replace(prefix_.size(), std::string::npos, key);
    const rocksdb::Status status = file_.Put(key_, {value.data(), value.size()});
    KAPPA_CHECK(!status.IsInvalidArgument(), "keys that a node puts ascend");
    if (!status.ok()) [[unlikely]]
      check(status, "cannot write the state of " + node_);
    ++entries_;
  }
  void erase_range(std::string_view from, std::string_view to) override {
    KAPPA_CHECK(from <= to, "a range ends behind its start");
    if (from == to || !erases_) return;
    key_.replace(prefix_.size(), std::string::npos, from);
    end_.replace(prefix_.size(), std::string::npos, to);
    check(file_.DeleteRange(key_, end_), "cannot write the state of " + node_);
    ++entries_;
  }
  [[nodiscard]] std::int64_t entries() const { return entries_; }

 private:
  rocksdb::SstFileWriter& file_;
  const std::string& node_;
  const bool erases_;
  const std::string prefix_;
  std::string key_, end_;
  std::int64_t entries_ = 0;
};

class NodeReader : public StateReader {
 public:
  NodeReader(std::shared_ptr<LiveDatabase> owner, rocksdb::DB& db, std::uint64_t node, std::string source)
      : owner_(std::move(owner)), source_(std::move(source)), lower_(node_prefix(node)), upper_(node_prefix(node + 1)) {
    rocksdb::ReadOptions options(/*cksum=*/true, /*cache=*/false);
    options.total_order_seek = true;
    options.readahead_size = std::size_t{1} << 20;
    lower_slice_ = lower_;
    upper_slice_ = upper_;
    options.iterate_lower_bound = &lower_slice_;
    if (node != ~std::uint64_t{0}) options.iterate_upper_bound = &upper_slice_;
    iterator_.reset(db.NewIterator(options));
    iterator_->Seek(lower_slice_);
  }

  bool next(std::string_view& key, std::string_view& value) override {
    if (!iterator_) return false;
    if (started_) iterator_->Next();
    started_ = true;
    if (!iterator_->Valid()) {
      check(iterator_->status(), "cannot read the state of checkpoint " + source_ + "; start from an older one");
      iterator_.reset();
      return false;
    }
    key = iterator_->key().ToStringView().substr(lower_.size());
    value = iterator_->value().ToStringView();
    return true;
  }

 private:
  std::shared_ptr<LiveDatabase> owner_;  // shared: the last of the database's readers closes it
  std::string source_;
  std::string lower_, upper_;
  rocksdb::Slice lower_slice_, upper_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;  // goes before owner_
  bool started_ = false;
};

class Restored : public RestoredState {
 public:
  Restored(CheckpointMeta meta, std::shared_ptr<LiveDatabase> database)
      : meta_(std::move(meta)), database_(std::move(database)) {}
  const CheckpointMeta& meta() const override { return meta_; }
  std::unique_ptr<StateReader> node(const std::string& name) override { return database_->read(node_id(name)); }

 private:
  CheckpointMeta meta_;
  std::shared_ptr<LiveDatabase> database_;  // shared with the task, which may go on to another one
};

}  // namespace

DatabaseResources::DatabaseResources() : cache_(rocksdb::NewLRUCache(kCacheBytes)) {}

rocksdb::Options DatabaseResources::options() const {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache_;
  table.block_size = std::size_t{32} << 10;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;

  rocksdb::Options options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.info_log = std::make_shared<SilentLogger>();
  options.info_log_level = rocksdb::InfoLogLevel::FATAL_LEVEL;  // its default depends on NDEBUG of the includer
  options.compression = rocksdb::kNoCompression;
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.level0_file_num_compaction_trigger = kSortedRunsMax;
  options.compaction_options_universal.size_ratio = 50;
  options.max_background_jobs = 2;
  options.max_open_files = kOpenFilesMax;
  options.write_buffer_size = kMemtableBytes;
  options.max_manifest_file_size = kDatabaseManifestBytesMax;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.force_consistency_checks = true;
  options.paranoid_checks = true;
  if (statistics != nullptr) options.statistics = statistics->tickers();
  return options;
}

LiveDatabase::LiveDatabase(Path directory, Mode mode, const DatabaseResources& resources, std::string source)
    : directory_(std::move(directory)),
      mode_(mode),
      source_(std::move(source)),
      statistics_(resources.statistics),
      options_(std::make_unique<rocksdb::Options>(resources.options())) {
  rocksdb::DB* db = nullptr;
  options_->create_if_missing = mode == Mode::create;
  options_->error_if_exists = mode == Mode::create;
  const rocksdb::Status status = mode == Mode::read_only
                                     ? rocksdb::DB::OpenForReadOnly(*options_, directory_.string(), &db)
                                     : rocksdb::DB::Open(*options_, directory_.string(), &db);
  db_.reset(db);
  check(status, "cannot open the state of " + source_ + " in " + directory_.string());
}

LiveDatabase::~LiveDatabase() {
  if (mode_ != Mode::read_only && db_) rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
  db_.reset();
  std::error_code ignored;  // what stays is removed at the next start
  if (mode_ != Mode::read_only) std::filesystem::remove_all(directory_, ignored);
}

bool LiveDatabase::is_worth_replacing() const {
  const rocksdb::ColumnFamilyMetaData all = contents(*db_);
  return all.file_count + 1 >= static_cast<std::size_t>(kSortedRunsMax) || all.size >= kReplacedFromBytes;
}

void LiveDatabase::ingest(const std::vector<NodeChanges>& nodes) {
  const std::string sst = directory_.string() + ".sst";
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(*options_), *options_, nullptr, /*invalidate_page_cache=*/false);
  check(file.Open(sst), "cannot create " + sst);
  const std::size_t files = contents(*db_).file_count;
  std::int64_t entries = 0;
  for (const NodeChanges& node : nodes) {
    SstWriter writer(file, node, /*erases=*/files > 0);
    node.frozen->write(writer);
    entries += writer.entries();
  }
  if (entries == 0) return remove_tree(sst);  // an SST must not be empty
  check(file.Finish(), "cannot finish " + sst);
  KAPPA_KILL_POINT("checkpoint.sst-written");
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.write_global_seqno = false;  // the file is not touched again
  check(db_->IngestExternalFile({sst}, options), "cannot add " + sst + " to the state in " + directory_.string());
  if (statistics_ != nullptr) statistics_->count_file(entries);
  KAPPA_KILL_POINT("checkpoint.ingested");
}

void LiveDatabase::checkpoint(const Path& target) {
  rocksdb::Checkpoint* maker = nullptr;
  check(rocksdb::Checkpoint::Create(db_.get(), &maker), "cannot make checkpoints of " + directory_.string());
  const std::unique_ptr<rocksdb::Checkpoint> owner(maker);
  check(maker->CreateCheckpoint(target.string()), "cannot make the checkpoint " + target.string());
}

std::unique_ptr<StateReader> LiveDatabase::read(std::uint64_t node) {
  return std::make_unique<NodeReader>(shared_from_this(), *db_, node, source_);
}

std::unique_ptr<RestoredState> restored_state(CheckpointMeta meta, std::shared_ptr<LiveDatabase> database) {
  return std::make_unique<Restored>(std::move(meta), std::move(database));
}

}  // namespace kappa::detail
