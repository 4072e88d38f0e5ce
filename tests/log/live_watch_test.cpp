// A replay's view of the live run, over the embedded log.
#include "kappa/engine/live_watch.h"

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"

namespace kappa::testkit {
namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

class Live {
 public:
  Live() {
    log->create_topic("bids", 1);
    produce(*log, fixture.at, std::vector<std::string>(100, "x"));
    commit(10);
  }
  void commit(std::int64_t offset) const {
    const Position position{fixture.at, offset, ""};
    REQUIRE(log->open_producer("live")->commit("live", std::span(&position, 1)) == CommitOutcome::committed);
  }
  LocalLogFixture fixture;
  std::unique_ptr<LocalLog> log = fixture.open();
  std::chrono::steady_clock::time_point start{};
};

TEST_CASE("live is behind while it moves and lags", "[live]") {
  const Live live;
  LiveWatch watch(*live.log, {"live", "another"}, 50);
  CHECK_FALSE(watch.is_behind(live.start));  // it may be stopped
  CHECK(watch.lag() == 90);
  live.commit(20);
  CHECK_FALSE(watch.is_behind(live.start + milliseconds(100)));  // not looked at yet
  CHECK(watch.is_behind(live.start + milliseconds(600)));
  CHECK(watch.lag() == 80);
  SECTION("it catches up") {
    live.commit(50);
    CHECK_FALSE(watch.is_behind(live.start + milliseconds(1200)));
    produce(*live.log, live.fixture.at, {"one more"});
    CHECK(watch.is_behind(live.start + milliseconds(1800)));
  }
  SECTION("it stops") {
    CHECK(watch.is_behind(live.start + milliseconds(5500)));
    CHECK_FALSE(watch.is_behind(live.start + milliseconds(5700)));
    live.commit(21);
    CHECK(watch.is_behind(live.start + milliseconds(6300)));
  }
}

TEST_CASE("without a live run nothing is behind", "[live]") {
  const Live live;
  LiveWatch watch(*live.log, {"another"}, 0);
  CHECK_FALSE(watch.is_behind(live.start));
  CHECK_FALSE(watch.is_behind(live.start + seconds(1)));
  CHECK(watch.lag() == 0);
}
}  // namespace
}  // namespace kappa::testkit
