// Quiet partitions: with idle_timeout, windows close though no record comes any more, by decisions that later runs
// repeat.
#include <stop_token>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/moved_clock.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
constexpr std::int64_t kPatienceMs = 3'600'000;

std::int64_t records_in(Log& log, const std::string& topic) {
  std::int64_t records = 0;
  const auto info = log.topic(topic);
  for (std::int32_t p = 0; info && p < info->partitions; ++p) records += log.end_offset({topic, p});
  return records;
}

/// Where nothing is to be read, time passes; it ends the run once `totals` holds what is expected.
class PassingTime : public ForwardedLog {
 public:
  PassingTime(Log& log, MovedClock& clock, std::int64_t expected)
      : ForwardedLog(log), clock_(clock), expected_(expected) {}
  void wait(std::chrono::milliseconds timeout) override {
    clock_.move(timeout.count());
    if (records_in(*this, "totals") >= expected_ || clock_.passed_ms() > kPatienceMs) stop_.request_stop();
  }
  std::stop_token stop() const { return stop_.get_token(); }

 private:
  MovedClock& clock_;
  std::int64_t expected_;
  std::stop_source stop_;
};

// Seven bidders in sixteen partitions: most are empty.
void fill_some(const Place& place, const std::string& text) {
  place.write("p.sql", text);
  place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "16"}, bids(200));
}

// Grouped by what the topic is not partitioned by, so that each task of the windows waits for all partitions.
std::string repartitioned(const std::string& with) {
  std::string text = pipeline("hot", 10, with);
  for (const std::string_view from : {"SELECT bidder", "GROUP BY bidder"})
    text.replace(text.find(from), from.size(), from[0] == 'S' ? "SELECT price % 10 AS digit" : "GROUP BY price % 10");
  return text;
}
}  // namespace

TEST_CASE("quiet and empty partitions do not hold windows back for ever", "[idle]") {
  const std::string with = "partitioned_by = 'bidder', idle_timeout = '30s'";
  const std::string text = GENERATE_COPY(pipeline("hot", 10, with), repartitioned(with));
  const Place closed, place;
  fill_some(closed, text);
  closed.good({"run", "p.sql", "--close"});
  const std::string expected = closed.topic("totals");
  fill_some(place, text);

  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  MovedClock clock;
  PassingTime passing(*log, clock, std::count(expected.begin(), expected.end(), '\n'));
  RunOptions options;
  options.clock = &clock;
  static_cast<void>(run_graph(parse_pipeline(text, "p.sql").graph, passing, nullptr, options, passing.stop()));
  CHECK(clock.passed_ms() >= 30'000);
  CHECK(clock.passed_ms() < kPatienceMs);
  CHECK(place.topic("totals") == expected);
  CHECK(records_in(*log, "hot-decisions") <= 16 * (clock.passed_ms() / 30'000));
  place.good({"run", "p.sql", "--until-end"});  // reads all again, since there is no checkpoint
  CHECK(place.topic("totals") == expected);
}
