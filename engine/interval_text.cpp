// Intervals as text (engine/time_text.h): PostgreSQL's verbose forms and ISO 8601.
#include <array>
#include <charconv>
#include <limits>

#include "kappa/engine/time_text.h"

namespace kappa {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

enum class Unit : std::uint8_t { us, ms, second, minute, hour, day, week, month, year, decade, century, millennium };

struct Name {
  std::string_view name;
  Unit unit;
};
constexpr Name kNames[] = {{"us", Unit::us},
                           {"usec", Unit::us},
                           {"usecs", Unit::us},
                           {"microsecond", Unit::us},
                           {"microseconds", Unit::us},
                           {"\xc2\xb5s", Unit::us},
                           {"\xce\xbcs", Unit::us},
                           {"ms", Unit::ms},
                           {"msec", Unit::ms},
                           {"msecs", Unit::ms},
                           {"millisecond", Unit::ms},
                           {"milliseconds", Unit::ms},
                           {"s", Unit::second},
                           {"sec", Unit::second},
                           {"secs", Unit::second},
                           {"second", Unit::second},
                           {"seconds", Unit::second},
                           {"m", Unit::minute},
                           {"min", Unit::minute},
                           {"mins", Unit::minute},
                           {"minute", Unit::minute},
                           {"minutes", Unit::minute},
                           {"h", Unit::hour},
                           {"hr", Unit::hour},
                           {"hrs", Unit::hour},
                           {"hour", Unit::hour},
                           {"hours", Unit::hour},
                           {"d", Unit::day},
                           {"day", Unit::day},
                           {"days", Unit::day},
                           {"w", Unit::week},
                           {"week", Unit::week},
                           {"weeks", Unit::week},
                           {"mon", Unit::month},
                           {"mons", Unit::month},
                           {"month", Unit::month},
                           {"months", Unit::month},
                           {"y", Unit::year},
                           {"yr", Unit::year},
                           {"yrs", Unit::year},
                           {"year", Unit::year},
                           {"years", Unit::year},
                           {"decade", Unit::decade},
                           {"decades", Unit::decade},
                           {"century", Unit::century},
                           {"centuries", Unit::century},
                           {"millennium", Unit::millennium},
                           {"millennia", Unit::millennium}};

std::optional<Unit> unit_named(std::string_view name) {
  std::array<char, 16> folded{};
  if (name.size() > folded.size()) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) folded[i] = lower(name[i]);
  const std::string_view wanted(folded.data(), name.size());
  for (const Name& entry : kNames)
    if (entry.name == wanted) return entry.unit;
  return std::nullopt;
}

constexpr std::int64_t kNano = 1'000'000'000;

// A decimal number: whole + nanos / 10^9, both with the sign.
struct Number {
  std::int64_t whole = 0;
  std::int64_t nanos = 0;
};

// The sum of parts, in 128 bits; checked once at the end.
class Sum {
 public:
  bool add(Number n, Unit unit) {
    const auto bit = static_cast<unsigned>(1U << static_cast<unsigned>(unit));
    if (seen_ & bit) return false;
    seen_ |= bit;
    switch (unit) {
      case Unit::us: return add_us(n, 1);
      case Unit::ms: return add_us(n, 1000);
      case Unit::second: return add_us(n, kUsPerSecond);
      case Unit::minute: return add_us(n, kUsPerMinute);
      case Unit::hour: return add_us(n, kUsPerHour);
      case Unit::day: return add_days(n, 1);
      case Unit::week: return add_days(n, 7);
      case Unit::month: return add_months(n);
      case Unit::year: return add_years(n, 1);
      case Unit::decade: return add_years(n, 10);
      case Unit::century: return add_years(n, 100);
      case Unit::millennium: return add_years(n, 1000);
    }
    return false;
  }
  bool add_clock(Int128 us) {
    constexpr unsigned kClock = 0b11100;
    if (seen_ & kClock) return false;
    seen_ |= kClock;
    us_ += us;
    return true;
  }
  [[nodiscard]] bool empty() const { return seen_ == 0; }
  void negate() { months_ = -months_, days_ = -days_, us_ = -us_; }
  [[nodiscard]] std::optional<Interval> value() const {
    constexpr Int128 kMax32 = std::numeric_limits<std::int32_t>::max();
    constexpr Int128 kMax64 = std::numeric_limits<std::int64_t>::max();
    if (months_ > kMax32 || months_ < -kMax32 || days_ > kMax32 || days_ < -kMax32) return std::nullopt;
    if (us_ > kMax64 || us_ < -kMax64) return std::nullopt;
    return Interval{static_cast<std::int32_t>(months_), static_cast<std::int32_t>(days_),
                    static_cast<std::int64_t>(us_)};
  }

 private:
  static Int128 rounded(Int128 nanos) { return (nanos + (nanos < 0 ? -kNano / 2 : kNano / 2)) / kNano; }
  bool add_us(Number n, std::int64_t unit) {
    us_ += static_cast<Int128>(n.whole) * unit + rounded(static_cast<Int128>(n.nanos) * unit);
    return true;
  }
  bool add_days(Number n, int unit) {
    const Int128 nanos = static_cast<Int128>(n.nanos) * unit;
    days_ += static_cast<Int128>(n.whole) * unit + nanos / kNano;
    us_ += rounded(nanos % kNano * kUsPerDay);
    return true;
  }
  bool add_months(Number n) {
    months_ += n.whole;
    const Int128 nanos = static_cast<Int128>(n.nanos) * 30;
    days_ += nanos / kNano;
    us_ += rounded(nanos % kNano * kUsPerDay);
    return true;
  }
  bool add_years(Number n, int unit) {
    months_ += static_cast<Int128>(n.whole) * unit * 12 + rounded(static_cast<Int128>(n.nanos) * unit * 12);
    return true;
  }

