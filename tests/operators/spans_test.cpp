#include "kappa/operators/spans.h"

#include <set>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/rows.h"

using namespace kappa;
using namespace kappa::testkit;

namespace {
// Remembers dues, and writes down what happens; a due that fires may create another one.
struct Recorder {
  const std::vector<std::int64_t>& dues;
  std::int64_t repeat_us = 0;
  std::multiset<std::int64_t> waiting{};
  std::vector<std::string> seen{};
  int spans = 0;

  [[nodiscard]] std::int64_t next_due() const { return waiting.empty() ? kForever : *waiting.begin(); }
  void fire(std::int64_t watermark) {
    while (next_due() <= watermark) {
      const std::int64_t due = next_due();
      waiting.erase(waiting.begin());
      seen.push_back("due " + std::to_string(due));
      if (repeat_us > 0 && due % 3 == 0) waiting.insert(due + repeat_us);
    }
  }
  void row(std::int64_t at) {
    seen.push_back("row " + std::to_string(at));
    if (dues[static_cast<std::size_t>(at)] != kForever) waiting.insert(dues[static_cast<std::size_t>(at)]);
  }
  void fold(std::int64_t begin, std::int64_t end) {
    REQUIRE(begin < end);
    ++spans;
    for (std::int64_t at = begin; at < end; ++at) row(at);
  }
};
}  // namespace

TEST_CASE("spans behave as if the operator were advanced row by row", "[spans]") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 rng(seed);
    const std::int64_t ooo = pick(rng, 0, 4);
    std::vector<std::int64_t> progress, dues;
    std::int64_t now = 0;
    for (std::int64_t k = pick(rng, 0, 30); k > 0; --k) {
      now += pick(rng, 0, 3);
      progress.push_back(now);
      dues.push_back(pick(rng, 0, 2) == 0 ? kForever : now - ooo + pick(rng, -3, 12));
    }
    const std::int64_t repeat = pick(rng, 0, 2) * 5;
    Recorder spans{dues, repeat}, rows{dues, repeat};
    spans.waiting = rows.waiting = {1, 5, 5, 40};
    for_each_span(progress, ooo, dues, spans);
    for (std::size_t k = 0; k < progress.size(); ++k) {
      rows.fire(progress[k] - ooo);
      rows.row(static_cast<std::int64_t>(k));
      rows.fire(progress[k] - ooo);
    }
    REQUIRE(spans.seen == rows.seen);
  }
}

TEST_CASE("a batch without a due inside is one span", "[spans]") {
  const std::vector<std::int64_t> progress = {1, 2, 3, 4}, dues = {5, 6, kForever, 5};
  Recorder recorder{dues};
  for_each_span(progress, 0, dues, recorder);
  CHECK(recorder.spans == 1);
}

TEST_CASE("no rows, no spans", "[spans]") {
  const std::vector<std::int64_t> none;
  Recorder recorder{none};
  for_each_span(none, 0, none, recorder);
  CHECK(recorder.seen.empty());
}
