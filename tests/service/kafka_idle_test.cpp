// Quiet partitions on a real broker, where transactions hide what was written.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/on_kafka.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
std::string impatient() {
  std::string text = pipeline("hot", 10, "partitioned_by = 'bidder', idle_timeout = '1s'");
  return text.replace(text.find("'5s'"), 4, "'100ms'");
}

std::string bid(int bidder, std::int64_t at_ms) {
  return fmt::format(R"({{"bidder":{},"price":1,"at":{}}})", bidder, at_ms);
}

bool holds(const Place& place, const std::string& topic, const std::string& text) {
  return place.run({"log", "read", topic, "--values"}).out.find(text) != std::string::npos;
}

std::int64_t rows(const Place& place) {
  const std::string all = place.topic("totals");
  return std::count(all.begin(), all.end(), '\n');
}
}  // namespace

TEST_CASE("a partition with an open transaction behind it is not quiet", "[kafka][idle]") {
  constexpr std::int64_t kStart = 1'767'225'600'000;
  OnKafka kafka;
  kafka.place.write("p.sql", impatient());
  kafka.place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"},
                   bids(200));
  testkit::BareProducer open("open"), other("other");
  open.begin();
  open.produce({"bids", 0}, bid(99, kStart + 19'900), kStart + 19'900);
  Running run = kafka.place.start({"run", "p.sql"});
  // The other partition becomes quiet twice, one after the other.
  while (!holds(kafka.place, "totals", "\"window_start\":\"2026-01-01T00:00:10")) {
  }
  other.begin();
  other.produce({"bids", 1}, bid(98, kStart + 29'900), kStart + 29'900);
  CHECK(other.commit() == "");
  while (!holds(kafka.place, "totals", "\"bidder\":98")) {
  }
  CHECK(open.commit() == "");
  while (!holds(kafka.place, "totals", "\"bidder\":99") && !holds(kafka.place, "hot-late", "\"bidder\":99")) {
  }
  CHECK(holds(kafka.place, "totals", "\"bidder\":99"));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 128 + SIGTERM);
}

TEST_CASE("a committed decision that an open transaction hides is waited for", "[kafka][idle]") {
  Place embedded;
  const auto import = [](const Place& place, int count, int first) {
    place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "1"},
               bids(count, first));
  };
  embedded.write("p.sql", impatient());
  import(embedded, 200, 0);
  import(embedded, 100, 400);
  embedded.good({"run", "p.sql", "--close"});

  OnKafka kafka;
  kafka.place.write("p.sql", impatient());
  testkit::create_topic("bids", {});
  Running first = kafka.place.start({"run", "p.sql"});
  first.until("starts at offset");
  testkit::BareProducer open("open");
  open.begin();
  open.produce({"hot-decisions", 0}, "no decision");
  import(kafka.place, 200, 0);
  while (rows(kafka.place) < 14) {  // seven bidders, two windows; the second one by a decision
  }
  first.signal(SIGKILL);
  static_cast<void>(first.wait());

  Running second = kafka.place.start({"run", "p.sql"});
  second.until("decision 1 of bids-0 is committed, but cannot be read");
  CHECK(open.abort() == "");
  import(kafka.place, 100, 400);
  while (rows(kafka.place) < 21) {
  }
  second.signal(SIGTERM);
  CHECK(second.wait().code == 128 + SIGTERM);
  CHECK(published(kafka.place, "totals") == published(embedded, "totals"));
}
