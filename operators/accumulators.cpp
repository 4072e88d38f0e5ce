#include "kappa/operators/accumulators.h"

#include <limits>

#include "kappa/engine/error.h"
#include "kappa/operators/accumulator_state.h"
#include "kappa/operators/state_key.h"

namespace kappa {

namespace {
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kGreatest = std::numeric_limits<std::int64_t>::max();

AccumulatorKind sum_kind(TypeKind type) {
  return type == TypeKind::bigint    ? AccumulatorKind::sum_i64
         : type == TypeKind::numeric ? AccumulatorKind::sum_i128
                                     : AccumulatorKind::sum_f64;
}

AccumulatorKind avg_kind(TypeKind type) {
  return type == TypeKind::bigint    ? AccumulatorKind::avg_i64
         : type == TypeKind::numeric ? AccumulatorKind::avg_i128
                                     : AccumulatorKind::avg_f64;
}

AccumulatorKind extreme_kind(TypeKind type) {
  switch (type) {
    case TypeKind::numeric: return AccumulatorKind::extreme_i128;
    case TypeKind::interval: return AccumulatorKind::extreme_interval;
    case TypeKind::text:
    case TypeKind::bytea: return AccumulatorKind::extreme_bytes;
    default: return AccumulatorKind::extreme_i64;
  }
}

AccumulatorKind kind_of(const AggregateCall& call, Type argument) {
  switch (call.function) {
    case AggregateFunction::count: return AccumulatorKind::count;
    case AggregateFunction::sum: return sum_kind(argument.kind);
    case AggregateFunction::avg: return avg_kind(argument.kind);
    case AggregateFunction::count_distinct: return AccumulatorKind::distinct;
    default: return extreme_kind(argument.kind);
  }
}

std::uint32_t width(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::sum_i64:
    case AccumulatorKind::extreme_i128:
    case AccumulatorKind::extreme_interval:
    case AccumulatorKind::extreme_bytes:
    case AccumulatorKind::avg_f64: return 16;
    case AccumulatorKind::sum_i128:
    case AccumulatorKind::avg_i64: return 24;
    case AccumulatorKind::avg_i128: return 32;
    default: return 8;
  }
}

// Calls fold(accumulator's place, value) for each group in order; marks the group as having seen a value.
template <class T, class Value, class Fold>
void fold_each(const Accumulator& a, std::span<const GroupRow> groups, Value value, Fold fold) {
  const std::uint32_t offset = a.offset, seen = a.seen;  // stores into a group could alias the accumulator's own
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const GroupRow group = groups[k];
    T state = load<T>(group + offset);
    fold(state, value(k));
    store(group + offset, state);
    group[seen] = 1;
  }
}

template <class Value>
void update_extreme(const Accumulator& a, std::span<const GroupRow> groups, Value value) {
  using I64 = std::int64_t;
  if (a.is_min)
    fold_each<I64>(a, groups, value, [](I64& state, I64 v) { state = v < state ? v : state; });
  else
    fold_each<I64>(a, groups, value, [](I64& state, I64 v) { state = v > state ? v : state; });
}

// As update_extreme, where no value of the type stands for "none yet".
template <class T, class Value, class Less>
void update_first_or_extreme(const Accumulator& a, std::span<const GroupRow> groups, Value value, Less less) {
  for (std::size_t k = 0; k < groups.size(); ++k) {
    std::uint8_t* place = groups[k] + a.offset;
    const T v = value(k);
    const T state = load<T>(place);
    if (groups[k][a.seen] == 0 || (a.is_min ? less(v, state) : less(state, v))) store(place, v);
    groups[k][a.seen] = 1;
  }
}

bool shorter(Interval a, Interval b) {
  const Int128 x = interval_length(a), y = interval_length(b);
  return x != y ? x < y : a < b;
}

void update_bytes(const Accumulator& a, std::span<const GroupRow> groups, const std::int32_t* rows,
                  const Column& column, ByteArena& arena) {
  for (std::size_t k = 0; k < groups.size(); ++k) {
    std::uint8_t* place = groups[k] + a.offset;
    const std::string_view v = column.bytes(rows[k]);
    auto state = load<ExtremeBytes>(place);
    const std::string_view old(state.data, state.size);
    if (groups[k][a.seen] != 0 && !(a.is_min ? v < old : old < v)) continue;
    if (v.size() > state.capacity) {  // doubling bounds what growing values leave behind in the arena
      state.capacity = std::max({16U, state.capacity * 2, static_cast<std::uint32_t>(v.size())});
      state.data = arena.allocate(state.capacity);
    }
    if (!v.empty()) std::memcpy(state.data, v.data(), v.size());
    state.size = static_cast<std::uint32_t>(v.size());
    store(place, state);
    groups[k][a.seen] = 1;
  }
}

