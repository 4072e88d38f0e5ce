#include "kappa/operators/expression/time_arithmetic.h"

#include <algorithm>

#include "kappa/engine/time_text.h"

namespace kappa::expression {

namespace {

bool add_months(std::int64_t& us, std::int32_t months) {
  if (months == 0) return true;
  std::int64_t days = us / kUsPerDay;
  std::int64_t time = us % kUsPerDay;
  if (time < 0) {
    --days;
    time += kUsPerDay;
  }
  CivilDay day = civil_from_days(days);
  const std::int64_t month = day.year * 12 + day.month - 1 + months;
  if (month < 12 || month >= 120'000) return false;  // years 1 to 9999
  day.year = month / 12;
  day.month = static_cast<int>(month % 12) + 1;
  day.day = std::min(day.day, days_in_month(day.year, day.month));
  us = days_from_civil(day) * kUsPerDay + time;
  return true;
}

bool is_legal(std::int64_t us) { return us >= kTimestampMin && us < kTimestampEnd; }

Fault multiply(Interval& out, const Interval& v, std::int64_t by) {
  out = {};
  const bool overflow = __builtin_mul_overflow(static_cast<std::int64_t>(v.months), by, &out.months) |
                        __builtin_mul_overflow(static_cast<std::int64_t>(v.days), by, &out.days) |
                        __builtin_mul_overflow(v.us, by, &out.us);
  return overflow ? Fault::interval_range : Fault::none;
}

}  // namespace

Fault add_to_instant(std::int64_t& out, std::int64_t us, const Interval& by) {
  out = us;
  if (!is_legal(us) || !add_months(out, by.months)) return Fault::timestamp_range;
  std::int64_t days_us = 0;
  const bool overflow = __builtin_mul_overflow(static_cast<std::int64_t>(by.days), kUsPerDay, &days_us) |
                        __builtin_add_overflow(out, days_us, &out) | __builtin_add_overflow(out, by.us, &out);
  return overflow || !is_legal(out) ? Fault::timestamp_range : Fault::none;
}

Fault add_intervals(Interval& out, const Interval& a, const Interval& b) {
  const bool overflow = __builtin_add_overflow(a.months, b.months, &out.months) |
                        __builtin_add_overflow(a.days, b.days, &out.days) | __builtin_add_overflow(a.us, b.us, &out.us);
  return overflow ? Fault::interval_range : Fault::none;
}

Fault negate_interval(Interval& out, const Interval& v) {
  const bool overflow = __builtin_sub_overflow(0, v.months, &out.months) |
                        __builtin_sub_overflow(0, v.days, &out.days) |
                        __builtin_sub_overflow(std::int64_t{0}, v.us, &out.us);
  return overflow ? Fault::interval_range : Fault::none;
}

Column instant_plus_interval(const Frame& frame) {
  return checked<std::int64_t, std::int64_t, Interval>(frame, add_to_instant);
}

Column interval_plus_instant(const Frame& frame) {
  return checked<std::int64_t, Interval, std::int64_t>(
      frame, [](std::int64_t& out, const Interval& by, std::int64_t us) { return add_to_instant(out, us, by); });
}

Column instant_minus_interval(const Frame& frame) {
  return checked<std::int64_t, std::int64_t, Interval>(
      frame, [](std::int64_t& out, std::int64_t us, const Interval& by) {
        Interval negated;
        out = 0;
        return negate_interval(negated, by) != Fault::none ? Fault::interval_range : add_to_instant(out, us, negated);
      });
}

Column instant_minus_instant(const Frame& frame) {
  return checked<Interval, std::int64_t, std::int64_t>(frame, [](Interval& out, std::int64_t a, std::int64_t b) {
    std::int64_t us = 0;
    if (__builtin_sub_overflow(a, b, &us)) return Fault::interval_range;
    out = {0, static_cast<std::int32_t>(us / kUsPerDay), us % kUsPerDay};
    return Fault::none;
  });
}

Column interval_plus_interval(const Frame& frame) {
  return checked<Interval, Interval, Interval>(frame, add_intervals);
}

Column interval_minus_interval(const Frame& frame) {
  return checked<Interval, Interval, Interval>(frame, [](Interval& out, const Interval& a, const Interval& b) {
    const bool overflow = __builtin_sub_overflow(a.months, b.months, &out.months) |
                          __builtin_sub_overflow(a.days, b.days, &out.days) |
                          __builtin_sub_overflow(a.us, b.us, &out.us);
    return overflow ? Fault::interval_range : Fault::none;
  });
}

Column interval_negated(const Frame& frame) { return checked<Interval, Interval>(frame, negate_interval); }

Column interval_times_bigint(const Frame& frame) { return checked<Interval, Interval, std::int64_t>(frame, multiply); }

Column bigint_times_interval(const Frame& frame) {
  return checked<Interval, std::int64_t, Interval>(
      frame, [](Interval& out, std::int64_t by, const Interval& v) { return multiply(out, v, by); });
}

}  // namespace kappa::expression
