#include "kappa/engine/time_text.h"

#include <ctime>
#include <random>

#include "kappa/tests/kit/catch.h"

using namespace kappa;

namespace {
std::string written(std::int64_t us) {
  std::string out;
  append_timestamp(out, us);
  return out;
}
std::string written(Interval value) {
  std::string out;
  append_interval(out, value);
  return out;
}
}  // namespace

TEST_CASE("instants are read in RFC 3339 and its relaxed forms") {
  CHECK(parse_timestamp("1970-01-01") == 0);
  CHECK(parse_timestamp("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_timestamp("1970-01-01 00:00") == 0);
  CHECK(parse_timestamp("1970-01-01t00:00:01z") == 1'000'000);
  CHECK(parse_timestamp("2013-01-02T03:04:05.123456Z") == 1357095845123456);
  CHECK(parse_timestamp("2013-01-02 03:04:05.1") == 1357095845100000);
  CHECK(parse_timestamp("2013-01-02T03:04:05.123456999Z") == 1357095845123456);
  CHECK(parse_timestamp("1970-01-01T05:30:00+05:30") == 0);
  CHECK(parse_timestamp("1970-01-01T05:30:00+0530") == 0);
  CHECK(parse_timestamp("1969-12-31T19:00:00-05") == 0);
  CHECK(parse_timestamp("2000-02-29") == 951782400000000);
  CHECK(parse_timestamp("2016-12-31T23:59:60Z") == parse_timestamp("2017-01-01"));
  CHECK(parse_timestamp("0001-01-01") == kTimestampMin);
  CHECK(parse_timestamp("9999-12-31T23:59:59.999999Z") == kTimestampEnd - 1);
  CHECK(parse_timestamp("2262-01-01") == kEventTimeMax);
}

TEST_CASE("what is no instant is refused") {
  for (const char* text : {"",
                           "2013",
                           "2013-1-2",
                           "2013-13-01",
                           "2013-00-01",
                           "2013-02-29",
                           "1900-02-29",
                           "2013-04-31",
                           "2013-01-00",
                           "2013-01-02T",
                           "2013-01-02T3:04",
                           "2013-01-02T24:00",
                           "2013-01-02T23:60",
                           "2013-01-02T23:59:61",
                           "2013-01-02T23:59:59.",
                           "2013-01-02T23:59:60.5Z",
                           "2013-01-02T23:59:59,5",
                           "2013-01-02Z",
                           "2013-01-02 ",
                           " 2013-01-02",
                           "2013-01-02T00:00:00ZZ",
                           "2013-01-02T00:00:00+",
                           "2013-01-02T00:00:00+5",
                           "2013-01-02T00:00:00+24:00",
                           "2013-01-02T00:00:00+00:60",
                           "2013-01-02T00:00:00+00:",
                           "0000-01-01",
                           "-001-01-01",
                           "2013/01/02",
                           "20130102",
                           "2013-01-02T00:00:00 Europe/Berlin",
                           "9999-12-31T23:59:59-01:00",
                           "0001-01-01T00:00:00+01:00",
                           "99999999999999999999"})
    CHECK_FALSE(parse_timestamp(text).has_value());
  CHECK_FALSE(parse_timestamp(std::string_view("2013-01-02\0", 11)).has_value());
}

TEST_CASE("instants are written with the fewest exact fraction digits") {
  CHECK(written(0) == "1970-01-01T00:00:00Z");
  CHECK(written(1) == "1970-01-01T00:00:00.000001Z");
  CHECK(written(120'000) == "1970-01-01T00:00:00.120Z");
  CHECK(written(-1) == "1969-12-31T23:59:59.999999Z");
  CHECK(written(kEventTimeMax) == "2262-01-01T00:00:00Z");
  CHECK(written(kTimestampEnd) == "+10000-01-01T00:00:00Z");
  CHECK_FALSE(written(std::numeric_limits<std::int64_t>::min()).empty());
  CHECK_FALSE(written(std::numeric_limits<std::int64_t>::max()).empty());
}

TEST_CASE("random instants survive writing and reading, and agree with the C library") {
  const auto seed = GENERATE(1U, 20260801U);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> instant(kTimestampMin, kTimestampEnd - 1);
  for (int i = 0; i < 50'000; ++i) {
    std::int64_t us = instant(random);
    if (i % 3 == 1) us -= us % 1000;
    if (i % 3 == 2) us -= us % kUsPerSecond;
    const std::string text = written(us);
    INFO(text);
    REQUIRE(parse_timestamp(text) == us);
    const std::time_t seconds =
        static_cast<std::time_t>((us - (us % kUsPerSecond + kUsPerSecond) % kUsPerSecond) / kUsPerSecond);
    std::tm parts{};
    REQUIRE(gmtime_r(&seconds, &parts) != nullptr);
    const CivilDay day = civil_from_days((seconds - ((seconds % 86'400) + 86'400) % 86'400) / 86'400);
    REQUIRE(day.year == parts.tm_year + 1900);
    REQUIRE(day.month == parts.tm_mon + 1);
    REQUIRE(day.day == parts.tm_mday);
  }
}

TEST_CASE("every prefix and every changed byte of an instant is read or refused, never misread") {
  const std::string whole = "2013-01-02T03:04:05.123456+05:30";
  for (std::size_t size = 0; size <= whole.size(); ++size) (void)parse_timestamp(whole.substr(0, size));
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int c = 0; c < 256; ++c) {
      std::string changed = whole;
      changed[at] = static_cast<char>(c);
      if (const auto us = parse_timestamp(changed); us && changed != whole)
        REQUIRE(parse_timestamp(written(*us)) == us);
    }
}

TEST_CASE("intervals are read in PostgreSQL's forms") {
  const std::int64_t second = kUsPerSecond;
  CHECK(parse_interval("10 seconds") == Interval{0, 0, 10 * second});
  CHECK(parse_interval("5s") == Interval{0, 0, 5 * second});
  CHECK(parse_interval("1h 30m") == Interval{0, 0, 5400 * second});
  CHECK(parse_interval("1h30m") == Interval{0, 0, 5400 * second});
  CHECK(parse_interval("1 day 02:00:00") == Interval{0, 1, 7200 * second});
  CHECK(parse_interval("-1 day +02:03:04.5") == Interval{0, -1, 7384'500'000});
  CHECK(parse_interval("-00:00:01") == Interval{0, 0, -second});
  CHECK(parse_interval("1 YEAR 2 mons") == Interval{14, 0, 0});
  CHECK(parse_interval("1.5 months") == Interval{1, 15, 0});
  CHECK(parse_interval("1.5 weeks") == Interval{0, 10, 12 * kUsPerHour});
  CHECK(parse_interval("1.1 years") == Interval{13, 0, 0});
  CHECK(parse_interval("250 ms") == Interval{0, 0, 250'000});
  CHECK(parse_interval("7 µs") == Interval{0, 0, 7});
  CHECK(parse_interval("@ 2 weeks ago") == Interval{0, -14, 0});
  CHECK(parse_interval("90") == Interval{0, 0, 90 * second});
  CHECK(parse_interval(".5 s") == Interval{0, 0, 500'000});
  CHECK(parse_interval("PT6H") == Interval{0, 0, 6 * kUsPerHour});
  CHECK(parse_interval("P1Y2M3DT4H5M6.7S") == Interval{14, 3, 4 * kUsPerHour + 5 * kUsPerMinute + 6'700'000});
  CHECK(parse_interval("P-1DT-0.5S") == Interval{0, -1, -500'000});
  CHECK(parse_interval("p2w") == Interval{0, 14, 0});
  CHECK(parse_interval(" 1 day ") == Interval{0, 1, 0});
}

TEST_CASE("what is no interval is refused") {
  for (const char* text : {"",
                           " ",
                           "s",
                           "day",
                           "1 fortnight",
                           "1 day 1 day",
                           "1 2",
                           "1 day ago ago",
                           "ago",
                           "P",
                           "PT",
                           "P1",
                           "P1DT",
                           "P1H",
                           "PT1D",
                           "PT1H1H",
                           "1:2:3:4",
                           "1:60",
                           "1:00:60",
                           "1.5:00",
                           "1 day 01:00 01:00",
                           "1h 01:00",
                           "--1 day",
                           "1e3 s",
                           "99999999999999999999 s",
                           "3000000000 days",
                           "9223372036854775807 hours",
                           "178956971 years",
                           "1 day!",
                           ".",
                           "1 .. day",
                           "P1Y2",
                           "@",
                           "-",
                           "1 microsecondsmicroseconds"}) {
    INFO(text);
    CHECK_FALSE(parse_interval(text).has_value());
  }
}

TEST_CASE("random intervals survive writing and reading") {
  const auto seed = GENERATE(2U, 20260802U);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const Interval value{static_cast<std::int32_t>(random() % 2000) - 1000,
                         static_cast<std::int32_t>(random() % 200) - 100,
                         static_cast<std::int64_t>(random() >> (1 + random() % 50)) * (i % 2 == 0 ? 1 : -1)};
    INFO(written(value));
    REQUIRE(parse_interval(written(value)) == value);
  }
  CHECK(written(Interval{}) == "PT0S");
  CHECK(written(Interval{14, 3, 4 * kUsPerHour + 5 * kUsPerMinute + 6'700'000}) == "P1Y2M3DT4H5M6.7S");
  CHECK(written(Interval{-1, 0, -500'000}) == "P-1MT-0.5S");
}
