#include "kappa/tests/oracle/time.h"

#include <algorithm>
#include <tuple>

namespace oracle {

std::vector<Row> Merge::add(std::size_t input, Row row) {
  reached_[input] = row.progress;
  rows_[input].push_back(std::move(row));
  return release();
}

std::vector<Row> Merge::raise_progress(std::size_t input, std::int64_t progress) {
  reached_[input] = std::max(reached_[input], progress);
  return release();
}

std::vector<Row> Merge::held() const {
  std::vector<Row> all;
  for (const auto& rows : rows_) all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

std::int64_t Merge::least() const { return *std::min_element(reached_.begin(), reached_.end()); }

// An input without a waiting row may still deliver one at the progress that it has reached.
bool Merge::may_go(std::int64_t progress, std::size_t input) const {
  for (std::size_t j = 0; j < rows_.size(); ++j) {
    if (rows_[j].empty() && std::pair(reached_[j], j) < std::pair(progress, input)) return false;
  }
  return true;
}

std::vector<Row> Merge::release() {
  std::vector<Row> released;
  for (;;) {
    std::pair<std::int64_t, std::size_t> least{kForever, rows_.size()};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].empty()) least = std::min(least, {rows_[i].front().progress, i});
    }
    const auto [progress, input] = least;
    if (input == rows_.size() || !may_go(progress, input)) return released;
    released.push_back(std::move(rows_[input].front()));
    rows_[input].pop_front();
  }
}

std::vector<Closed> Windows::advance(std::int64_t watermark) {
  std::vector<Closed> closed;
  if (watermark <= advanced_to_) return closed;
  advanced_to_ = watermark;
  for (auto at = open_.begin(); at != open_.end();) {
    const std::int64_t end = at->second.end;
    if (due(end) > watermark) {
      ++at;
      continue;
    }
    Closed window{due(end) - 1 + spec_.out_of_orderness_us,
                  spec_.is_session ? end : end - 1000,
                  at->first.start,
                  end,
                  at->first.key,
                  std::move(at->second.rows)};
    closed.push_back(std::move(window));
    at = open_.erase(at);
  }
  // The map's order is (key, start), which the sort keeps among equal ends.
  std::stable_sort(closed.begin(), closed.end(), [](const Closed& a, const Closed& b) { return a.end < b.end; });
  return closed;
}

std::vector<Closed> Windows::row(const Row& row) {
  std::vector<Closed> closed = advance(row.progress - spec_.out_of_orderness_us);
  fold(row);
  return closed;
}

// Widens [start, end] until no other window of the key touches it; returns the windows that it takes in.
std::vector<Windows::Id> Windows::join(const Row& row, std::int64_t& start, std::int64_t& end) const {
  std::vector<Id> joined;
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [id, open] : open_) {
      const bool is_joined = std::any_of(joined.begin(), joined.end(),
                                         [&, at = &id](const Id& other) { return !(other < *at) && !(*at < other); });
      if (id.key != row.key || is_joined || id.start > end || start > open.end) continue;
      joined.push_back(id);
      start = std::min(start, id.start);
      end = std::max(end, open.end);
      grew = true;
    }
  }
  std::sort(joined.begin(), joined.end());
  return joined;
}

void Windows::fold(const Row& row) {
  std::int64_t start = row.event_time, end = row.event_time + spec_.size_us;
  std::vector<Id> joined;
  if (spec_.is_session) {
    joined = join(row, start, end);
  } else {
    start = row.event_time - (row.event_time % spec_.size_us + spec_.size_us) % spec_.size_us;
    end = start + spec_.size_us;
    if (open_.count({row.key, start}) > 0) joined.push_back({row.key, start});
  }
  if (due(end) <= row.progress - spec_.out_of_orderness_us) {
    late_.push_back(row);
    return;
  }
  Open window{end, {}};
  for (const Id& id : joined) {
    std::vector<Row> rows = std::move(open_[id].rows);
    if (window.rows.empty()) {
      window.rows = std::move(rows);
    } else {
      window.rows.insert(window.rows.end(), rows.begin(), rows.end());
    }
    open_.erase(id);
  }
  window.rows.push_back(row);
  open_[{row.key, start}] = std::move(window);
  folded_.push_back(row);
}

}  // namespace oracle
