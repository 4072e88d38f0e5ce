// max_drift: a task that is far ahead in event time waits for those that are behind, and the results stay the same.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/moved_clock.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
constexpr std::int64_t kStart = 1'767'225'600'000;
constexpr std::int64_t kDriftMs = 60'000;

/// Knows how far each partition of `bids` has been read, and how far ahead of the slowest that was not at its end a
/// read was.
class Reads {
 public:
  void before_read(std::int32_t partition) {
    const std::lock_guard lock(mutex_);
    std::int64_t slowest = reached_[partition];
    for (const auto& [other, ms] : reached_)
      if (at_end_.count(other) == 0) slowest = std::min(slowest, ms);
    farthest_ = std::max(farthest_, reached_[partition] - slowest);
  }
  void after_read(std::int32_t partition, std::int64_t timestamp_ms, bool at_end) {
    const std::lock_guard lock(mutex_);
    reached_[partition] = timestamp_ms;
    if (at_end) at_end_[partition] = true;
  }
  [[nodiscard]] std::int64_t farthest() const { return farthest_; }

 private:
  std::mutex mutex_;
  std::map<std::int32_t, std::int64_t> reached_{{0, kStart}, {1, kStart}};
  std::map<std::int32_t, bool> at_end_;
  std::int64_t farthest_ = 0;
};

class WatchedReader : public Reader {
 public:
  WatchedReader(std::unique_ptr<Reader> reader, std::int32_t partition, std::int64_t end, Reads& reads)
      : reader_(std::move(reader)), partition_(partition), end_(end), reads_(reads) {}
  void read(RecordBlock& block, std::int64_t records_max, std::int64_t before) override {
    reads_.before_read(partition_);
    reader_->read(block, records_max, before);
    if (!block.records.empty())
      reads_.after_read(partition_, block.records.back().timestamp_ms, reader_->position() >= end_);
  }
  std::int64_t position() const override { return reader_->position(); }
  bool is_waiting() const override { return true; }  // also at its end, where nobody may wait for it

 private:
  std::unique_ptr<Reader> reader_;
  std::int32_t partition_;
  std::int64_t end_;
  Reads& reads_;
};

class WatchedLog : public ForwardedLog {
 public:
  WatchedLog(Log& log, Reads& reads) : ForwardedLog(log), reads_(reads) {}
  std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) override {
    auto reader = ForwardedLog::open_reader(at, from);
    if (at.topic != "bids") return reader;
    return std::make_unique<WatchedReader>(std::move(reader), at.partition, end_offset(at), reads_);
  }

 private:
  Reads& reads_;
};

// A bidder of each partition: of 0 a record every second, of 1 one every minute.
std::string uneven_bids(int bidder_of_0, int bidder_of_1) {
  std::string lines;
  for (int i = 0; i < 600; ++i) {
    lines += fmt::format("{{\"bidder\":{},\"price\":{},\"at\":{}}}\n", bidder_of_0, i, kStart + i * 1000);
    lines += fmt::format("{{\"bidder\":{},\"price\":{},\"at\":{}}}\n", bidder_of_1, i, kStart + i * 60'000);
  }
  return lines;
}

struct Ran {
  std::int64_t farthest_ms = 0;
  std::string totals;
};

Ran run(const std::string& drift, int workers) {
  std::string text = pipeline("hot", 10, "partitioned_by = 'bidder', partitioned_by_trust = true" + drift);
  text.replace(text.find("SELECT bidder"), 13, "SELECT price % 10 AS digit");
  text.replace(text.find("GROUP BY bidder"), 15, "GROUP BY price % 10");
  const Place place;
  place.write("p.sql", text);
  place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"},
             uneven_bids(1, 0));
  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  REQUIRE(log->end_offset({"bids", 0}) == 600);
  Reads reads;
  WatchedLog watched(*log, reads);
  RunOptions options;
  options.close = true;
  options.workers = workers;
  options.batch_rows = 10;
  static_cast<void>(run_graph(parse_pipeline(text, "p.sql").graph, watched, nullptr, options, {}));
  return {reads.farthest(), place.topic("totals")};
}
}  // namespace

TEST_CASE("a task far ahead in event time waits for the slowest that has records", "[drift]") {
  const int workers = GENERATE(1, 2);
  const Ran free = run("", workers), held = run(", max_drift = '1 minute'", workers);
  // Ahead by the drift, what a batch of ten records spans, and what the slowest read meanwhile.
  CHECK(held.farthest_ms <= kDriftMs + 10 * 60'000);
  if (workers == 1) CHECK(free.farthest_ms > 5 * (kDriftMs + 10 * 60'000));
  CHECK(held.totals == free.totals);
  CHECK(std::count(held.totals.begin(), held.totals.end(), '\n') > 600);
}

TEST_CASE("durations of a source that no clock could add up are refused", "[drift]") {
  using Catch::Matchers::Contains;
  for (const std::string name : {"max_drift", "idle_timeout", "max_future"})
    CHECK_THROWS_WITH(static_cast<void>(parse_pipeline(pipeline("hot", 10, name + " = '40000 days'"), "p.sql")),
                      Contains(name) && Contains("at most 100 years"));
}
