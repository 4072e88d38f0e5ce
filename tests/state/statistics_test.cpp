// What RocksDB counts itself: a checkpoint adds a file, and no entry is written, read or looked up by itself.
#include "kappa/state/database_statistics.h"

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {

using namespace testkit;

TEST_CASE("entries reach the database as files, never one by one", "[state]") {
  const TemporaryDirectory directory;
  DatabaseStatistics statistics;
  const auto store = open_state_store({.directory = directory.path(), .statistics = &statistics});
  const auto task = store->open({"total", 0});
  task->clear();
  Nodes nodes;
  for (int i = 0; i < 1000; ++i) nodes["node"]["key " + std::to_string(i)] = "value";
  for (std::int64_t n = 1; n <= 3; ++n) {
    task->write(meta_of(n), puts(nodes));
    task->publish();
  }
  DatabaseCounts counts = statistics.counts();
  CHECK(counts.files_added == 3);
  CHECK(counts.entries_added == 3000);
  CHECK(counts.keys_written == 0);
  CHECK(counts.keys_read == 0);
  CHECK(counts.seeks + counts.steps == 0);
  CHECK(read_all(*task->restore(meta_of(3).id), "node").size() == 1000);
  counts = statistics.counts();
  CHECK(counts.keys_read == 0);
  CHECK(counts.seeks == 1);
  CHECK(counts.steps > 900);  // so it does count
}

}  // namespace kappa
