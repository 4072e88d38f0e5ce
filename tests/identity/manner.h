// tests/identity/manner.h: the ways in which the same input is run; what is published must not show them.
#pragma once

#include "kappa/tests/identity/arena.h"

namespace kappa::testkit {

enum class Stop : std::uint8_t {
  straight,  // --until-end over the whole input
  term,      // live beside its feed, SIGTERM in the middle, then --until-end
  kill,      // --until-end, killed at random points and by SIGKILL at random moments, restarted
};

struct Manner {
  int batch_rows = 4096, workers = 1;
  std::string commit;  // a setting, empty: default
  Stop stop = Stop::straight;
  int kills = 2;
  std::uint64_t seed = 1;
  [[nodiscard]] Settings settings() const;
};
[[nodiscard]] std::string to_string(const Manner& manner);

/// Nine manners in which each pair of levels (batch, workers, commit, stop) occurs; or all 81.
[[nodiscard]] std::vector<Manner> manners(bool all, int kills, std::uint64_t seed);

/// The points of the commit and checkpoint paths.
[[nodiscard]] const std::vector<std::string>& commit_points();
[[nodiscard]] const std::vector<std::string>& checkpoint_points();

/// Feeds and runs the whole input.
void run(Arena& arena, const Manner& manner);

/// What `kappa run --until-end` publishes, in the default manner.
[[nodiscard]] Published baseline(const Scenario& scenario);

/// KAPPA_IDENTITY_SEED, or 1: failures print it.
[[nodiscard]] std::uint64_t seed_of_tests();

}  // namespace kappa::testkit
