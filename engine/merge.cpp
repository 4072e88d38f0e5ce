#include "kappa/engine/merge.h"

#include <algorithm>

namespace kappa {

void Merge::add(int input, int port, Batch batch) {
  if (batch.rows == 0) return;
  held_rows_ += batch.rows;
  held_[static_cast<std::size_t>(input)].push_back({port, std::move(batch)});
}

void Merge::reach(int input, std::int64_t progress) {
  std::int64_t& reached = reached_[static_cast<std::size_t>(input)];
  reached = std::max(reached, progress);
}

std::int64_t Merge::released() const { return *std::min_element(reached_.begin(), reached_.end()); }

namespace {
// How many rows of the batch can go on: those below `least`, and at `least` the rows (not dues) of an input that may.
// Dues of one instant go on together, once every input has passed it: they stand behind all rows of that progress,
// whatever their input.
std::int64_t releasable(const Batch& batch, std::int64_t least, bool rows_at_least) {
  const std::int64_t* progress = batch.progresses();
  std::int64_t n = std::lower_bound(progress, progress + batch.rows, least) - progress;
  if (rows_at_least)
    while (n < batch.rows && progress[n] == least && batch.inputs()[n] != kDueInput) ++n;
  return n;
}
}  // namespace

// A port's batches are in order among themselves; those of different ports interleave, so all of the queue is looked at
// (it is short: what one round added, or what skew holds).
void Merge::release_input(int input, std::int64_t least, bool rows_at_least, std::map<int, std::vector<Batch>>& parts) {
  std::deque<Held>& queue = held_[static_cast<std::size_t>(input)];
  std::deque<Held> kept;
  for (Held& held : queue) {
    const std::int64_t n = releasable(held.batch, least, rows_at_least);
    if (n > 0) parts[held.port].push_back(slice(held.batch, 0, n));
    if (n < held.batch.rows) kept.push_back({held.port, slice(held.batch, n, held.batch.rows)});
    held_rows_ -= n;
  }
  queue = std::move(kept);
}

std::map<int, Batch> Merge::release() {
  const std::int64_t least = released();
  const auto holder = static_cast<int>(std::find(reached_.begin(), reached_.end(), least) - reached_.begin());
  std::map<int, std::vector<Batch>> parts;
  for (int input = 0; input < static_cast<int>(reached_.size()); ++input) {
    if (held_[static_cast<std::size_t>(input)].empty()) continue;
    std::map<int, std::vector<Batch>> of_input;
    release_input(input, least, input <= holder, of_input);
    for (const auto& [port, batches] : of_input) parts[port].push_back(concat(batches));
  }
  std::map<int, Batch> released;
  for (auto& [port, batches] : parts)
    released.emplace(port, batches.size() == 1 ? std::move(batches.front()) : merge_by_order(batches));
  return released;
}

}  // namespace kappa
