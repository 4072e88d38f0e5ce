// date_trunc, date_bin, extract, date_part, to_timestamp: all in UTC.
#include <cmath>

#include "kappa/engine/time_text.h"
#include "kappa/operators/expression/characters.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

enum class Unit : std::uint8_t {
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
  epoch,
  dow,
  isodow,
  doy,
  isoyear
};

struct UnitName {
  std::string_view name;
  Unit unit;
};
constexpr UnitName kUnits[] = {{"microsecond", Unit::microsecond},
                               {"microseconds", Unit::microsecond},
                               {"millisecond", Unit::millisecond},
                               {"milliseconds", Unit::millisecond},
                               {"second", Unit::second},
                               {"seconds", Unit::second},
                               {"minute", Unit::minute},
                               {"minutes", Unit::minute},
                               {"hour", Unit::hour},
                               {"hours", Unit::hour},
                               {"day", Unit::day},
                               {"days", Unit::day},
                               {"week", Unit::week},
                               {"weeks", Unit::week},
                               {"month", Unit::month},
                               {"months", Unit::month},
                               {"quarter", Unit::quarter},
                               {"year", Unit::year},
                               {"years", Unit::year},
                               {"epoch", Unit::epoch},
                               {"dow", Unit::dow},
                               {"isodow", Unit::isodow},
                               {"doy", Unit::doy},
                               {"isoyear", Unit::isoyear}};

