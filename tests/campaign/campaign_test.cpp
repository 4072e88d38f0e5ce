// What is published on a real broker shows no fault: nothing lost, nothing doubled, in order, for who reads meanwhile
// and for who reads afterwards (laws L3, L5).
#include <iostream>

#include "kappa/tests/campaign/faults.h"
#include "kappa/tests/kit/catch.h"

#ifdef KAPPA_KILL_POINTS
namespace kappa::campaign {
namespace {

using Faults = std::vector<std::pair<Fault, int>>;

// One round: each fault so many times, one kind after the other.
void survive(Tally& tally, const std::string& name, Shape shape, const Faults& faults, std::uint64_t seed = 1) {
  constexpr std::int64_t kRowsPerFault = 600;
  Plan plan;
  plan.options.name = name + "-" + to_string(shape) + "-" + std::to_string(seed);
  plan.options.shape = shape;
  plan.options.seed = seed;
  int all = 1;
  for (const auto& [fault, times] : faults) {
    all += times;
    plan.proxied |= needs_proxy(fault);
  }
  plan.options.rows = kRowsPerFault * all;
  plan.deeds = [&](Injector& injector) {
    for (const auto& [fault, times] : faults)
      for (int i = 0; i < times; ++i) injector.inject(fault);
  };
  INFO(plan.options.name);
  CHECK(torture(the_broker(), plan, tally) == "");
}

// Every named point is reached, and those of a commit lie inside of one.
void check_points(const Tally& tally) {
  for (const std::string& point : kill_points()) {
    INFO(point);
    const auto found = tally.landed.find("  at " + point);
    REQUIRE(found != tally.landed.end());
    CHECK(found->second.injected > 0);
    if (point.rfind("kafka.commit.", 0) == 0) CHECK(found->second.in_commit == found->second.injected);
    if (point.rfind("checkpoint.", 0) == 0) CHECK(found->second.in_checkpoint == found->second.injected);
  }
}

TEST_CASE("kills at any moment show nowhere in what is published") {
  Tally tally;
  survive(tally, "kills", Shape::windows, {{Fault::random_kill, 5}});
  survive(tally, "kills", Shape::repartition, {{Fault::random_kill, 4}});
  survive(tally, "kills", Shape::stateless, {{Fault::random_kill, 3}});
  std::cout << to_string(tally) << std::flush;
  CHECK(tally.landed[to_string(Fault::random_kill)].in_commit > 0);
}

TEST_CASE("a kill at any point of a commit on Kafka or of a checkpoint shows nowhere") {
  Tally tally;
  survive(tally, "points", Shape::windows, {{Fault::kill_point, static_cast<int>(kill_points().size())}});
  std::cout << to_string(tally) << std::flush;
  check_points(tally);
}

TEST_CASE("an instance that is replaced publishes nothing any more") {
  Tally tally;
  survive(tally, "replaced", Shape::stateless, {{Fault::takeover, 1}, {Fault::zombie, 1}, {Fault::two_at_once, 1}});
  std::cout << to_string(tally) << std::flush;
}

TEST_CASE("a broker that dies, is stopped or held shows nowhere") {
  Tally tally;
  survive(tally, "broker", Shape::repartition,
          {{Fault::broker_kill, 1}, {Fault::broker_stop, 1}, {Fault::broker_hold, 1}});
  std::cout << to_string(tally) << std::flush;
}

TEST_CASE("a commit whose answer is lost or late is neither lost nor done twice") {
  Tally tally;
  survive(tally, "answers", Shape::windows, {{Fault::end_lost, 2}, {Fault::end_delayed, 2}});
  std::cout << to_string(tally) << std::flush;
}

}  // namespace
}  // namespace kappa::campaign
#endif
