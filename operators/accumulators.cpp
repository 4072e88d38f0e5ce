#include "kappa/operators/accumulators.h"

#include <limits>

#include "kappa/engine/error.h"
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
  for (std::size_t k = 0; k < groups.size(); ++k) {
    std::uint8_t* place = groups[k] + a.offset;
    T state = load<T>(place);
    fold(state, value(k));
    store(place, state);
    groups[k][a.seen] = 1;
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

struct AverageI64 {
  std::uint64_t low, high;  // an Int128 in halves, so that the struct has no padding
  std::int64_t count;
};
struct AverageI128 {
  std::uint64_t low, middle;
  std::int64_t high, count;
};
struct AverageF64 {
  double sum;
  std::int64_t count;
};
struct SumI128 {
  std::uint64_t low, middle;
  std::int64_t high;
};

Int128 whole(std::uint64_t low, std::uint64_t high) {
  return static_cast<Int128>(static_cast<UInt128>(high) << 64 | low);
}

template <class T>
Int192 whole(const T& state) {
  return {static_cast<UInt128>(whole(state.low, state.middle)), state.high};
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

// 10^38: the least magnitude that does not fit numeric(38, s).
Int128 numeric_bound() {
  Int128 bound = 1;
  for (int i = 0; i < 38; ++i) bound *= 10;
  return bound;
}

bool fits_numeric(Int128 v) {
  static const Int128 bound = numeric_bound();
  return v < bound && v > -bound;
}

std::string exceeds(const char* function, Type type) { return std::string(function) + " exceeds " + to_string(type); }

std::string append_sum(Int192 sum, Type type, ColumnBuilder& out) {
  const auto low = static_cast<Int128>(sum.low);
  if (sum.high == (low < 0 ? -1 : 0) && fits_numeric(low)) {
    out.append_i128(low);
    return {};
  }
  out.append_null();
  return exceeds("sum", type);
}

// sum × 10^digits / count, rounded half away from zero, by long division; false where it does not fit numeric(38, s).
bool divide(Int192 sum, std::int64_t count, int digits, Int128& out) {
  const bool negative = sum.high < 0;
  if (negative) {
    sum.low = ~sum.low + 1;
    sum.high = ~sum.high + (sum.low == 0 ? 1 : 0);
  }
  const auto divisor = static_cast<UInt128>(count);
  const std::uint64_t words[] = {static_cast<std::uint64_t>(sum.high), static_cast<std::uint64_t>(sum.low >> 64),
                                 static_cast<std::uint64_t>(sum.low)};
  UInt128 quotient = 0, rest = 0;
  for (const std::uint64_t word : words) {
    rest = rest << 64 | word;  // rest < count < 2^63 before
    if (quotient >> 64 != 0) return false;
    quotient = quotient << 64 | rest / divisor;
    rest %= divisor;
  }
  for (int i = 0; i < digits; ++i) {
    if (quotient >> 124 != 0) return false;
    rest *= 10;
    quotient = quotient * 10 + rest / divisor;
    rest %= divisor;
  }
  if (rest * 2 >= divisor) ++quotient;
  if (quotient >> 127 != 0 || !fits_numeric(static_cast<Int128>(quotient))) return false;
  out = negative ? -static_cast<Int128>(quotient) : static_cast<Int128>(quotient);
  return true;
}

std::string append_average(const Accumulator& a, const std::uint8_t* place, ColumnBuilder& out) {
  if (a.kind == AccumulatorKind::avg_f64) {
    const auto state = load<AverageF64>(place);
    out.append_f64(state.sum / static_cast<double>(state.count));
    return {};
  }
  if (a.kind == AccumulatorKind::avg_i64) {
    const auto state = load<AverageI64>(place);
    out.append_f64(static_cast<double>(whole(state.low, state.high)) / static_cast<double>(state.count));
    return {};
  }
  const auto state = load<AverageI128>(place);
  Int128 average = 0;
  if (divide(whole(state), state.count, a.result_type.scale - a.argument_type.scale, average)) {
    out.append_i128(average);
    return {};
  }
  out.append_null();
  return exceeds("avg", a.result_type);
}

void append_extreme(const Accumulator& a, const std::uint8_t* place, ColumnBuilder& out) {
  switch (a.result_type.kind) {
    case TypeKind::boolean: return out.append_bool(load<std::int64_t>(place) != 0);
    case TypeKind::float64: return out.append_f64(from_ordered_double(load<std::int64_t>(place)));
    case TypeKind::numeric: return out.append_i128(load<Int128>(place));
    case TypeKind::interval: return out.append_interval(load<Interval>(place));
    case TypeKind::text:
    case TypeKind::bytea: {
      const auto state = load<ExtremeBytes>(place);
      return out.append_bytes({state.data, state.size});
    }
    default: return out.append_i64(load<std::int64_t>(place));
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
      for (const GroupRow group : groups) store(group + a.offset, load<std::int64_t>(group + a.offset) + 1);
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

std::string append_result(const Accumulator& a, const std::uint8_t* row, ColumnBuilder& out) {
  const std::uint8_t* place = row + a.offset;
  if (a.kind == AccumulatorKind::count || a.kind == AccumulatorKind::distinct) {
    out.append_i64(load<std::int64_t>(place));
    return {};
  }
  if (row[a.seen] == 0) {
    out.append_null();
    return {};
  }
  switch (a.kind) {
    case AccumulatorKind::sum_i64: {
      const Int128 sum = load<Int128>(place);
      return append_sum({static_cast<UInt128>(sum), sum < 0 ? -1 : 0}, a.result_type, out);
    }
    case AccumulatorKind::sum_i128: return append_sum(whole(load<SumI128>(place)), a.result_type, out);
    case AccumulatorKind::sum_f64: out.append_f64(load<double>(place)); return {};
    case AccumulatorKind::avg_i64:
    case AccumulatorKind::avg_i128:
    case AccumulatorKind::avg_f64: return append_average(a, place, out);
    default: append_extreme(a, place, out); return {};
  }
}

}  // namespace kappa
