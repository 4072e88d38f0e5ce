#include "kappa/service/nexmark.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "kappa/engine/error.h"
#include "kappa/engine/murmur2.h"

namespace kappa {

namespace {

__extension__ typedef unsigned __int128 Wide;

// SplitMix64 (Steele, Lea, Flood 2014), seeded with the event's number: draws are independent of earlier events.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed * 0xd1342543de82ef95U + 0x2545f4914f6cdd1dU) {}
  std::uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
  }
  /// In [0, n).
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<Wide>(bits()) * static_cast<std::uint64_t>(n) >> 64);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  void skip_one_seed() { state_ += 1; }

 private:
  std::uint64_t state_;
};

// Of each 50 events one is a person, the next three are auctions, the rest bids.
constexpr std::int64_t kRound = 50, kPersons = 1, kAuctions = 3, kBids = 46;
constexpr std::int64_t kFirstId = 1000;  // of persons and of auctions
constexpr std::int64_t kActivePersons = 1000;
constexpr std::int64_t kOpenAuctions = 100;
constexpr std::int64_t kLead = 10;       // ids not made yet may already be named
constexpr std::int64_t kHotEvery = 100;  // hot: the newest id that is a multiple of this

// The number among all events of the index-th one of a kind.
std::int64_t event_number(NexmarkKind kind, std::int64_t index) {
  switch (kind) {
    case NexmarkKind::person: return index * kRound;
    case NexmarkKind::auction: return index / kAuctions * kRound + kPersons + index % kAuctions;
    case NexmarkKind::bid: return index / kBids * kRound + kPersons + kAuctions + index % kBids;
    default: return index;
  }
}

NexmarkKind kind_of(std::int64_t number) {
  const std::int64_t place = number % kRound;
  if (place < kPersons) return NexmarkKind::person;
  return place < kPersons + kAuctions ? NexmarkKind::auction : NexmarkKind::bid;
}

// Counts from 0: the persons and auctions that exist when this event happens.
std::int64_t newest_person(std::int64_t number) { return number / kRound; }
std::int64_t newest_auction(std::int64_t number) {
  const std::int64_t made = std::clamp<std::int64_t>(number % kRound - kPersons + 1, 0, kAuctions);
  return std::max<std::int64_t>(0, number / kRound * kAuctions + made - 1);
}

std::int64_t draw_person(std::int64_t number, Draws& draws) {
  const std::int64_t persons = newest_person(number) + 1;
  const std::int64_t active = std::min(persons, kActivePersons);
  return persons - active + draws.below(active + kLead);
}

std::int64_t draw_auction(std::int64_t number, Draws& draws) {
  const std::int64_t newest = newest_auction(number);
  const std::int64_t oldest = std::max<std::int64_t>(newest - kOpenAuctions, 0);
  return oldest + draws.below(newest - oldest + 1 + kLead);
}

std::int64_t draw_price(Draws& draws) { return std::llround(std::pow(10.0, draws.unit() * 6.0) * 100.0); }

std::int64_t event_time_ms(const NexmarkOptions& options, std::int64_t number) {
  std::int64_t time = options.base_ms + static_cast<std::int64_t>(static_cast<double>(number) * 1000.0 / options.rate);
  if (options.late_fraction > 0) {
    Draws draws(static_cast<std::uint64_t>(number) ^ 0xa5a5a5a5a5a5a5a5U);  // apart from the event's own draws
    if (draws.unit() < options.late_fraction) time -= 1 + draws.below(options.late_ms);
  }
  return time;
}

void put(std::string& out, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void put(std::string& out, std::string_view name, std::int64_t value) {
  out += name;
  put(out, value);
}

// Twelve letters of five bits from each draw.
void put_letters(std::string& out, Draws& draws, std::int64_t count) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_01234";
  while (count > 0) {
    std::uint64_t bits = draws.bits();
    for (int i = 0; i < 12 && count > 0; ++i, --count, bits >>= 5) out += kLetters[bits & 31];
  }
}

// Closes the object with a field that brings it to `average` ± `spread` bytes.
void put_padding(std::string& out, Draws& draws, std::int64_t average, std::int64_t spread) {
  const std::int64_t size = average - spread + draws.below(2 * spread + 1);
  out += R"(,"extra":")";
  put_letters(out, draws, size - static_cast<std::int64_t>(out.size()) - 2);
  out += R"("})";
}

// What an event is keyed by, once its value is written.
struct Ids {
  std::int64_t bidder = 0;   // or seller, or the person itself
  std::int64_t auction = 0;  // or the person itself
};

void put_channel(std::string& out, Draws& draws) {
  static constexpr std::array<std::string_view, 4> kHotChannels{"Google", "Facebook", "Baidu", "Apple"};
  out += R"(,"channel":")";
  std::int64_t channel = 0;
  if (draws.below(2) > 0) {
    channel = draws.below(4);
    out += kHotChannels[static_cast<std::size_t>(channel)];
  } else {
    channel = draws.below(10'000);
    put(out, "channel-", channel);
  }
  out += R"(","url":"https://www.nexmark.com/)";
  Draws url(static_cast<std::uint64_t>(channel) + 77);  // a channel always leads to the same place
  for (int i = 0; i < 3; ++i) {
    url.skip_one_seed();
    put_letters(out, url, 5);
    out += '/';
  }
  out += R"(item.htm?query=1")";
}

