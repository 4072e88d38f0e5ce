#include "kappa/state/database_statistics.h"

#include <rocksdb/statistics.h>

namespace kappa {

DatabaseStatistics::DatabaseStatistics() : tickers_(rocksdb::CreateDBStatistics()) {
  tickers_->set_stats_level(rocksdb::kExceptHistogramOrTimers);
}

DatabaseCounts DatabaseStatistics::counts() const {
  return {tickers_->getTickerCount(rocksdb::NUMBER_KEYS_WRITTEN),
          tickers_->getTickerCount(rocksdb::NUMBER_KEYS_READ),
          tickers_->getTickerCount(rocksdb::NUMBER_DB_SEEK),
          tickers_->getTickerCount(rocksdb::NUMBER_DB_NEXT),
          entries_,
          files_};
}

void DatabaseStatistics::count_file(std::int64_t entries) {
  entries_ += static_cast<std::uint64_t>(entries);
  ++files_;
}

}  // namespace kappa
