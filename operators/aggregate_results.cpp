// From accumulators to the columns of results.
#include "kappa/engine/error.h"
#include "kappa/operators/accumulator_state.h"
#include "kappa/operators/group_order.h"
#include "kappa/operators/state_key.h"

namespace kappa {

namespace {
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

// Appends the result; where it has none, a null and its cause is returned.
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

// The results that are in the row as the column holds them: eight bytes.
bool is_plain(const Accumulator& a) {
  return a.kind == AccumulatorKind::count || a.kind == AccumulatorKind::distinct ||
         a.kind == AccumulatorKind::sum_f64 ||
         (a.kind == AccumulatorKind::extreme_i64 &&
          (a.result_type.kind == TypeKind::bigint || a.result_type.kind == TypeKind::timestamptz));
}

Column plain_results(const Accumulator& a, std::span<const OrderedGroup> groups) {
  const std::size_t rows = groups.size();
  Buffer values = Buffer::allocate(rows * 8), validity;
  auto* out = values.as_mutable<std::int64_t>();
  bool any_null = false;
  const bool always = a.kind == AccumulatorKind::count || a.kind == AccumulatorKind::distinct;
  for (std::size_t k = 0; k < rows; ++k) {
    out[k] = load<std::int64_t>(groups[k].row + a.offset);
    any_null |= groups[k].row[a.seen] == 0;
  }
  if (any_null && !always) {
    validity = Buffer::allocate(bitmap_bytes(static_cast<std::int64_t>(rows)));
    std::memset(validity.mutable_data(), 0, validity.size());
    for (std::size_t k = 0; k < rows; ++k)
      set_bit(validity.mutable_data(), static_cast<std::int64_t>(k), groups[k].row[a.seen] != 0);
  }
  return {a.result_type, static_cast<std::int64_t>(rows), std::move(values), std::move(validity)};
}
}  // namespace

Column results(const Accumulator& a, std::span<const OrderedGroup> groups,
               std::map<std::int64_t, std::string>& causes) {
  if (is_plain(a)) return plain_results(a, groups);
  ColumnBuilder builder(a.result_type);
  builder.reserve(static_cast<std::int64_t>(groups.size()));
  for (std::size_t k = 0; k < groups.size(); ++k) {
    std::string cause = append_result(a, groups[k].row, builder);
    if (!cause.empty()) causes.emplace(static_cast<std::int64_t>(k), cause + " in " + a.name);
  }
  return builder.finish();
}

}  // namespace kappa
