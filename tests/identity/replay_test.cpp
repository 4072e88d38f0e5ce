// A replay publishes what live did, whatever it starts from and however often it is interrupted (laws L1, L3).
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "kappa/tests/identity/manner.h"
#include "kappa/tests/identity/scenarios.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {
namespace {

std::vector<std::string> replay_of(const std::string& name, const std::string& from) {
  return {"--from", from, "--name", name, "--execute"};
}

Exit replay(Arena& arena, const std::string& name, const std::string& from, const Settings& settings) {
  Exit exit = arena.call("replay", replay_of(name, from), settings);
  if (exit.code != 0) throw std::runtime_error("kappa replay ended with " + std::to_string(exit.code) + exit.errors);
  return exit;
}

// The results at or after an instant; late records and dead letters are counted by a progress that they do not show.
Published results_from(const Published& all, std::int64_t from_ms) {
  Published part;
  for (const auto& [name, records] : all) {
    if (name.rfind("sink", 0) != 0) continue;
    for (const PublishedRecord& record : records)
      if (record.timestamp_ms >= from_ms) part[name].push_back(record);
  }
  return part;
}

std::int64_t middle_of(const Published& all) {
  std::vector<std::int64_t> times;
  for (const auto& [name, records] : all)
    for (const PublishedRecord& record : records)
      if (name.rfind("sink", 0) == 0) times.push_back(record.timestamp_ms);
  std::sort(times.begin(), times.end());
  return times.at(times.size() / 2) - 700;
}

// What the part has must be in the whole, in its order.
bool contains(const Published& whole, const Published& part) {
  for (const auto& [name, records] : part) {
    const auto found = whole.find(name);
    if (found == whole.end()) return false;
    auto at = found->second.begin();
    for (const PublishedRecord& record : records) {
      at = std::find(at, found->second.end(), record);
      if (at == found->second.end()) return false;
      ++at;
    }
  }
  return true;
}

TEST_CASE("a replay of everything publishes what live did") {
  for (const Scenario& each : scenarios(3000)) {
    INFO(each.name);
    Arena arena(each);
    run(arena, {7, 2, "commit.interval=10ms", Stop::term});
    const Published want = arena.published();
    replay(arena, "all", "1970-01-01", {});
    CHECK(difference(want, arena.published("all")) == "");
    replay(arena, "small", "1970-01-01", {"batch.rows=7", "workers=4", "commit.records=100"});
    CHECK(difference(want, arena.published("small")) == "");
  }
}

TEST_CASE("a replay behind a closed live applies live's decisions") {
  for (const std::string name : {"bids", "bids-two-topics", "bids-two-topics-repartition"}) {
    const Scenario each = scenario(name, 2000);
    Arena arena(each);
    arena.feed(1200);
    arena.finish({}, {"--close"});
    arena.feed_all();
    arena.finish({"workers=2"}, {"--close"});
    replay(arena, "all", "1970-01-01", {"batch.rows=7"});
    INFO(name);
    CHECK(difference(arena.published(), arena.published("all")) == "");
  }
}

// Live leaves checkpoints on its way.
void run_with_checkpoints(Arena& arena) {
  const std::size_t rows = arena.scenario().input.size();
  for (int step = 1; step <= 5; ++step) {
    arena.feed(rows * static_cast<std::size_t>(step) / 5);
    arena.finish({"checkpoint.retained=10"});
  }
}

TEST_CASE("a replay from an instant on publishes live's results from there, from a checkpoint and cold") {
  for (const Scenario& each : scenarios(3000)) {
    INFO(each.name);
    Arena arena(each);
    run_with_checkpoints(arena);
    const Published all = arena.published();
    const std::int64_t from = middle_of(all);
    const Published want = results_from(all, from);
    REQUIRE(!want.empty());
    const Exit plan = arena.call("plan", {"--from", std::to_string(from)}, {});
    if (each.name.find("repartition") == std::string::npos)
      CHECK(plan.out.find("begin at a checkpoint") != std::string::npos);
    replay(arena, "warm", std::to_string(from), {});
    CHECK(difference(want, results_from(arena.published("warm"), 0)) == "");
    CHECK(contains(all, arena.published("warm")));
    arena.remove_state();
    replay(arena, "cold", std::to_string(from), {"batch.rows=7", "workers=2"});
    CHECK(difference(want, results_from(arena.published("cold"), 0)) == "");
    CHECK(contains(all, arena.published("cold")));
  }
}

#ifdef KAPPA_KILL_POINTS
// The windows that are open at live's checkpoint end behind --from: without the checkpoint, they need what was read
// before it.
TEST_CASE("a replay that began at a checkpoint goes on without it from its cold start's offset") {
  for (const std::string name : {"bids", "bids-two-topics"}) {
    const Scenario each = scenario(name, 3000);
    Arena arena(each);
    std::int64_t from = 0;
    for (std::size_t i = 0; i < 1500; ++i) from = std::max(from, each.input[i].timestamp_ms + 1);
    arena.feed(1500);
    arena.finish({});
    arena.feed_all();
    arena.finish({"checkpoint.interval=0s"});
    const Published want = results_from(arena.published(), from);
    INFO(name);
    const Exit plan = arena.call("plan", {"--from", std::to_string(from)}, {});
    CHECK(plan.out.find("4 of 4 tasks begin at a checkpoint") != std::string::npos);
    arena.call("replay", replay_of("broken", std::to_string(from)),
               {"batch.rows=5", "commit.records=5", "commit.interval=1h", "checkpoint.interval=0s"},
               "log.commit.journal-written:12");
    REQUIRE(arena.kills() == 1);
    arena.remove_checkpoints();
    const Exit last = replay(arena, "broken", std::to_string(from), {});
    CHECK(last.errors.find("is read again from offset 0, muted up to") != std::string::npos);
    CHECK(difference(want, results_from(arena.published("broken"), 0)) == "");
  }
}
#endif

void interrupt(Arena& arena, const std::string& from, const Settings& settings, std::mt19937_64& random) {
  if (random() % 2 == 0) {
    auto arguments = replay_of("broken", from);
    arguments.insert(arguments.end(), {"--rate", "3000"});
    const auto process = arena.start("replay", arguments, settings);
    const std::int64_t wanted = arena.published_count("broken") + static_cast<std::int64_t>(random() % 100);
    while (!process->has_ended() && arena.published_count("broken") < wanted)
      arena.log().wait(std::chrono::milliseconds(5));
    process->send(SIGTERM);
    const Exit exit = process->wait();
    if (exit.code != 0 && exit.code != 143) throw std::runtime_error("kappa replay: " + exit.errors);
    ++arena.stops;
    return;
  }
  const auto& points = random() % 3 == 0 ? checkpoint_points() : commit_points();
  const std::string point = points[random() % points.size()] + ":" + std::to_string(1 + random() % 40);
  const Exit exit = arena.call("replay", replay_of("broken", from), settings, point);
  if (exit.signal != SIGKILL && exit.code != 0) throw std::runtime_error("kappa replay: " + exit.errors);
}

void interrupted_replays(std::size_t rows, int rounds) {
  const std::uint64_t seed = seed_of_tests();
  for (const Scenario& each : scenarios(rows)) {
    Arena live(each);
    run_with_checkpoints(live);
    const Published all = live.published();
    const std::int64_t middle = middle_of(all);
    Kills kills;
    int stops = 0;
    for (int round = 0; round < rounds; ++round) {
      const std::int64_t from = round % 2 == 0 ? middle : 0;
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(round) + std::hash<std::string>()(each.name) % 1000);
      INFO("KAPPA_IDENTITY_SEED=" << seed << " identity_test; " << each.name << ", round " << round);
      Arena arena(each);
      run_with_checkpoints(arena);
      for (int i = 0; i < 3; ++i) {
        if (arena.call("plan", {"--from", std::to_string(from), "--name", "broken"}, {}).code != 0) break;
        Settings settings{"batch.rows=50", "workers=" + std::to_string(1 + random() % 3), "commit.interval=2ms",
                          "checkpoint.interval=" + std::to_string(1 + random() % 30) + "ms"};
        try {
          interrupt(arena, std::to_string(from), settings, random);
        } catch (const std::runtime_error& error) {
          if (std::string(error.what()).find("is finished") == std::string::npos) throw;
          break;
        }
      }
      const Exit last = arena.call("replay", replay_of("broken", std::to_string(from)), {});
      if (last.code != 0) CHECK(last.errors.find("is finished") != std::string::npos);
      CHECK(difference(results_from(all, from), results_from(arena.published("broken"), 0)) == "");
      CHECK(contains(all, arena.published("broken")));
      kills += arena.kills_at_points;
      stops += arena.stops;
    }
    std::cout << each.name << ": replays: " << to_string(kills) << "; " << stops << " stopped\n";
  }
}

TEST_CASE("a replay that is stopped and killed goes on where it was") { interrupted_replays(3000, 2); }
TEST_CASE("a replay may be stopped and killed at any moment", "[.][long]") { interrupted_replays(5000, 40); }

}  // namespace
}  // namespace kappa::testkit
