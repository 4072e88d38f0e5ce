#include "kappa/engine/metrics.h"

#include "kappa/tests/kit/catch.h"

namespace kappa {
namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a histogram counts by bucket and tells quantiles by their upper bounds", "[metrics]") {
  Histogram histogram;
  CHECK(histogram.snapshot().quantile(0.99) == 0);
  for (int i = 0; i < 98; ++i) histogram.observe(milliseconds(3));
  histogram.observe(milliseconds(150));
  histogram.observe(std::chrono::hours(2));  // above the last bound
  histogram.observe(-seconds(1));            // clocks of two machines
  const Histogram::Snapshot values = histogram.snapshot();
  CHECK(values.count() == 101);
  CHECK(values.counts.front() == 1);
  CHECK(values.counts.back() == 1);
  CHECK(values.sum == Approx(98 * 0.003 + 0.15 + 7200));
  CHECK(values.quantile(0) == 0.001);
  CHECK(values.quantile(0.5) == 0.005);
  CHECK(values.quantile(0.985) == 0.2);
  CHECK(values.quantile(1) == 3600);
}

TEST_CASE("a bound belongs to its bucket", "[metrics]") {
  Histogram histogram;
  histogram.observe(milliseconds(1));
  histogram.observe(milliseconds(2));
  CHECK(histogram.snapshot().counts[0] == 1);
  CHECK(histogram.snapshot().counts[1] == 1);
}

TEST_CASE("the tasks of all workers are told, as each said last", "[metrics]") {
  RunMetrics metrics;
  const std::chrono::steady_clock::time_point start{};
  TaskReport first, second;
  first.task = {"b", 0};
  second.task = {"a", 1};
  metrics.report(0, {first}, start);
  metrics.report(1, {second}, start);
  first.held_rows = 7;
  metrics.report(0, {first}, start + seconds(1));
  REQUIRE(metrics.tasks().size() == 2);
  CHECK(metrics.tasks()[0].task.stage == "a");
  CHECK(metrics.tasks()[1].held_rows == 7);
  CHECK(metrics.silence(start + seconds(10)) == seconds(10));
  metrics.rest(1);
  CHECK(metrics.silence(start + seconds(10)) == seconds(9));
  metrics.rest(0);
  CHECK(metrics.silence(start + seconds(10)) == seconds(0));
  CHECK(metrics.tasks().size() == 2);
}

TEST_CASE("a worker without tasks has reported, too", "[metrics]") {
  RunMetrics metrics;
  CHECK_FALSE(metrics.has_reports());
  metrics.report(0, {}, {});
  CHECK(metrics.has_reports());
  CHECK(metrics.tasks().empty());
}
}  // namespace
}  // namespace kappa
