#include "kappa/service/nexmark.h"

#include <fstream>
#include <sstream>

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"

using namespace kappa;

namespace {

// partition, key, timestamp, value; a line each.
std::string lines_of(const NexmarkOptions& options) {
  NexmarkGenerator generator(options);
  NexmarkRecord record;
  std::ostringstream out;
  while (generator.next(record)) {
    out << record.partition << '\t' << record.key << '\t' << record.timestamp_ms << '\t' << record.value << '\n';
  }
  return out.str();
}

std::string golden_file() {
  std::ifstream file(KAPPA_SOURCE_DIR "/tests/service/nexmark.golden");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("events are those of the golden file", "[nexmark]") {
  const std::string made = lines_of({.kind = NexmarkKind::all, .events = 8}) +
                           lines_of({.key = NexmarkKey::auction,
                                     .events = 6,
                                     .first_event = 123'456'789,
                                     .late_fraction = 0.5,
                                     .late_ms = 5000}) +
                           lines_of({.kind = NexmarkKind::auction, .events = 2, .first_event = 5000, .partitions = 7}) +
                           lines_of({.kind = NexmarkKind::person, .events = 2, .first_event = 2000, .rate = 333.3}) +
                           lines_of({.key = NexmarkKey::none, .events = 3, .partitions = 2, .uniform_keys = 777});
  REQUIRE(!golden_file().empty());
  CHECK(made == golden_file());
}

TEST_CASE("any range of events can be made again", "[nexmark]") {
  const NexmarkOptions whole{.kind = NexmarkKind::all, .events = 300, .late_fraction = 0.3, .late_ms = 700};
  NexmarkOptions head = whole, tail = whole;
  head.events = 130;
  tail.events = 170;
  tail.first_event = 130;
  CHECK(lines_of(head) + lines_of(tail) == lines_of(whole));
}

TEST_CASE("without a key the record key is null and partitions take turns", "[nexmark]") {
  NexmarkGenerator generator({.key = NexmarkKey::none, .events = 3, .partitions = 2});
  NexmarkRecord record;
  for (const std::int32_t partition : {0, 1, 0}) {
    REQUIRE(generator.next(record));
    CHECK(record.key_is_null);
    CHECK(record.partition == partition);
  }
  CHECK(!generator.next(record));
  CHECK(!generator.next(record));
}

TEST_CASE("options that make no sense are refused", "[nexmark]") {
  CHECK_THROWS_AS(NexmarkGenerator({.events = -1}), Error);
  CHECK_THROWS_AS(NexmarkGenerator({.first_event = -1}), Error);
  CHECK_THROWS_AS(NexmarkGenerator({.partitions = 0}), Error);
  CHECK_THROWS_AS(NexmarkGenerator({.rate = 0}), Error);
  CHECK_THROWS_AS(NexmarkGenerator({.late_fraction = 1.5, .late_ms = 1}), Error);
  CHECK_THROWS_AS(NexmarkGenerator({.late_fraction = 0.1}), Error);
}
