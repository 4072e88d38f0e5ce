// kappa's merge, fed batches cut at random, releases the rows that the oracle's releases, in the same order.
#include <random>

#include "kappa/engine/merge.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/oracle/time.h"

namespace oracle {
namespace {
using Released = std::vector<std::pair<std::int32_t, std::int64_t>>;  // input, position

// Progress with many ties within an input and between inputs.
std::vector<std::vector<std::int64_t>> draw_inputs(std::mt19937_64& random) {
  std::vector<std::vector<std::int64_t>> inputs(1 + random() % 4);
  for (auto& progresses : inputs) {
    std::int64_t progress = static_cast<std::int64_t>(random() % 5);
    for (std::uint64_t n = random() % 40; n > 0; --n) {
      progress += static_cast<std::int64_t>(random() % 3);
      progresses.push_back(progress);
    }
  }
  return inputs;
}

kappa::Batch batch_of(std::int32_t input, const std::vector<std::int64_t>& progresses, std::size_t from,
                      std::size_t to) {
  kappa::Batch batch = kappa::make_batch(static_cast<std::int64_t>(to - from));
  for (std::size_t i = from; i < to; ++i) {
    batch.event_time.as_mutable<std::int64_t>()[i - from] = progresses[i];
    batch.progress.as_mutable<std::int64_t>()[i - from] = progresses[i];
    batch.input.as_mutable<std::int32_t>()[i - from] = input;
    batch.position.as_mutable<std::int64_t>()[i - from] = static_cast<std::int64_t>(i);
    batch.index.as_mutable<std::int32_t>()[i - from] = 0;
  }
  return batch;
}

void note(const std::map<int, kappa::Batch>& released, Released& out) {
  for (const auto& [port, batch] : released) {
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      out.emplace_back(batch.inputs()[row], batch.positions()[row]);
    }
  }
}

Released by_kappa(const std::vector<std::vector<std::int64_t>>& inputs, std::mt19937_64& random) {
  kappa::Merge merge(static_cast<int>(inputs.size()));
  std::vector<std::size_t> at(inputs.size(), 0);
  Released out;
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t to = std::min(inputs[i].size(), at[i] + random() % 6);
      if (to > at[i]) {
        merge.add(static_cast<int>(i), 0, batch_of(static_cast<std::int32_t>(i), inputs[i], at[i], to));
        merge.reach(static_cast<int>(i), inputs[i][to - 1]);
      }
      at[i] = to;
      more |= to < inputs[i].size();
      if (random() % 2 == 0) note(merge.release(), out);
    }
  }
  note(merge.release(), out);
  return out;
}

Released by_oracle(const std::vector<std::vector<std::int64_t>>& inputs) {
  Merge merge(inputs.size());
  Released out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t k = 0; k < inputs[i].size(); ++k) {
      Row row;
      row.progress = inputs[i][k];
      row.input = static_cast<int>(i);
      row.record = k;
      for (const Row& r : merge.add(i, row)) out.emplace_back(r.input, static_cast<std::int64_t>(r.record));
    }
  }
  return out;
}
}  // namespace

TEST_CASE("kappa's merge releases what the oracle's does, however rows arrive", "[oracle]") {
  std::size_t released = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random(seed);
    const auto inputs = draw_inputs(random);
    INFO("seed " << seed);
    const Released want = by_oracle(inputs);
    REQUIRE(by_kappa(inputs, random) == want);
    REQUIRE(by_kappa(inputs, random) == want);
    released += want.size();
  }
  CHECK(released > 20'000);
}

}  // namespace oracle
