// A rate is kept by the run's own clock, which a test can be.
#include <atomic>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
// Goes on by 20 ms whenever it is asked.
class AskedClock : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(20 * ++asked_));
  }
  std::int64_t wall_ms() const override { return 1'767'225'600'000; }
  std::chrono::milliseconds passed() const { return std::chrono::milliseconds(20 * asked_.load()); }

 private:
  mutable std::atomic<std::int64_t> asked_{0};
};
}  // namespace

TEST_CASE("a run reads no faster than its rate", "[rate]") {
  const Place place;
  fill(place, 2000);
  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  const Pipeline parsed = parse_pipeline(pipeline(), "p.sql");
  const AskedClock clock;
  RunOptions options;
  options.until_end = true;
  options.rate = 1000;
  options.clock = &clock;
  const RunReport report = run_graph(parsed.graph, *log, nullptr, options, {});
  CHECK(report.records_read == 2000);
  // Each task may be a tenth of a second ahead, and the last batch is not waited for.
  CHECK(clock.passed() > std::chrono::milliseconds(1600));
}
