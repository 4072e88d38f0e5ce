// What engine/log/kafka takes for granted of brokers and of librdkafka, one fact a test, on a real broker.
#include <future>
#include <limits>

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/kafka_fixture.h"

namespace kappa::testkit {
namespace {

using Catch::Matchers::Contains;
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kFarFuture = 4'102'444'800'000;  // 2100

std::string what_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_CASE("positions of an undecided transaction are waited for, also where they are a group's first", "[kafka]") {
  const KafkaFixture fixture;
  delete_groups({"undecided"});
  std::promise<void> waits;
  bool told = false;
  const auto log = fixture.open([&](const std::string& line) {
    if (!told && line.find("waiting until it is decided") != std::string::npos) waits.set_value(), told = true;
  });
  log->create_topic("bids", 1);
  const bool has_positions = GENERATE(false, true);
  const bool commits = GENERATE(false, true);
  if (has_positions) {
    const std::vector<Position> before{{fixture.at, 3, "before"}};
    REQUIRE(log->open_producer("first")->commit("undecided", before) == CommitOutcome::committed);
    REQUIRE(log->committed("undecided").at(fixture.at).offset == 3);
  }
  BareProducer other("other");
  other.begin();
  other.send_position("undecided", {fixture.at, 42, ""});
  auto found = std::async(std::launch::async, [&] { return log->committed("undecided"); });
  REQUIRE(waits.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK((commits ? other.commit() : other.abort()).empty());
  const auto positions = found.get();
  const std::int64_t expected = commits ? 42 : has_positions ? 3 : -1;
  CHECK((positions.empty() ? -1 : positions.at(fixture.at).offset) == expected);
}

TEST_CASE("a newer producer ends the open transaction of the older one, which can do nothing any more", "[kafka]") {
  const KafkaFixture fixture;
  delete_groups({"zombie"});
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  BareProducer zombie("zombie.0");
  zombie.begin();
  zombie.produce(fixture.at, "never seen");
  zombie.send_position("zombie", {fixture.at, 7, ""});
  const auto newer = log->open_producer("zombie.0");
  CHECK(log->committed("zombie").empty());  // and does not wait: nothing is open any more
  CHECK_FALSE(zombie.commit().empty());
  const std::vector<Position> positions{{fixture.at, 1, "newer"}};
  CHECK(newer->commit("zombie", positions) == CommitOutcome::committed);
  CHECK(log->committed("zombie").at(fixture.at).offset == 1);
  CHECK(read_all(*log, fixture.at).empty());
}

TEST_CASE("a reader stops at an open transaction and passes an aborted one", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  produce(*log, fixture.at, {"a", "b"});
  BareProducer open("open");
  open.begin();
  open.produce(fixture.at, "aborted");
  produce(*log, fixture.at, {"held back"});
  const std::int64_t stable = log->end_offset(fixture.at);
  CHECK(stable == 3);
  const auto reader = log->open_reader(fixture.at, 0);
  RecordBlock block;
  reader->read(block, 10, stable);
  CHECK(block.records.size() == 2);
  reader->read(block, 10, stable);
  CHECK(block.records.empty());
  CHECK(reader->position() == stable);
  CHECK(open.abort().empty());
  while (log->end_offset(fixture.at) <= stable) log->wait(std::chrono::milliseconds(5));
  CHECK(values_of(read_all(*log, fixture.at)) == std::vector<std::string>{"a", "b", "held back"});
}

TEST_CASE("what was removed is refused by name, what is left is read", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  produce(*log, fixture.at, {"a", "b", "c", "d"});
  const auto reader = log->open_reader(fixture.at, 3);
  delete_records(fixture.at, 2);
  CHECK(log->start_offset(fixture.at) == 2);
  CHECK_THAT(what_of([&] { static_cast<void>(log->open_reader(fixture.at, 1)); }),
             Contains("bids-0 has no offset 1: it holds 2 to 5"));
  CHECK(values_of(read_all(*log, fixture.at, 2)) == std::vector<std::string>{"c", "d"});
  RecordBlock block;
  reader->read(block, 10, 5);
  REQUIRE(block.records.size() == 1);
  CHECK(block.records[0].value() == "d");
}

TEST_CASE("a topic that was deleted and made anew ends its readers, with the offset", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  produce(*log, fixture.at, {"a", "b", "c"});
  const auto reader = log->open_reader(fixture.at, 0);
  RecordBlock block;
  reader->read(block, 10, 4);
  CHECK(block.records.size() == 3);
  delete_topics({"bids"});
  while (log->topic("bids")) log->wait(std::chrono::milliseconds(5));
  log->create_topic("bids", 1);
  produce(*log, fixture.at, {"new"});
  const std::string problem = what_of([&] {
    for (int tries = 0; tries < 600; ++tries) {
      reader->read(block, 10, kAll);
      if (!block.records.empty()) return;
      log->wait(std::chrono::milliseconds(50));
    }
  });
  CHECK_THAT(problem, Contains("bids-0 offset "));
  CHECK(values_of(read_all(*log, fixture.at)) == std::vector<std::string>{"new"});
}

TEST_CASE("topics that kappa makes keep everything and take timestamps of any year", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const auto settings = log->topic_settings("bids").value();
  CHECK(settings.at("retention.ms") == "-1");
  CHECK(settings.at("retention.bytes") == "-1");
  CHECK(settings.at("cleanup.policy") == "delete");
  produce(*log, fixture.at, {"a"}, kFarFuture);
  CHECK(read_all(*log, fixture.at).at(0).timestamp_ms == kFarFuture);
  produce(*log, fixture.at, {"b"}, 0);
  CHECK(read_all(*log, fixture.at).at(1).timestamp_ms == 1);  // kafka_producer.h says why
}

TEST_CASE("a record that the client cannot send ends the producer's work by name, not the next one's", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  {
    const auto producer = log->open_producer("large");
    const std::string large(11 << 20, 'x');
    OutRecord record;
    record.value = large;
    CHECK_THAT(what_of([&] { producer->append(fixture.at, {&record, 1}); }), Contains("bids-0"));
  }
  produce(*log, fixture.at, {"a"});
  CHECK(values_of(read_all(*log, fixture.at)) == std::vector<std::string>{"a"});
}

TEST_CASE("a record that the broker refuses fails the commit by name; a new producer goes on", "[kafka]") {
  const KafkaFixture fixture;
  const auto log = fixture.open([](const std::string& line) { UNSCOPED_INFO(line); });
  create_topic("bids", {{"max.message.bytes", "1000"}});
  auto producer = log->open_producer("refused");
  std::string value;
  std::uint64_t random = 1;
  for (int i = 0; i < 5000; ++i) value.push_back(static_cast<char>((random = random * 6364136223846793005u + 1) >> 56));
  OutRecord record;
  record.value = value;
  producer->append(fixture.at, {&record, 1});
  CHECK_THAT(what_of([&] { static_cast<void>(producer->commit("", {})); }),
             Contains("results for bids-0 are refused by the brokers: MSG_SIZE_TOO_LARGE"));
  record.value = "small";
  CHECK_THAT(what_of([&] { producer->append(fixture.at, {&record, 1}); }), Contains("of no use any more"));
  producer = log->open_producer("refused");
  producer->append(fixture.at, {&record, 1});
  CHECK(producer->commit("", {}) == CommitOutcome::committed);
  CHECK(values_of(read_all(*log, fixture.at)) == std::vector<std::string>{"small"});
}

TEST_CASE("no broker is refused in time, with the address and the reason", "[kafka]") {
  KafkaLogOptions options;
  options.bootstrap_servers = "127.0.0.1:1";
  options.connect_timeout = std::chrono::milliseconds(500);
  CHECK_THAT(what_of([&] { static_cast<void>(open_kafka_log(options)); }),
             Contains("127.0.0.1:1") && Contains("refused"));
}

TEST_CASE("only settings that break no promise go through", "[kafka]") {
  CHECK_NOTHROW(check_kafka_setting("sasl.password", "--set"));
  CHECK_THAT(what_of([] { check_kafka_setting("plugin.library.paths", "--set"); }), Contains("loads code"));
  CHECK_THAT(what_of([] { check_kafka_setting("sasl.kerberos.kinit.cmd", "--set"); }), Contains("runs commands"));
  CHECK_THAT(what_of([] { check_kafka_setting("isolation.level", "--set"); }), Contains("committed records only"));
  CHECK_THAT(what_of([] { check_kafka_setting("sasl.pasword", "p.sql"); }),
             Contains("kafka.sasl.password") && Contains("p.sql"));
}

}  // namespace
}  // namespace kappa::testkit
