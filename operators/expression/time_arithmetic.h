// kappa/operators/expression/time_arithmetic.h: sums and differences of instants and intervals (internal to this
// directory). Days have 24 hours, since everything is UTC; months end where the calendar's do.
#pragma once

#include "kappa/operators/expression/kernel.h"

namespace kappa::expression {

Fault add_to_instant(std::int64_t& out, std::int64_t us, const Interval& by);
Fault add_intervals(Interval& out, const Interval& a, const Interval& b);
Fault negate_interval(Interval& out, const Interval& v);

Column instant_plus_interval(const Frame& frame);
Column interval_plus_instant(const Frame& frame);
Column instant_minus_interval(const Frame& frame);
/// Whole days and the rest, as PostgreSQL.
Column instant_minus_instant(const Frame& frame);
Column interval_plus_interval(const Frame& frame);
Column interval_minus_interval(const Frame& frame);
Column interval_negated(const Frame& frame);
Column interval_times_bigint(const Frame& frame);
Column bigint_times_interval(const Frame& frame);

}  // namespace kappa::expression
