// kappa/state/database_statistics.h: what the databases of a store were asked to do, as RocksDB itself counts it. For
// benchmarks and tests: counting costs time.
//
// Threads:  any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace rocksdb {
class Statistics;
}  // namespace rocksdb

namespace kappa {

struct DatabaseCounts {
  // RocksDB's tickers:
  std::uint64_t keys_written = 0;  // by put, delete or write
  std::uint64_t keys_read = 0;     // by get
  std::uint64_t seeks = 0, steps = 0;
  // Ours: the entries of the sorted files that were added, which RocksDB does not count.
  std::uint64_t entries_added = 0, files_added = 0;
};

class DatabaseStatistics {
 public:
  DatabaseStatistics();
  DatabaseStatistics(const DatabaseStatistics&) = delete;
  DatabaseStatistics& operator=(const DatabaseStatistics&) = delete;
  [[nodiscard]] DatabaseCounts counts() const;

  void count_file(std::int64_t entries);
  /// Shared with each database, which is told to count here.
  [[nodiscard]] const std::shared_ptr<rocksdb::Statistics>& tickers() const { return tickers_; }

 private:
  std::shared_ptr<rocksdb::Statistics> tickers_;
  std::atomic<std::uint64_t> entries_{0}, files_{0};
};

}  // namespace kappa
