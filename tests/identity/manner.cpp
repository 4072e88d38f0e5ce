#include "kappa/tests/identity/manner.h"

#include <signal.h>

#include <cstdlib>
#include <stdexcept>

namespace kappa::testkit {

namespace {
// Runs until the sink has so many records, or for a while: both are good, since nothing may depend on the moment.
void let_run(Arena& arena, Process& process, std::int64_t published) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
  while (!process.has_ended() && arena.published_count() < published && std::chrono::steady_clock::now() < end)
    arena.log().wait(std::chrono::milliseconds(2));
}

void run_with_term(Arena& arena, const Manner& manner, std::mt19937_64& random) {
  const std::size_t rows = arena.scenario().input.size();
  arena.feed(rows / 4 + random() % (rows / 4));
  const auto live = arena.start("run", {}, manner.settings());
  let_run(arena, *live, static_cast<std::int64_t>(random() % 200));
  while (arena.fed() < rows * 9 / 10 && !live->has_ended()) {
    arena.feed(arena.fed() + rows / 10);
    let_run(arena, *live, arena.published_count() + static_cast<std::int64_t>(random() % 20));
  }
  live->send(SIGTERM);
  const Exit exit = live->wait();
  if (exit.signal != 0 || (exit.code != 0 && exit.code != 143))
    throw std::runtime_error("kappa run ended with code " + std::to_string(exit.code) + ", signal " +
                             std::to_string(exit.signal) + ": " + exit.errors);
  ++arena.stops;
}

std::string random_point(std::mt19937_64& random) {
  const auto& points = random() % 2 == 0 ? commit_points() : checkpoint_points();
  return points[random() % points.size()] + ":" + std::to_string(1 + random() % (1U << (random() % 8)));
}

void run_with_kills(Arena& arena, const Manner& manner, std::mt19937_64& random) {
  for (int attempt = 0; arena.kills() < manner.kills && attempt < 3 * manner.kills; ++attempt) {
    const std::size_t rows = arena.scenario().input.size(), steps = static_cast<std::size_t>(manner.kills) + 1;
    arena.feed(arena.fed() + random() % (2 * rows / steps));
    Settings settings = manner.settings();
    settings.push_back("checkpoint.interval=" + std::to_string(5 + random() % 50) + "ms");
    Exit exit;
    if (random() % 3 != 0) {
      exit = arena.call("run", {"--until-end"}, settings, random_point(random));
    } else {
      const auto process = arena.start("run", {}, settings);
      let_run(arena, *process, arena.published_count() + static_cast<std::int64_t>(random() % 300));
      process->send(SIGKILL);
      exit = process->wait();
      arena.count_kill(exit, true);
    }
    if (exit.signal != SIGKILL && exit.code != 0)
      throw std::runtime_error("kappa run ended with code " + std::to_string(exit.code) + ": " + exit.errors);
  }
}
}  // namespace

Settings Manner::settings() const {
  Settings all{"batch.rows=" + std::to_string(batch_rows), "workers=" + std::to_string(workers)};
  if (!commit.empty()) all.push_back(commit);
  return all;
}

std::string to_string(const Manner& manner) {
  static const char* const kStops[] = {"straight", "term", "kill"};
  std::string text;
  for (const std::string& setting : manner.settings()) text += setting + " ";
  return text + kStops[static_cast<std::size_t>(manner.stop)] + " seed " + std::to_string(manner.seed);
}

std::vector<Manner> manners(bool all, int kills, std::uint64_t seed) {
  const int batches[] = {1, 7, 4096}, workers[] = {1, 2, 4};
  const char* const commits[] = {"commit.records=1", "commit.interval=10ms", "commit.interval=1h"};
  std::vector<Manner> result;
  for (std::size_t i = 0; i < (all ? 81U : 9U); ++i) {
    const std::size_t a = i / 3 % 3, b = i % 3;
    const std::size_t c = all ? i / 9 % 3 : (a + b) % 3, d = all ? i / 27 : (a + 2 * b) % 3;
    result.push_back({batches[a], workers[b], commits[c], static_cast<Stop>(d), kills, seed + i});
  }
  return result;
}

const std::vector<std::string>& commit_points() {
  static const std::vector<std::string> kPoints{"log.commit.locked", "log.commit.segments-written",
                                                "log.commit.segments-synced", "log.commit.journal-written"};
  return kPoints;
}

const std::vector<std::string>& checkpoint_points() {
  static const std::vector<std::string> kPoints{
      "checkpoint.sst-written",     "checkpoint.ingested",  "checkpoint.created",    "checkpoint.manifest-written",
      "checkpoint.manifest-synced", "checkpoint.published", "checkpoint.old-removed"};
  return kPoints;
}

void run(Arena& arena, const Manner& manner) {
  std::mt19937_64 random(manner.seed);
  if (manner.stop == Stop::term) run_with_term(arena, manner, random);
  if (manner.stop == Stop::kill) run_with_kills(arena, manner, random);
  arena.feed_all();
  arena.finish(manner.settings());
}

Published baseline(const Scenario& scenario) {
  Arena arena(scenario);
  run(arena, {});
  return arena.published();
}

std::uint64_t seed_of_tests() {
  const char* seed = std::getenv("KAPPA_IDENTITY_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

}  // namespace kappa::testkit
