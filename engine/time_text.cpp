#include "kappa/engine/time_text.h"

#include <charconv>

namespace kappa {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from the left; every read fails without moving past the end.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  [[nodiscard]] char peek() const { return done() ? '\0' : *at_; }
  bool skip(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  // Exactly `count` digits, or -1.
  int digits(int count) {
    if (end_ - at_ < count) return -1;
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!is_digit(at_[i])) return -1;
      value = value * 10 + (at_[i] - '0');
    }
    at_ += count;
    return value;
  }
  // Any number of digits as microseconds, at least one, or -1.
  int fraction() {
    if (!is_digit(peek())) return -1;
    int value = 0;
    int unit = 100'000;
    for (; is_digit(peek()); ++at_, unit /= 10) value += unit * (*at_ - '0');
    return value;
  }

 private:
  const char* at_;
  const char* end_;
};

// Microseconds since midnight, or -1.
std::int64_t read_time(TimestampReader& in) {
  const int hour = in.digits(2);
  if (hour < 0 || hour > 23 || !in.skip(':')) return -1;
  const int minute = in.digits(2);
  if (minute < 0 || minute > 59) return -1;
  std::int64_t us = hour * kUsPerHour + minute * kUsPerMinute;
  if (!in.skip(':')) return us;
  const int second = in.digits(2);
  if (second < 0 || second > 60) return -1;
  us += second * kUsPerSecond;
  if (!in.skip('.')) return us;
  const int fraction = in.fraction();
  return fraction < 0 || second == 60 ? -1 : us + fraction;
}

// The zone's offset from UTC in microseconds; none is UTC.
std::optional<std::int64_t> read_zone(TimestampReader& in) {
  if (in.done() || in.skip('Z') || in.skip('z')) return 0;
  const bool negative = in.peek() == '-';
  if (!in.skip('+') && !in.skip('-')) return std::nullopt;
  const int hours = in.digits(2);
  int minutes = 0;
  if (in.skip(':') || is_digit(in.peek())) minutes = in.digits(2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::int64_t us = hours * kUsPerHour + minutes * kUsPerMinute;
  return negative ? -us : us;
}

void append_padded(std::string& out, std::int64_t value, int width) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  for (auto length = end - digits; length < width; ++length) out += '0';
  out.append(digits, end);
}

}  // namespace

std::int64_t days_from_civil(CivilDay day) {
  // Years begin in March, so the leap day is the last: an era has 400 of them.
  const std::int64_t year = day.year - (day.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (day.month + (day.month > 2 ? -3 : 9)) + 2) / 5 + day.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

CivilDay civil_from_days(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

int days_in_month(std::int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  TimestampReader in(text);
  const int year = in.digits(4);
  if (year < 1 || !in.skip('-')) return std::nullopt;
  const int month = in.digits(2);
  if (month < 1 || month > 12 || !in.skip('-')) return std::nullopt;
  const int day = in.digits(2);
  if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
  const std::int64_t midnight = days_from_civil({year, month, day}) * kUsPerDay;
  if (in.done()) return midnight;
  if (!in.skip('T') && !in.skip(' ') && !in.skip('t')) return std::nullopt;
  const std::int64_t time = read_time(in);
  if (time < 0) return std::nullopt;
  const auto zone = read_zone(in);
  if (!zone || !in.done()) return std::nullopt;
  const std::int64_t us = midnight + time - *zone;
  if (us < kTimestampMin || us >= kTimestampEnd) return std::nullopt;
  return us;
}

void append_timestamp(std::string& out, std::int64_t us) {
  std::int64_t days = us / kUsPerDay;
  std::int64_t time = us % kUsPerDay;
  if (time < 0) {
    --days;
    time += kUsPerDay;
  }
  const CivilDay day = civil_from_days(days);
  if (day.year < 0) out += '-';
  if (day.year > 9999) out += '+';
  append_padded(out, day.year < 0 ? -day.year : day.year, 4);
  out += '-';
  append_padded(out, day.month, 2);
  out += '-';
  append_padded(out, day.day, 2);
  out += 'T';
  append_padded(out, time / kUsPerHour, 2);
  out += ':';
  append_padded(out, time / kUsPerMinute % 60, 2);
  out += ':';
  append_padded(out, time / kUsPerSecond % 60, 2);
  if (const std::int64_t fraction = time % kUsPerSecond; fraction != 0) {
    out += '.';
    if (fraction % 1000 == 0)
      append_padded(out, fraction / 1000, 3);
    else
      append_padded(out, fraction, 6);
  }
  out += 'Z';
}

std::string timestamp_text(std::int64_t us) {
  std::string out;
  append_timestamp(out, us);
  return out;
}

}  // namespace kappa