void update_extreme_i64(const Accumulator& a, std::span<const GroupRow> groups, const std::int32_t* rows,
                        const Column& column) {
  switch (a.argument_type.kind) {
    case TypeKind::boolean:
      return update_extreme(a, groups, [&](std::size_t k) { return std::int64_t{column.bit(rows[k])}; });
    case TypeKind::float64:
      return update_extreme(a, groups, [&](std::size_t k) { return ordered_double(column.f64()[rows[k]]); });
    default: return update_extreme(a, groups, [v = column.i64(), rows](std::size_t k) { return v[rows[k]]; });
  }
}

template <class T>
void add_i128(T& state, Int128 v) {
  Int192 sum = whole(state);
  sum.add(v);
  state.low = static_cast<std::uint64_t>(sum.low);
  state.middle = static_cast<std::uint64_t>(sum.low >> 64);
  state.high = sum.high;
}

void update_average(const Accumulator& a, std::span<const GroupRow> groups, const std::int32_t* rows,
                    const Column& column) {
  const auto row = [rows](std::size_t k) { return rows[k]; };
  switch (a.kind) {
    case AccumulatorKind::avg_i64:
      return fold_each<AverageI64>(a, groups, row, [v = column.i64()](AverageI64& state, std::int32_t at) {
        const Int128 sum = whole(state.low, state.high) + v[at];
        state = {static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(static_cast<UInt128>(sum) >> 64),
                 state.count + 1};
      });
    case AccumulatorKind::avg_i128:
      return fold_each<AverageI128>(a, groups, row, [v = column.i128()](AverageI128& state, std::int32_t at) {
        add_i128(state, v[at]);
        ++state.count;
      });
    default:
      return fold_each<AverageF64>(a, groups, row, [v = column.f64()](AverageF64& state, std::int32_t at) {
        state.sum += v[at];
        ++state.count;
      });
  }
}

}  // namespace

GroupLayout::GroupLayout(const Schema& input, const std::vector<AggregateCall>& calls, bool fixed_key)
    : fixed_key_(fixed_key) {
  std::uint32_t offset = (kFlags + 1 + static_cast<std::uint32_t>(calls.size()) + 7) / 8 * 8;
  for (const AggregateCall& call : calls) {
    Accumulator a;
    if (call.argument >= 0) a.argument_type = input[call.argument].type;
    a.kind = kind_of(call, a.argument_type);
    a.is_min = call.function == AggregateFunction::min;
    a.argument = call.argument;
    a.filter = call.filter;
    a.result_type =
        result_type(call.function, call.argument >= 0 ? std::optional<Type>(a.argument_type) : std::nullopt);
    a.name = call.name;
    a.offset = offset;
    a.seen = kFlags + 1 + static_cast<std::uint32_t>(accumulators_.size());
    offset += width(a.kind);
    accumulators_.push_back(std::move(a));
  }
  empty_.resize(offset, 0);
  for (const Accumulator& a : accumulators_)
    if (a.kind == AccumulatorKind::extreme_i64) store(empty_.data() + a.offset, a.is_min ? kGreatest : kLeast);
}

void update(const Accumulator& a, std::span<const GroupRow> groups, const std::int32_t* rows, const Column* column,
            ByteArena& arena) {
  const auto row = [rows](std::size_t k) { return rows[k]; };
  switch (a.kind) {
    case AccumulatorKind::count:
      for (const std::uint32_t offset = a.offset; const GroupRow group : groups)
        store(group + offset, load<std::int64_t>(group + offset) + 1);
      return;
    case AccumulatorKind::sum_i64:
      return fold_each<Int128>(a, groups, row, [v = column->i64()](Int128& state, std::int32_t at) { state += v[at]; });
    case AccumulatorKind::sum_i128:
      return fold_each<SumI128>(a, groups, row,
                                [v = column->i128()](SumI128& state, std::int32_t at) { add_i128(state, v[at]); });
    case AccumulatorKind::sum_f64:
      return fold_each<double>(a, groups, row, [v = column->f64()](double& state, std::int32_t at) { state += v[at]; });
    case AccumulatorKind::extreme_i64: return update_extreme_i64(a, groups, rows, *column);
    case AccumulatorKind::extreme_i128:
      return update_first_or_extreme<Int128>(
          a, groups, [&](std::size_t k) { return column->i128()[rows[k]]; }, std::less<>());
    case AccumulatorKind::extreme_interval:
      return update_first_or_extreme<Interval>(
          a, groups, [&](std::size_t k) { return column->intervals()[rows[k]]; }, shorter);
    case AccumulatorKind::extreme_bytes: return update_bytes(a, groups, rows, *column, arena);
    case AccumulatorKind::distinct: KAPPA_CHECK(false, "distinct values are kept beside the group rows"); return;
    default: return update_average(a, groups, rows, *column);
  }
}

}  // namespace kappa