Unit constant_unit(const Function& function, const ExpressionPtr& expression, bool for_trunc) {
  const Literal* literal = as_literal(expression);
  if (literal == nullptr || literal->value().is_null() || literal->type().kind != TypeKind::text)
    usage_error("the unit of " + function.name + " must be a constant such as 'hour', not " + expression->text());
  std::string name = std::get<std::string>(literal->value().data);
  for (char& c : name) c = ascii_lower(c);
  for (const UnitName& entry : kUnits)
    if (entry.name == name && !(for_trunc && entry.unit > Unit::year)) return entry.unit;
  std::string known;
  for (const UnitName& entry : kUnits)
    if (!entry.name.ends_with("s") && !(for_trunc && entry.unit > Unit::year))
      known += (known.empty() ? "" : ", ") + std::string(entry.name);
  usage_error(function.name + " does not know the unit " + shown(name) + "; it knows " + known);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Also of garbage under nulls: kept where the calendar's arithmetic stays in range.
std::int64_t tamed(std::int64_t us) { return us >= kTimestampMin && us < kTimestampEnd ? us : 0; }

constexpr std::int64_t kUsPerWeek = 7 * kUsPerDay;
constexpr std::int64_t kMonday = 4 * kUsPerDay;  // 1970-01-05

// The unit's length where all are equally long, else 0.
std::int64_t fixed_length(Unit unit) {
  switch (unit) {
    case Unit::microsecond: return 1;
    case Unit::millisecond: return 1000;
    case Unit::second: return kUsPerSecond;
    case Unit::minute: return kUsPerMinute;
    case Unit::hour: return kUsPerHour;
    case Unit::day: return kUsPerDay;
    default: return 0;
  }
}

std::int64_t truncate_calendar(std::int64_t us, Unit unit) {
  CivilDay day = civil_from_days(floor_div(tamed(us), kUsPerDay));
  day.day = 1;
  if (unit == Unit::quarter) day.month -= (day.month - 1) % 3;
  if (unit == Unit::year) day.month = 1;
  return days_from_civil(day) * kUsPerDay;
}

Kernel trunc_kernel(Unit unit) {
  if (const std::int64_t length = fixed_length(unit); length > 0)
    return [length](const Frame& frame) {
      return map<std::int64_t, std::int64_t>(
          frame, [length](std::int64_t us) { return floor_div(tamed(us), length) * length; });
    };
  if (unit == Unit::week)
    return [](const Frame& frame) {
      return map<std::int64_t, std::int64_t>(
          frame, [](std::int64_t us) { return floor_div(tamed(us) - kMonday, kUsPerWeek) * kUsPerWeek + kMonday; });
    };
  return [unit](const Frame& frame) {
    return map<std::int64_t, std::int64_t>(frame, [unit](std::int64_t us) { return truncate_calendar(us, unit); });
  };
}

// The first Monday of ISO year `year`: that of the week with January 4th.
std::int64_t iso_year_start(std::int64_t year) {
  const std::int64_t fourth = days_from_civil({year, 1, 4});
  return fourth - ((fourth + 3) % 7 + 7) % 7;
}

std::int64_t iso_year_of(std::int64_t days, std::int64_t year) {
  if (days >= iso_year_start(year + 1)) return year + 1;
  return days < iso_year_start(year) ? year - 1 : year;
}

// The field as a count of 10^-6 (seconds, epoch), 10^-3 (milliseconds), else 1.
std::int64_t field_of(std::int64_t raw, Unit unit) {
  const std::int64_t us = tamed(raw);
  const std::int64_t days = floor_div(us, kUsPerDay);
  const std::int64_t time = us - days * kUsPerDay;
  const CivilDay day = civil_from_days(days);
  const std::int64_t weekday = ((days + 3) % 7 + 7) % 7;  // Monday is 0
  switch (unit) {
    case Unit::epoch: return us;
    case Unit::second:
    case Unit::millisecond:
    case Unit::microsecond: return time % kUsPerMinute;
    case Unit::minute: return time / kUsPerMinute % 60;
    case Unit::hour: return time / kUsPerHour;
    case Unit::day: return day.day;
    case Unit::week: return (days - iso_year_start(iso_year_of(days, day.year))) / 7 + 1;
    case Unit::month: return day.month;
    case Unit::quarter: return (day.month - 1) / 3 + 1;
    case Unit::year: return day.year;
    case Unit::dow: return (weekday + 1) % 7;
    case Unit::isodow: return weekday + 1;
    case Unit::doy: return days - days_from_civil({day.year, 1, 1}) + 1;
    case Unit::isoyear: return iso_year_of(days, day.year);
  }
  return 0;
}

// Fields of an interval; epoch counts a year as 365.25 days and a month as 30, as PostgreSQL.
Int128 interval_field(const Interval& v, Unit unit) {
  constexpr Int128 kYear = static_cast<Int128>(kUsPerDay) * 1461 / 4;
  switch (unit) {
    case Unit::epoch:
      return v.months / 12 * kYear + static_cast<Int128>(v.months % 12) * 30 * kUsPerDay +
             static_cast<Int128>(v.days) * kUsPerDay + v.us;
    case Unit::second:
    case Unit::millisecond:
    case Unit::microsecond: return v.us % kUsPerMinute;
    case Unit::minute: return v.us / kUsPerMinute % 60;
    case Unit::hour: return v.us / kUsPerHour;
    case Unit::day: return v.days;
    case Unit::month: return v.months % 12;
    case Unit::quarter: return v.months % 12 / 3 + 1;
    case Unit::year: return v.months / 12;
    default: return 0;
  }
}

int field_scale(Unit unit) {
  if (unit == Unit::epoch || unit == Unit::second) return 6;
  return unit == Unit::millisecond ? 3 : 0;
}

Kernel field_kernel(Unit unit, bool of_interval, bool as_double) {
  const double divisor = unit == Unit::millisecond ? 1e3 : field_scale(unit) == 6 ? 1e6 : 1;
  if (of_interval && as_double)
    return [=](const Frame& frame) {
      return map<double, Interval>(
          frame, [=](const Interval& v) { return static_cast<double>(interval_field(v, unit)) / divisor; });
    };
  if (of_interval)
    return [=](const Frame& frame) {
      return map<Int128, Interval>(frame, [=](const Interval& v) { return interval_field(v, unit); });
    };
  if (as_double)
    return [=](const Frame& frame) {
      return map<double, std::int64_t>(
          frame, [=](std::int64_t us) { return static_cast<double>(field_of(us, unit)) / divisor; });
    };
  return [=](const Frame& frame) {
    return map<Int128, std::int64_t>(frame, [=](std::int64_t us) { return static_cast<Int128>(field_of(us, unit)); });
  };
}

ExpressionPtr build_trunc(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  const Unit unit = constant_unit(function, arguments[0], true);
  const ExpressionPtr instant = coerced(arguments[1], TypeKind::timestamptz);
  if (!instant) no_overload(function, arguments);
  return make_call({"date_trunc", Style::unit_first, Type::timestamptz(), true, false, trunc_kernel(unit), 1},
                   {instant, arguments[0]});
}

ExpressionPtr build_field(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  const Unit unit = constant_unit(function, arguments[0], false);
  const bool of_interval = arguments[1]->type().kind == TypeKind::interval;
  const ExpressionPtr source = coerced(arguments[1], of_interval ? TypeKind::interval : TypeKind::timestamptz);
  if (!source) no_overload(function, arguments);
  if (of_interval && (unit > Unit::epoch || unit == Unit::week))
    usage_error(function.name + " of an interval has no such unit: " + arguments[0]->text());
  const bool as_double = function.name == "date_part";
  const auto scale = static_cast<std::uint8_t>(field_scale(unit));
  const Type type = as_double ? Type::float64() : Type::numeric(scale == 6 ? 26 : 20, scale);
  return make_call({function.name, Style::unit_first, type, true, false, field_kernel(unit, of_interval, as_double), 1},
                   {source, arguments[0]});
}

Column to_timestamp(const Frame& frame) {
  return checked<std::int64_t, double>(frame, [](std::int64_t& out, double seconds) {
    const double us = std::nearbyint(seconds * 1e6);
    const bool fits = us >= static_cast<double>(kTimestampMin) && us < static_cast<double>(kTimestampEnd);
    out = fits ? static_cast<std::int64_t>(us) : 0;
    return fits ? Fault::none : Fault::timestamp_range;
  });
}

// Exact where the seconds are integers.
Column to_timestamp_bigint(const Frame& frame) {
  return checked<std::int64_t, std::int64_t>(frame, [](std::int64_t& out, std::int64_t seconds) {
    const bool fits = seconds >= kTimestampMin / kUsPerSecond && seconds < kTimestampEnd / kUsPerSecond;
    out = fits ? seconds * kUsPerSecond : 0;
    return fits ? Fault::none : Fault::timestamp_range;
  });
}

Column date_bin(const Frame& frame) {
  return checked<std::int64_t, Interval, std::int64_t, std::int64_t>(
      frame, [](std::int64_t& out, const Interval& stride, std::int64_t us, std::int64_t origin) {
        const Int128 length = static_cast<Int128>(stride.days) * kUsPerDay + stride.us;
        out = 0;
        if (stride.months != 0 || length <= 0 || length > kTimestampEnd) return Fault::interval_range;
        const auto width = static_cast<std::int64_t>(length);
        out = tamed(origin) + floor_div(tamed(us) - tamed(origin), width) * width;
        return out < kTimestampMin ? Fault::timestamp_range : Fault::none;
      });
}

}  // namespace

void add_time(Functions& functions) {
  functions.push_back(
      {"date_trunc", "date_trunc(unit, timestamptz) → timestamptz; in UTC, weeks begin on Monday", {}, build_trunc});
  functions.push_back({"date_bin", "date_bin(stride, timestamptz, origin) → timestamptz", {{"izz", 'z', date_bin}}});
  functions.push_back({"extract", "extract(unit FROM timestamptz or interval) → numeric", {}, build_field});
  functions.push_back({"date_part", "date_part(unit, timestamptz or interval) → double precision", {}, build_field});
  functions.push_back({"to_timestamp",
                       "to_timestamp(seconds since 1970) → timestamptz",
                       {{"b", 'z', to_timestamp_bigint}, {"d", 'z', to_timestamp}}});
}

}  // namespace kappa::expression
