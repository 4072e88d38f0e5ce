// Several instances of one application on a real broker: they share the partitions while they come, go and die, and
// what they publish is what one alone publishes on the embedded log.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <deque>
#include <numeric>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/kafka_fixture.h"
#include "kappa/tests/service/on_kafka.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
// As `kappa run` on a machine of its own; the shortest session that brokers allow.
const std::vector<std::string> kRun{
    "run", "p.sql", "--set", "kafka.session.timeout.ms=6000", "--set", "checkpoint.interval=500ms"};

std::vector<std::string> run_with(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = kRun;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> as(const std::string& membership) {
  return run_with({"--set", "group.membership=" + membership});
}

// Two stages: the windows are by the bid's last digit, which is not how the topic is partitioned.
std::string repartitioned() {
  return R"(SET application.id = 'hot';
CREATE TABLE bids (bidder bigint, price bigint, at timestamptz)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s', partitioned_by = 'bidder');
CREATE MATERIALIZED VIEW totals WITH (topic = 'totals') AS
  SELECT price % 10 AS digit, window_start, window_end, count(*) AS bids, sum(price) AS total
  FROM TUMBLE(bids, at, INTERVAL '10 seconds') GROUP BY price % 10, window_start, window_end;
)";
}

struct Machine : Place {
  explicit Machine(const OnKafka& kafka, const std::string& text) {
    environment = kafka.place.environment;
    write("kappa.conf", kKafkaConf);
    write("p.sql", text);
  }
};

std::vector<std::string> expected_of(const std::string& text, int count) {
  Place embedded;
  fill(embedded, count);
  embedded.write("p.sql", text);
  embedded.good({"run", "p.sql", "--until-end"});
  return published(embedded, "totals");
}

std::int64_t records_in(Log& log, const std::string& topic) {
  std::int64_t records = 0;
  const auto info = log.topic(topic);
  for (std::int32_t p = 0; info && p < info->partitions; ++p) records += log.end_offset({topic, p});
  return records;
}

// Until the application has read all that there is.
void await_positions(const OnKafka& kafka, const std::string& group, const std::string& topic) {
  const auto log = kafka.broker.open();
  for (;;) {
    std::int64_t behind = 0;
    const auto positions = log->committed(group);
    for (std::int32_t p = 0; p < log->topic(topic).value().partitions; ++p) {
      const auto found = positions.find({topic, p});
      behind += found == positions.end() || found->second.offset < log->end_offset({topic, p}) ? 1 : 0;
    }
    if (behind == 0) return;
    log->wait(std::chrono::milliseconds(20));
  }
}

Outcome stopped(Running& instance) {
  instance.signal(SIGTERM);
  return instance.wait();
}
}  // namespace

TEST_CASE("instances share the partitions, and one that leaves hands its own over", "[kafka][groups]") {
  const std::string text = GENERATE(pipeline(), repartitioned());
  const auto expected = expected_of(text, 4000);
  REQUIRE(expected.size() > 20);
  const OnKafka kafka;
  const Machine one(kafka, text), other(kafka, text);
  one.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"}, bids(1000));
  Running first = one.start(kRun);
  await_positions(kafka, "hot-bids", "bids");
  Running second = other.start(kRun);
  second.until("bids-");  // it has been given a partition
  import_bids(one, 1000, 1000);
  await_positions(kafka, "hot-bids", "bids");
  CHECK(stopped(first).code == 128 + SIGTERM);
  import_bids(one, 1000, 2000);
  await_positions(kafka, "hot-bids", "bids");
  CHECK(stopped(second).code == 128 + SIGTERM);
  import_bids(one, 1000, 3000);
  one.good(run_with({"--until-end"}));
  CHECK(published(kafka.place, "totals") == expected);
}

TEST_CASE("what a killed instance had is taken over when its session is over", "[kafka][groups]") {
  const auto expected = expected_of(pipeline(), 3000);
  const OnKafka kafka;
  fill(kafka.place, 1000);
  const Machine one(kafka, pipeline()), other(kafka, pipeline());
  Running first = one.start(as("static"));
  await_positions(kafka, "hot-bids", "bids");
  Running second = other.start(as("static"));
  second.until("bids-");
  first.signal(SIGKILL);
  static_cast<void>(first.wait());
  import_bids(one, 1000, 1000);
  await_positions(kafka, "hot-bids", "bids");
  CHECK(stopped(second).code == 128 + SIGTERM);
  CHECK_THAT(second.said(), Contains("bids-0") && Contains("bids-1"));
  import_bids(one, 1000, 2000);
  other.good(run_with({"--until-end"}));
  CHECK(published(kafka.place, "totals") == expected);
}

// A session of five minutes, which nothing here waits for.
TEST_CASE("a static member that was killed comes back to its partitions at once", "[kafka][groups]") {
  const auto expected = expected_of(pipeline("lone"), 3000);
  const OnKafka kafka;
  fill(kafka.place, 1000);
  kafka.place.write("p.sql", pipeline("lone"));
  const std::vector<std::string> patient{"--set", "group.membership=static", "--set",
                                         "kafka.session.timeout.ms=300000"};
  for (const int first : {1000, 2000}) {
    Running instance = kafka.place.start(run_with(patient));
    await_positions(kafka, "lone-bids", "bids");
    instance.signal(SIGKILL);
    static_cast<void>(instance.wait());
    import_bids(kafka.place, 1000, first);
  }
  auto last = run_with(patient);
  last.push_back("--until-end");
  kafka.place.good(last);
  CHECK(published(kafka.place, "totals") == expected);
}

