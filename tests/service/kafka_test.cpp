// The program on a real broker: the same results as on the embedded log, whatever ends it on the way.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/on_kafka.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
std::vector<std::string> expected_totals() {
  Place embedded;
  fill(embedded);
  embedded.good({"run", "p.sql", "--until-end"});
  return published(embedded, "totals");
}

const std::vector<std::string> kSmallCommits{"run",
                                             "p.sql",
                                             "--until-end",
                                             "--set",
                                             "commit.records=100",
                                             "--set",
                                             "batch.rows=50",
                                             "--set",
                                             "checkpoint.interval=20ms",
                                             "--set",
                                             "group.membership=static"};
}  // namespace

TEST_CASE("the flights give on Kafka what they give on the embedded log", "[kafka]") {
  const std::string flights = std::string(KAPPA_SOURCE_DIR) + "/examples/flights/";
  const auto results = [&](const Place& place) {
    for (const char* file : {"bad.jsonl", "flights-2013-01.jsonl.gz"})
      place.good({"log", "import", "flights", flights + file, "--key", "carrier", "--timestamp", "published",
                  "--partitions", "4"});
    place.good({"run", flights + "delays.sql", "--until-end"});
    auto all = published(place, "delays");
    for (const std::string& dead : published(place, "flight-delays-dead-letters")) all.push_back(dead);
    return all;
  };
  const Place embedded;
  const OnKafka kafka;
  const auto expected = results(embedded);
  CHECK(expected.size() > 5000);
  CHECK(results(kafka.place) == expected);
}

#ifdef KAPPA_KILL_POINTS
TEST_CASE("a run that is killed at any point of a commit goes on and publishes the same", "[kafka]") {
  const auto expected = expected_totals();
  REQUIRE(expected.size() > 10);
  const std::string point = GENERATE("kafka.commit.begun", "kafka.commit.positions-sent", "kafka.commit.decided");
  OnKafka kafka;
  fill(kafka.place);
  int killed = 0;
  for (const int passage : {1, 2, 5, 3, 4}) {
    kafka.place.environment["KAPPA_KILL"] = point + ":" + std::to_string(passage);
    const Outcome outcome = kafka.place.run(kSmallCommits);
    INFO(point << ":" << passage << "\n" << outcome.err);
    CHECK((outcome.code == -1 - SIGKILL || outcome.code == 0));
    killed += outcome.code != 0 ? 1 : 0;
  }
  CHECK(killed >= 3);
  kafka.place.environment.erase("KAPPA_KILL");
  kafka.place.good({"run", "p.sql", "--until-end"});
  CHECK(published(kafka.place, "totals") == expected);
}
#endif

#ifdef KAPPA_KILL_POINTS
TEST_CASE("at least once, a run that is killed publishes some results again, and loses none", "[kafka]") {
  const auto expected = expected_totals();
  const std::string point = GENERATE("kafka.plain-commit.begun", "kafka.plain-commit.settled");
  OnKafka kafka;
  fill(kafka.place);
  std::vector<std::string> run = kSmallCommits;
  run.insert(run.end(), {"--set", "processing.guarantee=at_least_once"});
  int killed = 0;
  for (const int passage : {1, 2, 5, 3}) {  // the first one between the positions of the start and what tells of it
    kafka.place.environment["KAPPA_KILL"] = point + ":" + std::to_string(passage);
    killed += kafka.place.run(run).code == -1 - SIGKILL ? 1 : 0;
  }
  CHECK(killed >= 3);
  kafka.place.environment.erase("KAPPA_KILL");
  kafka.place.good(run);
  const auto found = published(kafka.place, "totals");
  if (point == "kafka.plain-commit.settled") CHECK(found.size() > expected.size());
  CHECK(std::set(found.begin(), found.end()) == std::set(expected.begin(), expected.end()));
  CHECK(kafka.place.run({"run", "p.sql", "--set", "processing.guarantee=once"}).code == 2);
}
#endif

TEST_CASE("at least once, results are visible in front of their commit", "[kafka]") {
  OnKafka kafka;
  fill(kafka.place);
  Running run = kafka.place.start({"run", "p.sql", "--set", "processing.guarantee=at_least_once", "--set",
                                   "commit.interval=1h", "--set", "checkpoint.interval=0s"});
  run.until("starts at offset");
  const auto expected = expected_totals();
  while (published(kafka.place, "totals").size() < expected.size()) {
  }
  run.signal(SIGTERM);
  CHECK(run.wait().code == 128 + SIGTERM);
  CHECK(published(kafka.place, "totals") == expected);
}

TEST_CASE("a result that the brokers never take ends the run, instead of being tried for ever", "[kafka]") {
  OnKafka kafka;
  kafka.place.write("p.sql", pipeline());
  kafka.place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "1"},
                   bids(500));
  testkit::create_topic("totals", {{"max.message.bytes", "100"}});
  const std::string guarantee = GENERATE("exactly_once", "at_least_once");
  Running run = kafka.place.start({"run", "p.sql", "--set", "processing.guarantee=" + guarantee});
  const Outcome outcome = run.wait();
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.err, Contains("are refused by the brokers: ") && Contains("max.message.bytes"));
}

TEST_CASE("commands on Kafka name what is wrong", "[kafka]") {
  OnKafka kafka;
  fill(kafka.place, 10);
  CHECK_THAT(kafka.place.run({"log", "read", "bid"}).err, Contains("did you mean \"bids\"?"));
  CHECK(kafka.place.run({"log", "topics", "--set", "bootstrap.servers=127.0.0.1:1", "--set", "bootstrap.timeout=300ms"})
            .code == 4);
  const Outcome denied = kafka.place.run({"log", "topics", "--set", "kafka.plugin.library.paths=x"});
  CHECK(denied.code == 2);
  CHECK_THAT(denied.err, Contains("loads code"));
}

TEST_CASE("a replay is that of the embedded log, and a compacted topic is not replayed", "[kafka]") {
  OnKafka kafka;
  fill(kafka.place);
  const std::vector<std::string> replay{"replay", "p.sql", "--from", "2026-01-01", "--name", "proof", "--execute"};
  kafka.place.good({"validate", "p.sql"});
  kafka.place.good({"run", "p.sql", "--until-end"});
  kafka.place.good(replay);
  kafka.place.good({"diff", "proof"});
  CHECK(published(kafka.place, "totals.proof").size() == expected_totals().size());
  testkit::delete_topics({"bids"});
  while (kafka.place.run({"log", "read", "bids"}).code == 0) {
  }
  testkit::create_topic("bids", {{"cleanup.policy", "compact"}});
  const Outcome refused = kafka.place.run({"plan", "p.sql", "--from", "2026-01-01", "--name", "other"});
  CHECK(refused.code == 3);
  CHECK_THAT(refused.err, Contains("compacted"));
}
