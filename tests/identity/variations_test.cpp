// What is published does not depend on batches, workers, commits, stops and kills (law L3).
#include <functional>
#include <iostream>

#include "kappa/tests/identity/manner.h"
#include "kappa/tests/identity/scenarios.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {
namespace {

void compare_manners(std::size_t rows, bool all, int kills) {
  const std::uint64_t seed = seed_of_tests();
  for (const Scenario& scenario : scenarios(rows)) {
    const Published want = baseline(scenario);
    INFO("KAPPA_IDENTITY_SEED=" << seed << " identity_test; " << scenario.name);
    REQUIRE(want.count("sink-0") == 1);
    Kills at_points, at_any_moment;
    int in_middle = 0, stopped = 0;
    for (const Manner& manner : manners(all, kills, seed + std::hash<std::string>()(scenario.name) % 1000)) {
      INFO(to_string(manner));
      Arena arena(scenario);
      run(arena, manner);
      CHECK(difference(want, arena.published()) == "");
      at_points += arena.kills_at_points;
      at_any_moment += arena.kills_at_any_moment;
      stopped += arena.stops;
      for (const std::int64_t published : arena.published_at_kills)
        in_middle += published > 0 && published < arena.published_count() ? 1 : 0;
    }
    std::cout << scenario.name << ": at named points " << to_string(at_points) << "; at any moment "
              << to_string(at_any_moment) << "; " << in_middle << " between the first and the last result; " << stopped
              << " stops\n";
    CHECK(at_points.all + at_any_moment.all > 0);
    CHECK(stopped > 0);
  }
}

TEST_CASE("what is published does not show batches, workers, commits, stops and kills") {
  compare_manners(3000, false, 2);
}

TEST_CASE("what is published shows no combination of batches, workers, commits, stops and kills", "[.][long]") {
  compare_manners(3000, true, 2);
  compare_manners(27'000, false, 10);
}

TEST_CASE("the scenarios have late records, dead letters, repartitions and merges") {
  const Published flights = baseline(scenario("flights", 3000)), bids = baseline(scenario("bids", 3000));
  std::size_t dead = 0, late = 0, results = 0;
  for (const auto& [name, records] : flights) dead += name.rfind("dead", 0) == 0 ? records.size() : 0;
  for (const auto& [name, records] : bids) {
    late += name.rfind("late", 0) == 0 ? records.size() : 0;
    results += name.rfind("sink", 0) == 0 ? records.size() : 0;
  }
  CHECK(dead == 4);
  CHECK(late > 10);
  CHECK(results > 200);
}

}  // namespace
}  // namespace kappa::testkit