Ids put_bid(std::string& out, const NexmarkOptions& options, std::int64_t number) {
  Draws draws(static_cast<std::uint64_t>(number));
  Ids ids;
  const bool hot_auction = draws.below(2) > 0;
  ids.auction = kFirstId + (hot_auction ? newest_auction(number) / kHotEvery * kHotEvery : draw_auction(number, draws));
  if (options.uniform_keys > 0) {
    ids.bidder = kFirstId + draws.below(options.uniform_keys);
  } else if (draws.below(4) > 0) {
    ids.bidder = kFirstId + newest_person(number) / kHotEvery * kHotEvery + 1;
  } else {
    ids.bidder = kFirstId + draw_person(number, draws);
  }
  put(out, R"({"auction":)", ids.auction);
  put(out, R"(,"bidder":)", ids.bidder);
  put(out, R"(,"price":)", draw_price(draws));
  put_channel(out, draws);
  put(out, R"(,"dateTime":)", event_time_ms(options, number));
  put_padding(out, draws, 211, 20);
  return ids;
}

Ids put_auction(std::string& out, const NexmarkOptions& options, std::int64_t number) {
  Draws draws(static_cast<std::uint64_t>(number));
  Ids ids;
  ids.auction = kFirstId + newest_auction(number);
  const bool hot_seller = draws.below(4) > 0;
  ids.bidder = kFirstId + (hot_seller ? newest_person(number) / kHotEvery * kHotEvery : draw_person(number, draws));
  put(out, R"({"id":)", ids.auction);
  out += R"(,"itemName":")";
  put_letters(out, draws, 20);
  out += R"(","description":")";
  put_letters(out, draws, 100);
  const std::int64_t initial = draw_price(draws), time = event_time_ms(options, number);
  put(out, R"(","initialBid":)", initial);
  put(out, R"(,"reserve":)", initial + draw_price(draws));
  put(out, R"(,"dateTime":)", time);
  put(out, R"(,"expires":)", time + 1 + draws.below(20'000));
  put(out, R"(,"seller":)", ids.bidder);
  put(out, R"(,"category":)", 10 + draws.below(5));
  put_padding(out, draws, 500, 50);
  return ids;
}

Ids put_person(std::string& out, const NexmarkOptions& options, std::int64_t number) {
  static constexpr std::array<std::string_view, 6> kStates{"AZ", "CA", "ID", "OR", "WA", "WY"};
  Draws draws(static_cast<std::uint64_t>(number));
  const std::int64_t id = kFirstId + newest_person(number);
  put(out, R"({"id":)", id);
  out += R"(,"name":")";
  put_letters(out, draws, 12);
  out += R"(","emailAddress":")";
  put_letters(out, draws, 7);
  out += '@';
  put_letters(out, draws, 5);
  put(out, R"(.com","creditCard":")", 1000 + draws.below(9000));
  put(out, " ", 1000 + draws.below(9000));
  out += R"(","city":")";
  put_letters(out, draws, 8);
  out += R"(","state":")";
  out += kStates[static_cast<std::size_t>(draws.below(6))];
  put(out, R"(","dateTime":)", event_time_ms(options, number));
  put_padding(out, draws, 250, 25);
  return {id, id};
}

Ids put_event(std::string& out, const NexmarkOptions& options, std::int64_t number) {
  switch (kind_of(number)) {
    case NexmarkKind::person: return put_person(out, options, number);
    case NexmarkKind::auction: return put_auction(out, options, number);
    default: return put_bid(out, options, number);
  }
}

}  // namespace

NexmarkGenerator::NexmarkGenerator(NexmarkOptions options) : options_(options), next_event_(options.first_event) {
  // Numbers stay far below where their multiples (by 50, by 1000) overflow or a double loses them.
  constexpr std::int64_t kEventsMax = 1'000'000'000'000;
  if (options.events < 0 || options.events > kEventsMax) usage_error("nexmark: events must be 0 to 10^12");
  if (options.first_event < 0 || options.first_event > kEventsMax)
    usage_error("nexmark: the first event must be 0 to 10^12");
  if (options.partitions < 1) usage_error("nexmark: partitions must be at least 1");
  if (!(options.rate >= 1e-3 && options.rate <= 1e12))
    usage_error("nexmark: the rate must be 0.001 to 10^12 events a second");
  if (!(options.late_fraction >= 0 && options.late_fraction <= 1))
    usage_error("nexmark: the late fraction must be 0 to 1");
  if (options.late_fraction > 0 && options.late_ms < 1) usage_error("nexmark: late events need at least 1 ms");
  if (options.uniform_keys < 0) usage_error("nexmark: uniform keys must not be negative");
}

bool NexmarkGenerator::next(NexmarkRecord& record) {
  if (next_event_ - options_.first_event >= options_.events) return false;
  const std::int64_t index = next_event_++;
  const std::int64_t number = event_number(options_.kind, index);
  value_.clear();
  const Ids ids = put_event(value_, options_, number);
  record.value = value_;
  record.timestamp_ms = event_time_ms(options_, number);
  record.key_is_null = options_.key == NexmarkKey::none;
  key_.clear();
  if (!record.key_is_null) put(key_, options_.key == NexmarkKey::auction ? ids.auction : ids.bidder);
  record.key = key_;
  record.partition = record.key_is_null ? static_cast<std::int32_t>(index % options_.partitions)
                                        : partition_of(record.key, options_.partitions);
  return true;
}

}  // namespace kappa