TEST_CASE("instances on one machine share a state directory and each other's checkpoints", "[kafka][groups]") {
  const OnKafka kafka;
  fill(kafka.place, 1000);
  Running first = kafka.place.start(kRun);
  await_positions(kafka, "hot-bids", "bids");
  Running second = kafka.place.start(kRun);
  second.until("bids-");
  const Outcome taken = kafka.place.run({"run", "p.sql", "--set", "instance.id=2"});
  CHECK(taken.code == 3);
  CHECK_THAT(taken.err, Contains("instance \"2\" of \"hot\" is running already"));
  CHECK(stopped(first).code == 128 + SIGTERM);
  import_bids(kafka.place, 1000, 1000);
  await_positions(kafka, "hot-bids", "bids");
  CHECK(stopped(second).code == 128 + SIGTERM);
  CHECK_THAT(second.said(), Contains("is restored from checkpoint"));
  CHECK(published(kafka.place, "totals") == expected_of(pipeline(), 2000));
}

TEST_CASE("two processes with one instance id do not work side by side", "[kafka][groups]") {
  const OnKafka kafka;
  fill(kafka.place, 1000);
  const Machine one(kafka, pipeline()), other(kafka, pipeline());
  Running first = one.start(run_with({"--set", "instance.id=same", "--set", "group.membership=static"}));
  await_positions(kafka, "hot-bids", "bids");
  Running second = other.start(run_with({"--set", "instance.id=same", "--set", "group.membership=static"}));
  const Outcome outcome = first.wait();
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.err, Contains("instance.id") || Contains("fenced"));
  import_bids(one, 1000, 1000);
  await_positions(kafka, "hot-bids", "bids");
  CHECK(stopped(second).code == 128 + SIGTERM);
  CHECK(published(kafka.place, "totals") == expected_of(pipeline(), 2000));
}

TEST_CASE("a run that needs all partitions is refused beside others, and ended by them", "[kafka][groups]") {
  const OnKafka kafka;
  fill(kafka.place, 1000);
  const Machine one(kafka, pipeline()), other(kafka, pipeline());
  Running service = one.start(kRun);
  await_positions(kafka, "hot-bids", "bids");
  const Outcome refused = other.run(run_with({"--until-end"}));
  CHECK(refused.code == 3);
  CHECK_THAT(refused.err, Contains("needs all partitions, and got 1 of 2"));
  CHECK(stopped(service).code == 128 + SIGTERM);
  CHECK(published(kafka.place, "totals") == expected_of(pipeline(), 1000));
}

namespace {
// Every few seconds of a steady feed an instance joins, leaves or is killed.
void storm(int records, int records_per_change) {
  const std::string text = GENERATE(pipeline(), repartitioned());
  const auto expected = expected_of(text, records);
  const OnKafka kafka;
  std::deque<Machine> machines;
  for (int m = 0; m < 3; ++m) machines.emplace_back(kafka, text);
  kafka.place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"},
                   bids(1));
  kafka.place.write("feed.jsonl", bids(records - 1, 1));
  Running feed = kafka.place.start(
      {"log", "import", "bids", "feed.jsonl", "--key", "bidder", "--timestamp", "at", "--rate", "1000"});
  const auto log = kafka.broker.open();
  std::vector<std::unique_ptr<Running>> instances(machines.size());
  std::vector<std::int64_t> published_at;
  int kills = 0;
  for (int change = 0; (change + 1) * records_per_change < records; ++change) {
    while (records_in(*log, "bids") < (change + 1) * records_per_change) log->wait(std::chrono::milliseconds(50));
    published_at.push_back(records_in(*log, "totals"));
    const std::size_t m = static_cast<std::size_t>(change * 7 / 3) % machines.size();
    const bool leaves = instances[m] != nullptr;
    if (leaves) {
      const bool kill = change % 5 == 4;
      kills += kill ? 1 : 0;
      instances[m]->signal(kill ? SIGKILL : SIGTERM);
      const Outcome outcome = instances[m]->wait();
      INFO(outcome.err);
      CHECK((outcome.code == 128 + SIGTERM || outcome.code == -1 - SIGKILL));
      instances[m].reset();
    }
    // The first one is a static member, which is only started again.
    if (!leaves || m == 0) instances[m].reset(new Running(machines[m].start(m == 0 ? as("static") : kRun)));
  }
  CHECK(feed.wait().code == 0);
  for (auto& instance : instances)
    if (instance) CHECK(stopped(*instance).code == 128 + SIGTERM);
  const std::int64_t middle = published_at[published_at.size() / 2];
  WARN(published_at.size() << " changes, " << kills << " of them kills; results half way: " << middle
                           << ", before the last: " << published_at.back() << " of " << expected.size());
  CHECK(published_at.front() < middle);
  CHECK(middle < published_at.back());
  machines[0].good(run_with({"--until-end"}));
  CHECK(published(kafka.place, "totals") == expected);
}
}  // namespace

TEST_CASE("a storm of rebalances loses and doubles nothing, and goes forward", "[kafka][groups]") {
  storm(24000, 2500);
}

TEST_CASE("a storm of two minutes", "[.long][kafka][groups]") { storm(120000, 3000); }