  unsigned seen_ = 0;
  Int128 months_ = 0, days_ = 0, us_ = 0;
};

class IntervalReader {
 public:
  explicit IntervalReader(std::string_view text) : text_(text) {}

  std::optional<Interval> read() {
    skip_blanks();
    skip('@');
    skip_blanks();
    if (!(peek() == 'P' || peek() == 'p' ? read_iso() : read_verbose())) return std::nullopt;
    return sum_.value();
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool skip(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::string_view word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }
  // Unsigned digits into `value`; false where there are none or too many.
  bool digits(std::int64_t& value) {
    const char* first = text_.data() + at_;
    if (!is_digit(peek())) return false;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
    at_ += static_cast<std::size_t>(end - first);
    return error == std::errc();
  }
  std::int64_t fraction() {
    std::int64_t nanos = 0;
    for (std::int64_t unit = kNano / 10; is_digit(peek()); ++at_, unit /= 10) nanos += unit * (text_[at_] - '0');
    return nanos;
  }

  bool read_number(Number& n, bool& negative) {
    negative = peek() == '-';
    if (!skip('-')) skip('+');
    n = {};
    const bool whole = is_digit(peek());
    if (whole && !digits(n.whole)) return false;
    if (skip('.')) {
      if (!whole && !is_digit(peek())) return false;
      n.nanos = fraction();
    } else if (!whole) {
      return false;
    }
    if (negative) n = {-n.whole, -n.nanos};
    return true;
  }

  // Behind "HH", at the colon: ":MM[:SS[.ffffff]]".
  bool read_clock(Number hours, bool negative) {
    std::int64_t minutes = 0;
    Number seconds;
    if (hours.nanos != 0 || !skip(':') || !digits(minutes) || minutes > 59) return false;
    if (skip(':')) {
      if (!digits(seconds.whole) || seconds.whole > 59) return false;
      if (skip('.')) seconds.nanos = fraction();
    }
    const Int128 rest = static_cast<Int128>(minutes) * kUsPerMinute +
                        static_cast<Int128>(seconds.whole) * kUsPerSecond + (seconds.nanos + 500) / 1000;
    return sum_.add_clock(static_cast<Int128>(hours.whole) * kUsPerHour + (negative ? -rest : rest));
  }

  bool read_verbose() {
    while (skip_blanks(), at_ < text_.size()) {
      if (is_letter(peek())) return read_ago();
      Number n;
      bool negative = false;
      if (!read_number(n, negative)) return false;
      if (peek() == ':') {
        if (!read_clock(n, negative)) return false;
        continue;
      }
      skip_blanks();
      const std::string_view name = word();
      if (name.empty()) return at_ == text_.size() && sum_.add(n, Unit::second);
      const auto unit = unit_named(name);
      if (!unit || !sum_.add(n, *unit)) return false;
    }
    return !sum_.empty();
  }

  bool read_ago() {
    const std::string_view name = word();
    skip_blanks();
    if (sum_.empty() || at_ != text_.size() || name.size() != 3) return false;
    if (lower(name[0]) != 'a' || lower(name[1]) != 'g' || lower(name[2]) != 'o') return false;
    sum_.negate();
    return true;
  }

  bool read_iso() {
    ++at_;
    bool in_time = false;
    while (at_ < text_.size() && !is_blank(text_[at_])) {
      if (lower(peek()) == 't') {
        if (in_time || ++at_ == text_.size()) return false;
        in_time = true;
        continue;
      }
      Number n;
      bool negative = false;
      if (!read_number(n, negative)) return false;
      const auto unit = iso_unit(lower(peek()), in_time);
      if (!unit || !sum_.add(n, *unit)) return false;
      ++at_;
    }
    skip_blanks();
    return at_ == text_.size() && !sum_.empty();
  }

  static std::optional<Unit> iso_unit(char c, bool in_time) {
    switch (c) {
      case 'y': return in_time ? std::nullopt : std::optional(Unit::year);
      case 'm': return in_time ? Unit::minute : Unit::month;
      case 'w': return in_time ? std::nullopt : std::optional(Unit::week);
      case 'd': return in_time ? std::nullopt : std::optional(Unit::day);
      case 'h': return in_time ? std::optional(Unit::hour) : std::nullopt;
      case 's': return in_time ? std::optional(Unit::second) : std::nullopt;
      default: return std::nullopt;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Sum sum_;
};

void append_part(std::string& out, std::int64_t value, char unit) {
  if (value == 0) return;
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  out += unit;
}

void append_seconds(std::string& out, std::int64_t us) {
  if (us == 0) return;
  if (us < 0) out += '-';
  const std::int64_t magnitude = us < 0 ? -us : us;
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, magnitude / kUsPerSecond).ptr);
  if (std::int64_t fraction = magnitude % kUsPerSecond; fraction != 0) {
    out += '.';
    for (std::int64_t unit = kUsPerSecond / 10; fraction != 0; fraction %= unit, unit /= 10)
      out += static_cast<char>('0' + fraction / unit);
  }
  out += 'S';
}

}  // namespace

std::optional<Interval> parse_interval(std::string_view text) { return IntervalReader(text).read(); }

void append_interval(std::string& out, Interval value) {
  if (value == Interval{}) {
    out += "PT0S";
    return;
  }
  out += 'P';
  append_part(out, value.months / 12, 'Y');
  append_part(out, value.months % 12, 'M');
  append_part(out, value.days, 'D');
  if (value.us == 0) return;
  out += 'T';
  append_part(out, value.us / kUsPerHour, 'H');
  append_part(out, value.us / kUsPerMinute % 60, 'M');
  append_seconds(out, value.us % kUsPerMinute);
}

}  // namespace kappa
