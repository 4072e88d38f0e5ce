// Deaths at every named point, restarts in steps, from checkpoints old and new, and without any (laws L2, L3, L5).
#include <signal.h>

#include <iostream>

#include "kappa/tests/identity/manner.h"
#include "kappa/tests/identity/scenarios.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {
namespace {

// Small commits and checkpoints all the time, so that each point is passed often.
const Settings kBusy{"batch.rows=50", "workers=2", "commit.records=50", "commit.interval=1ms",
                     "checkpoint.interval=1ms"};

#ifdef KAPPA_KILL_POINTS
void die_everywhere(const std::string& name, const std::vector<int>& passages) {
  const Scenario subject = scenario(name, 3000);
  const Published want = baseline(subject);
  std::vector<std::string> points = commit_points();
  points.insert(points.end(), checkpoint_points().begin(), checkpoint_points().end());
  points.emplace_back("restore.linked");
  for (const std::string& point : points) {
    Kills kills;
    // Its first passages make topics and producers known.
    const bool of_commit = point.rfind("log.commit.", 0) == 0;
    for (const int passage : passages) {
      const std::string at = point + ":" + std::to_string(passage + (of_commit ? 14 : 0));
      INFO(name << " KAPPA_KILL=" << at);
      Arena arena(subject);
      arena.feed(subject.input.size() / 2);
      if (point == "restore.linked") arena.finish(kBusy);
      arena.call("run", {"--until-end"}, kBusy, at);
      arena.feed_all();
      arena.call("run", {"--until-end"}, kBusy, at);
      arena.finish(kBusy);
      CHECK(difference(want, arena.published()) == "");
      kills += arena.kills_at_points;
    }
    std::cout << name << ": at " << point << ' ' << to_string(kills) << '\n';
    CHECK(kills.all > 0);
    if (point.rfind("checkpoint.", 0) == 0) CHECK(kills.in_checkpoint == kills.all);
    if (of_commit) CHECK(kills.in_commit == kills.all);
  }
}

TEST_CASE("a death at any point of a commit or checkpoint is not seen in what is published") {
  die_everywhere("bids", {1, 3});
}
TEST_CASE("a death at any point, behind a repartition and a merge, is not seen in what is published") {
  die_everywhere("bids-two-topics-repartition", {2});
}
// Each piece leaves a checkpoint or more, so that in the end a complete one takes the place of several.
TEST_CASE("a death between a state database and the one that replaces it is not seen in what is published") {
  constexpr std::size_t kPieces = 12;
  for (const std::string name : {"bids", "bids-two-topics-repartition"}) {
    const Scenario subject = scenario(name, 3000);
    const Published want = baseline(subject);
    INFO(name);
    Arena arena(subject);
    for (std::size_t piece = 1; piece <= kPieces; ++piece) {
      arena.feed(subject.input.size() * piece / kPieces);
      arena.call("run", {"--until-end"}, kBusy, piece % 2 == 0 ? "checkpoint.database-replaced:1" : "");
    }
    arena.finish(kBusy);
    CHECK(difference(want, arena.published()) == "");
    CHECK(arena.kills_at_points.all > 0);
    CHECK(arena.kills_at_points.in_checkpoint == arena.kills_at_points.all);
  }
}
// Also behind the last record and in front of the last marker.
TEST_CASE("a death behind any one commit is not seen in what is published") {
  for (const std::string name : {"flights-repartition", "bids-two-topics"}) {
    const Scenario each = scenario(name, 1000);
    const Published want = baseline(each);
    const Settings settings{"commit.records=100", "batch.rows=100", "commit.interval=1h"};
    int passage = 0, kills = 0;
    do {
      INFO(name << " KAPPA_KILL=log.commit.journal-written:" << ++passage);
      Arena arena(each);
      arena.feed_all();
      arena.call("run", {"--until-end"}, settings, "log.commit.journal-written:" + std::to_string(passage));
      arena.finish(settings);
      CHECK(difference(want, arena.published()) == "");
      kills = arena.kills();
    } while (kills > 0);
    CHECK(passage > 10);
  }
}
TEST_CASE("a death at many passages of each point is not seen in what is published", "[.][long]") {
  for (const Scenario& each : scenarios(10)) die_everywhere(each.name, {1, 2, 3, 4, 5, 6, 7, 8, 13, 21});
}
#endif

enum class State : std::uint8_t { kept, removed, aged };

// The input arrives in pieces; each is run to its end by a process of its own.
void run_in_steps(Arena& arena, State state, std::mt19937_64& random) {
  const std::size_t rows = arena.scenario().input.size();
  const int batches[] = {1, 7, 4096};
  for (int step = 0; arena.fed() < rows; ++step) {
    if (state == State::removed) arena.remove_state();
    arena.feed(arena.fed() + 1 + random() % (rows / 3));
    Settings settings{"batch.rows=" + std::to_string(batches[random() % 3]),
                      "workers=" + std::to_string(1 + random() % 4)};
    // Only every third step leaves a checkpoint: the next ones read again, muted, from there.
    if (state == State::aged && step % 3 != 0) settings.emplace_back("checkpoint.interval=0s");
    arena.finish(settings);
  }
}

void steps_are_equal(std::size_t rows, int rounds) {
  const std::uint64_t seed = seed_of_tests();
  for (const Scenario& each : scenarios(rows)) {
    const Published want = baseline(each);
    for (int round = 0; round < rounds; ++round) {
      for (const State state : {State::kept, State::removed, State::aged}) {
        INFO("KAPPA_IDENTITY_SEED=" << seed << " identity_test; " << each.name << ", round " << round << ", state "
                                    << static_cast<int>(state));
        std::mt19937_64 random(seed + static_cast<std::uint64_t>(round) * 1000);
        Arena arena(each);
        run_in_steps(arena, state, random);
        CHECK(difference(want, arena.published()) == "");
      }
    }
  }
}

TEST_CASE("what is published does not show restarts, from checkpoints, older ones, or from the log alone") {
  steps_are_equal(2000, 1);
}
TEST_CASE("what is published does not show any number of restarts", "[.][long]") { steps_are_equal(5000, 20); }

TEST_CASE("a closed run, and the runs behind it, publish once") {
  for (const std::string name : {"bids", "bids-two-topics-repartition", "flights-two-topics"}) {
    const Scenario each = scenario(name, 1500);
    Arena straight(each), stepped(each);
    straight.feed_all();
    straight.finish({}, {"--close"});
    const Published want = straight.published();
    stepped.feed(700);
    stepped.finish({"workers=2", "batch.rows=7"});
    stepped.feed_all();
    stepped.remove_state();
    INFO(name);
    // It may die among its decisions and their effects.
    stepped.call("run", {"--close"}, kBusy, "log.commit.journal-written:9");
    stepped.finish({"workers=4", "batch.rows=1"}, {"--close"});
    CHECK(difference(want, stepped.published()) == "");
    stepped.remove_state();
    stepped.finish({"workers=2"}, {"--close"});
    CHECK(difference(want, stepped.published()) == "");
  }
}

}  // namespace
}  // namespace kappa::testkit
