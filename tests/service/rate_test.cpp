// What a run does by its own clock, which a test can be.
#include <atomic>
#include <set>
#include <thread>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
// Goes on by a step whenever it is asked.
class AskedClock : public Clock {
 public:
  explicit AskedClock(std::chrono::milliseconds step) : step_(step) {}
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(step_ * ++asked_);
  }
  std::int64_t wall_ms() const override { return 1'767'225'600'000; }
  std::chrono::milliseconds passed() const { return step_ * asked_.load(); }

 private:
  const std::chrono::milliseconds step_;
  mutable std::atomic<std::int64_t> asked_{0};
};
}  // namespace

TEST_CASE("a run reads no faster than its rate", "[rate]") {
  const Place place;
  fill(place, 2000);
  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  const Pipeline parsed = parse_pipeline(pipeline(), "p.sql");
  const AskedClock clock(std::chrono::milliseconds(20));
  RunOptions options;
  options.until_end = true;
  options.rate = 1000;
  options.clock = &clock;
  const RunReport report = run_graph(parsed.graph, *log, nullptr, options, {});
  CHECK(report.records_read == 2000);
  // Each task may be a tenth of a second ahead, and the last batch is not waited for.
  CHECK(clock.passed() > std::chrono::milliseconds(1600));
}

TEST_CASE("positions that do not change are committed again, lest a broker forget them", "[rate]") {
  const Place place;
  fill(place, 100);
  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  const Pipeline parsed = parse_pipeline(pipeline(), "p.sql");
  const AskedClock clock(std::chrono::minutes(7));
  RunOptions options;
  options.clock = &clock;
  std::jthread run([&](std::stop_token stop) { (void)run_graph(parsed.graph, *log, nullptr, options, stop); });
  // The number of its commit is in a position's metadata: the same offset, then another metadata.
  const TopicPartition at{"bids", 0};
  const std::int64_t end = log->end_offset(at);
  std::set<std::string> seen;
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (seen.size() < 3 && std::chrono::steady_clock::now() < until) {
    const auto positions = log->committed("hot-bids");
    if (const auto found = positions.find(at); found != positions.end() && found->second.offset == end)
      seen.insert(found->second.metadata);
    log->wait(std::chrono::milliseconds(20));
  }
  CHECK(seen.size() == 3);
}
