// kappa/service/nexmark.h: NEXMark's events (persons, auctions, bids; 1 : 3 : 46) as JSON records, each a pure function
// of the options and its number, so that any range of them can be made again, anywhere.
//
// The shape follows the NEXMark generators of Beam and Flink: hot bidders and auctions, prices spread over six powers
// of ten, texts padded to 211, 500 and 250 bytes on average. Fields are named as NEXMark names them (`dateTime`).
//
// Threads:  a generator belongs to one thread.
// Owns:     the text of the record made last; its views live until the next call.
// Errors:   Error{usage} for options that make no sense.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kappa {

enum class NexmarkKind : std::uint8_t { bid, auction, person, all };
enum class NexmarkKey : std::uint8_t { bidder, auction, none };

struct NexmarkOptions {
  NexmarkKind kind = NexmarkKind::bid;
  NexmarkKey key = NexmarkKey::bidder;  // an auction's bidder key is its seller; a person's key is its id
  std::int64_t events = 1'000'000;      // records to make, counted within the kind
  std::int64_t first_event = 0;         // the first one's number, counted within the kind
  std::int32_t partitions = 4;
  double rate = 10'000;                      // NEXMark events (of all kinds) per second of event time
  double late_fraction = 0;                  // this share of the events carries a time up to …
  std::int64_t late_ms = 0;                  // … this much older than its place in the log
  std::int64_t uniform_keys = 0;             // bidders drawn evenly from so many; 0: NEXMark's hot bidders
  std::int64_t base_ms = 1'767'225'600'000;  // event time of event 0: 2026-01-01T00:00:00Z
};

struct NexmarkRecord {
  std::string_view key, value;
  bool key_is_null = false;
  std::int64_t timestamp_ms = 0;  // the event's time
  std::int32_t partition = 0;     // murmur2 of the key, as Java's producers; without key round robin
};

class NexmarkGenerator {
 public:
  explicit NexmarkGenerator(NexmarkOptions options);
  /// Makes the next record; false after the last.
  bool next(NexmarkRecord& record);

 private:
  NexmarkOptions options_;
  std::int64_t next_event_;
  std::string key_, value_;
};

}  // namespace kappa
