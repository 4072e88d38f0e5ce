// ns per row and bytes per key of a tumbling aggregate with count, sum and max over a bigint key.
//
//   tumble_bench [rows in millions]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "kappa/operators/tumble.h"

namespace {
using namespace kappa;

constexpr std::int64_t kSecond = 1'000'000;

struct Load {
  const char* name;
  std::function<std::int64_t(std::mt19937_64&, std::int64_t)> key;
  std::int64_t rows_per_second;  // of event time
};

std::shared_ptr<const TumblePlan> plan() {
  const Schema input({{"bidder", Type::bigint(), true}, {"price", Type::bigint(), true}});
  const std::vector<AggregateCall> calls = {{AggregateFunction::count, -1, -1, "bids"},
                                            {AggregateFunction::sum, 1, -1, "total"},
                                            {AggregateFunction::max, 1, -1, "highest"}};
  const Schema output({{"bidder", Type::bigint(), true},
                       {"window_start", Type::timestamptz(), false},
                       {"window_end", Type::timestamptz(), false},
                       {"bids", Type::bigint(), false},
                       {"total", Type::numeric(38, 0), true},
                       {"highest", Type::bigint(), true}});
  return std::make_shared<const TumblePlan>(input, output, 10 * kSecond, std::vector<int>{0}, calls);
}

std::vector<Batch> make_batches(const Load& load, std::int64_t rows) {
  std::mt19937_64 rng(42);
  std::vector<Batch> batches;
  std::int64_t progress = 0;
  for (std::int64_t at = 0; at < rows; at += kBatchRows) {
    Batch batch = make_batch(kBatchRows);
    Buffer keys = Buffer::allocate(kBatchRows * 8), prices = Buffer::allocate(kBatchRows * 8);
    for (std::int64_t k = 0; k < kBatchRows; ++k) {
      const std::int64_t now = kSecond + (at + k) * kSecond / load.rows_per_second;
      const std::int64_t time = now - static_cast<std::int64_t>(rng() % 500'000);
      progress = std::max(progress, time);
      batch.event_time.as_mutable<std::int64_t>()[k] = time;
      batch.progress.as_mutable<std::int64_t>()[k] = progress;
      batch.input.as_mutable<std::int32_t>()[k] = 0;
      batch.position.as_mutable<std::int64_t>()[k] = at + k;
      batch.index.as_mutable<std::int32_t>()[k] = 0;
      keys.as_mutable<std::int64_t>()[k] = load.key(rng, at + k);
      prices.as_mutable<std::int64_t>()[k] = static_cast<std::int64_t>(rng() % 1'000'000);
    }
    batch.columns.emplace_back(Type::bigint(), kBatchRows, std::move(keys));
    batch.columns.emplace_back(Type::bigint(), kBatchRows, std::move(prices));
    batches.push_back(std::move(batch));
  }
  return batches;
}

// Of this thread, so that other programs on the machine count less.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure(const Load& load, std::int64_t rows) {
  const std::vector<Batch> batches = make_batches(load, rows);
  OperatorContext context;
  context.out_of_orderness_us = kSecond;
  Tumble tumble(plan(), context);
  std::int64_t largest = 0, emitted = 0;
  double process = 0;
  std::vector<double> times;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    Output out;
    const double start = cpu_seconds();
    tumble.process(batches[b], out);
    const double took = cpu_seconds() - start;
    process += took;
    times.push_back(took);
    emitted += out.counters.emitted;
    largest = std::max(largest, tumble.state_bytes());
  }
  double start = cpu_seconds();
  const auto frozen = tumble.freeze();
  const double freeze = cpu_seconds() - start;
  Output out;
  start = cpu_seconds();
  tumble.advance(kForever, out);
  const double close = cpu_seconds() - start;
  std::sort(times.begin(), times.end());
  const double n = static_cast<double>(batches.size()) * kBatchRows;
  fmt::print(
      "{:<28} {:6.1f} ns/row  (median batch {:6.1f})  freeze {:6.1f} ms  last close {:6.1f} ms  {} + {} results  "
      "state at most {:.1f} MB\n",
      load.name, process * 1e9 / n, times[times.size() / 2] * 1e9 / kBatchRows, freeze * 1e3, close * 1e3, emitted,
      out.counters.emitted, static_cast<double>(largest) / 1e6);
}
}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = (argc > 1 ? std::atoll(argv[1]) : 8) * 1'000'000;
  // NEXMark: half of the bids come from the hottest bidder of the last hundred people, the others from the active ones.
  const auto nexmark = [](std::mt19937_64& rng, std::int64_t at) {
    const std::int64_t people = 1000 + at / 46;
    return rng() % 4 != 0 ? people / 100 * 100 + 1 : people - static_cast<std::int64_t>(rng() % 1000);
  };
  const auto uniform = [](std::mt19937_64& rng, std::int64_t) { return static_cast<std::int64_t>(rng() % 1'000'000); };
  measure({"one key", [](std::mt19937_64&, std::int64_t) { return std::int64_t{7}; }, 100'000}, rows);
  measure({"nexmark, hot bidders", nexmark, 100'000}, rows);
  measure(
      {"100 keys", [](std::mt19937_64& rng, std::int64_t) { return static_cast<std::int64_t>(rng() % 100); }, 100'000},
      rows);
  measure({"1 M keys, uniform, 1 window", uniform, rows}, rows);
  measure({"1 M keys, uniform, 8 windows", uniform, rows / 80}, rows);
}
