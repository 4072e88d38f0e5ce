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
  constexpr std::int64_t kRowsPerFault = 650;
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

int number_of_points() { return static_cast<int>(kill_points().size()); }

void show(const Tally& tally) { std::cout << to_string(tally) << std::flush; }

TEST_CASE("kills at any moment and at any point of a commit or a checkpoint show nowhere in what is published") {
  Tally tally;
  survive(tally, "kills", Shape::windows, {{Fault::random_kill, 3}, {Fault::kill_point, number_of_points()}});
  show(tally);
  CHECK(tally.landed[to_string(Fault::random_kill)].injected == 3);
  check_points(tally);
}

TEST_CASE("a broker that dies, is stopped or held shows nowhere in what is published") {
  Tally tally;
  survive(tally, "broker", Shape::repartition,
          {{Fault::random_kill, 3}, {Fault::broker_kill, 1}, {Fault::broker_stop, 1}, {Fault::broker_hold, 1}});
  show(tally);
}

TEST_CASE("instances that are replaced, and answers that are lost or late, show nowhere in what is published") {
  Tally tally;
  survive(tally, "replaced", Shape::stateless,
          {{Fault::random_kill, 2},
           {Fault::takeover, 1},
           {Fault::end_lost, 1},
           {Fault::end_delayed, 1},
           {Fault::two_at_once, 1},
           {Fault::zombie, 1}});
  show(tally);
}

constexpr Shape kShapes[] = {Shape::windows, Shape::repartition, Shape::stateless};

TEST_CASE("a hundred kills at any moment show nowhere in what is published", "[.][long]") {
  Tally tally;
  for (std::uint64_t seed = 11; seed < 15; ++seed)
    for (const Shape shape : kShapes) survive(tally, "kills", shape, {{Fault::random_kill, 9}}, seed);
  show(tally);
  CHECK(tally.landed[to_string(Fault::random_kill)].injected >= 100);
  CHECK(tally.landed[to_string(Fault::random_kill)].in_commit >= 20);
}

TEST_CASE("kills at every point, several times, show nowhere in what is published", "[.][long]") {
  Tally tally;
  for (std::uint64_t seed = 21; seed < 24; ++seed)
    for (const Shape shape : {Shape::windows, Shape::repartition})
      survive(tally, "points", shape, {{Fault::kill_point, number_of_points()}}, seed);
  show(tally);
  check_points(tally);
}

TEST_CASE("each other fault, several times, shows nowhere in what is published", "[.][long]") {
  Tally tally;
  std::uint64_t seed = 31;
  for (const Shape shape : kShapes) {
    survive(tally, "broker", shape, {{Fault::broker_kill, 2}, {Fault::broker_stop, 2}, {Fault::broker_hold, 3}}, seed);
    survive(tally, "answers", shape, {{Fault::end_lost, 3}, {Fault::end_delayed, 3}}, seed);
    survive(tally, "replaced", shape, {{Fault::takeover, 2}, {Fault::zombie, 2}, {Fault::two_at_once, 2}}, seed++);
  }
  show(tally);
}

TEST_CASE("faults of all kinds in any order show nowhere in what is published", "[.][long]") {
  constexpr Fault kAll[] = {Fault::random_kill, Fault::kill_point,  Fault::zombie,      Fault::takeover,
                            Fault::broker_kill, Fault::broker_stop, Fault::broker_hold, Fault::end_lost,
                            Fault::end_delayed, Fault::two_at_once};
  Tally tally;
  for (std::uint64_t seed = 41; seed < 44; ++seed) {
    std::mt19937_64 random(seed);
    Faults faults;
    for (int i = 0; i < 14; ++i) faults.emplace_back(kAll[random() % std::size(kAll)], 1);
    faults.emplace_back(Fault::end_lost, 1);  // so that all of it goes through the proxy
    survive(tally, "mixed", kShapes[seed % 3], faults, seed);
  }
  show(tally);
}

TEST_CASE("an instance that is held in the middle of a commit while another takes over shows nowhere") {
  Tally tally;
  Plan plan;
  plan.options.name = "held";
  plan.options.shape = Shape::windows;
  plan.options.rows = 3000;
  plan.deeds = [](Injector& injector) {
    for (const char* point : {"kafka.commit.begun", "kafka.commit.positions-sent", "kafka.commit.decided"})
      injector.hold_at(point, 4);
  };
  CHECK(torture(the_broker(), plan, tally) == "");
  show(tally);
  CHECK(tally.landed[to_string(Fault::zombie)].in_commit == 3);
}

TEST_CASE("instances that join, leave and die every few seconds show nowhere in what is published", "[.][long]") {
  Tally tally;
  for (const Shape shape : {Shape::windows, Shape::repartition}) {
    Plan plan;
    plan.options.name = "storm-" + to_string(shape);
    plan.options.shape = shape;
    plan.options.rows = 20'000;
    plan.deeds = [&](Injector& injector) { injector.storm(40); };
    CHECK(torture(the_broker(), plan, tally) == "");
  }
  show(tally);
}

}  // namespace
}  // namespace kappa::campaign
#endif
