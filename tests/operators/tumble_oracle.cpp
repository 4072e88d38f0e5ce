#include "kappa/tests/operators/tumble_oracle.h"

#include <cmath>
#include <map>
#include <set>

namespace kappa::testkit {

namespace {
using Wide = std::tuple<Int128, std::int32_t, std::int32_t, std::int64_t>;

Wide wide(const Interval& v) {
  const Int128 day = 86'400'000'000;
  return {(Int128{30} * v.months + v.days) * day + v.us, v.months, v.days, v.us};
}

struct CellLess {
  bool operator()(const Cell& a, const Cell& b) const {
    if (a.index() == 0 || b.index() == 0) return a.index() != 0 && b.index() == 0;  // nulls last
    if (const auto* x = std::get_if<double>(&a)) {
      const double y = std::get<double>(b);
      return std::isnan(*x) ? false : std::isnan(y) || *x < y;
    }
    if (const auto* x = std::get_if<Interval>(&a)) return wide(*x) < wide(std::get<Interval>(b));
    if (const auto* x = std::get_if<std::string>(&a)) return *x < std::get<std::string>(b);
    if (const auto* x = std::get_if<bool>(&a)) return *x < std::get<bool>(b);
    if (const auto* x = std::get_if<std::int64_t>(&a)) return *x < std::get<std::int64_t>(b);
    return std::get<Int128>(a) < std::get<Int128>(b);
  }
};
struct KeyLess {
  bool operator()(const std::vector<Cell>& a, const std::vector<Cell>& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), CellLess());
  }
};

Cell sum(const std::vector<Cell>& values) {
  if (std::holds_alternative<double>(values[0])) {
    double total = 0;
    for (const Cell& v : values) total += std::get<double>(v);
    return total;
  }
  Int128 total = 0;
  for (const Cell& v : values)
    total += std::holds_alternative<Int128>(v) ? std::get<Int128>(v) : std::get<std::int64_t>(v);
  return total;
}

Cell average(const std::vector<Cell>& values, Type argument) {
  const Cell total = sum(values);
  const auto n = static_cast<std::int64_t>(values.size());
  if (argument.kind == TypeKind::float64) return std::get<double>(total) / static_cast<double>(n);
  if (argument.kind == TypeKind::bigint) return static_cast<double>(std::get<Int128>(total)) / static_cast<double>(n);
  Int128 scaled = std::get<Int128>(total);
  for (int i = argument.scale; i < 6; ++i) scaled *= 10;
  const Int128 magnitude = ((scaled < 0 ? -scaled : scaled) * 2 + n) / (2 * n);
  return scaled < 0 ? -magnitude : magnitude;
}

Cell aggregate(const TumbleCase& test, const AggregateCall& call, const std::vector<const Row*>& rows) {
  std::vector<Cell> values;
  std::int64_t count = 0;
  for (const Row* row : rows) {
    if (call.filter >= 0) {
      const Cell& f = row->cells[static_cast<std::size_t>(call.filter)];
      if (f.index() == 0 || !std::get<bool>(f)) continue;
    }
    if (call.argument >= 0 && row->cells[static_cast<std::size_t>(call.argument)].index() == 0) continue;
    ++count;
    if (call.argument >= 0) values.push_back(row->cells[static_cast<std::size_t>(call.argument)]);
  }
  if (call.function == AggregateFunction::count) return count;
  if (call.function == AggregateFunction::count_distinct)
    return static_cast<std::int64_t>(std::set<Cell, CellLess>(values.begin(), values.end()).size());
  if (values.empty()) return {};
  switch (call.function) {
    case AggregateFunction::sum: return sum(values);
    case AggregateFunction::avg: return average(values, test.schema[call.argument].type);
    case AggregateFunction::min: return *std::min_element(values.begin(), values.end(), CellLess());
    default: return *std::max_element(values.begin(), values.end(), CellLess());
  }
}
}  // namespace

TumbleResult tumble_oracle(const TumbleCase& test, const std::vector<Row>& rows) {
  TumbleResult result;
  std::map<std::int64_t, std::map<std::vector<Cell>, std::vector<const Row*>, KeyLess>> windows;
  for (const Row& row : rows) {
    const std::int64_t watermark = row.progress - test.out_of_orderness_us;
    while (!windows.empty() && windows.begin()->first <= watermark) {
      const std::int64_t end = windows.begin()->first;
      std::int32_t index = 0;
      for (const auto& [key, group] : windows.begin()->second) {
        Row out{key, end - 1000, end - 1 + test.out_of_orderness_us, kDueInput, 0, index++};
        out.cells.emplace_back(end - test.size_us);
        out.cells.emplace_back(end);
        for (const AggregateCall& call : test.calls) out.cells.push_back(aggregate(test, call, group));
        result.emitted.push_back(std::move(out));
      }
      windows.erase(windows.begin());
    }
    const std::int64_t end = row.event_time / test.size_us * test.size_us + test.size_us;
    if (end <= watermark) {
      result.late.push_back(row.position);
      continue;
    }
    std::vector<Cell> key;
    for (const int c : test.key_columns) key.push_back(row.cells[static_cast<std::size_t>(c)]);
    windows[end][key].push_back(&row);
  }
  return result;
}

}  // namespace kappa::testkit
