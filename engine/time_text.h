// kappa/engine/time_text.h: instants and intervals as text, and the proleptic Gregorian calendar in UTC behind them.
//
// No locale, no time zone database: a zone is an offset in the text; a text without one is UTC.
//
// Threads:  pure functions.
// Errors:   parsers give nullopt for whatever they do not understand completely; nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kappa/engine/types.h"

namespace kappa {

/// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z (exclusive): what four digits of a year can write.
inline constexpr std::int64_t kTimestampMin = -62'135'596'800'000'000;
inline constexpr std::int64_t kTimestampEnd = 253'402'300'800'000'000;

/// RFC 3339 and its relaxations: "2013-01-02", "2013-01-02 03:04", "2013-01-02T03:04:05.123456Z", "… 03:04:05+05:30",
/// "+0530", "+05"; T may be t or a space, Z may be z. No zone means UTC. Fraction digits beyond the sixth are cut, so
/// an instant never moves forward. A leap second (:60) is the next minute's first. No surrounding blanks.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp(std::string_view text);

/// RFC 3339 UTC with no fraction, 3 or 6 digits, the fewest that are exact: "2013-01-02T03:04:05.120Z". Instants
/// outside [kTimestampMin, kTimestampEnd) get a sign and as many digits of the year as they need.
void append_timestamp(std::string& out, std::int64_t us);
[[nodiscard]] std::string timestamp_text(std::int64_t us);

/// PostgreSQL's common forms, case-insensitive: "10 seconds", "1 day 02:00:00", "5s", "1h 30m", "-3 days", "1.5 hours",
/// "2 weeks ago", ISO 8601 "P1DT6H", "PT0.5S"; a bare number is seconds. Units from microseconds (us) to millennia; `m`
/// is minutes (in ISO's date part months), `mon` months. Each unit at most once.
[[nodiscard]] std::optional<Interval> parse_interval(std::string_view text);

/// ISO 8601 as PostgreSQL's intervalstyle iso_8601 writes it: "P1Y2M3DT4H5M6.7S", "PT-0.5S", "PT0S".
void append_interval(std::string& out, Interval value);

/// A calendar day; month and day count from 1.
struct CivilDay {
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
};
/// Days since 1970-01-01. Requires: |year| < 10^9; the day may exceed its month (it counts on).
[[nodiscard]] std::int64_t days_from_civil(CivilDay day);
[[nodiscard]] CivilDay civil_from_days(std::int64_t days);
[[nodiscard]] int days_in_month(std::int64_t year, int month);

inline constexpr std::int64_t kUsPerSecond = 1'000'000;
inline constexpr std::int64_t kUsPerMinute = 60 * kUsPerSecond;
inline constexpr std::int64_t kUsPerHour = 60 * kUsPerMinute;
inline constexpr std::int64_t kUsPerDay = 24 * kUsPerHour;

}  // namespace kappa
