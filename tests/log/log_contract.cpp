#include "kappa/tests/log/log_contract.h"

#include <limits>
#include <thread>

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {
namespace {

constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();

ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::usage;
}

OutRecord record_of(std::string_view key, std::string_view value, std::int64_t timestamp_ms) {
  OutRecord record;
  record.key = key;
  record.value = value;
  record.timestamp_ms = timestamp_ms;
  return record;
}

void check_topics(Log& log) {
  SECTION("a topic that was created is there, with its partitions") {
    CHECK(log.topics().empty());
    CHECK_FALSE(log.topic("bids").has_value());
    log.create_topic("bids", 3);
    log.create_topic("asks", 1);
    REQUIRE(log.topic("bids").has_value());
    CHECK(log.topic("bids")->partitions == 3);
    CHECK(log.topics().size() == 2);
    CHECK(log.end_offset({"bids", 2}) == 0);
    CHECK(log.start_offset({"bids", 2}) == 0);
  }
  SECTION("creating a topic again does nothing, with another number of partitions it is refused") {
    log.create_topic("bids", 3);
    log.create_topic("bids", 3);
    CHECK(kind_of([&] { log.create_topic("bids", 4); }) == ErrorKind::refused);
    CHECK(log.topic("bids")->partitions == 3);
  }
  SECTION("names that are not Kafka's are refused") {
    for (const char* name : {"", ".", "..", "a/b", "ä", "a b", "../up"}) {
      CHECK(kind_of([&] { log.create_topic(name, 1); }) == ErrorKind::refused);
    }
    CHECK(kind_of([&] { log.create_topic(std::string(250, 'a'), 1); }) == ErrorKind::refused);
    CHECK(kind_of([&] { log.create_topic("none", 0); }) == ErrorKind::refused);
    log.create_topic(std::string(249, 'a'), 1);
  }
  SECTION("what does not exist is refused, not empty") {
    log.create_topic("bids", 1);
    CHECK(kind_of([&] { static_cast<void>(log.end_offset({"nope", 0})); }) == ErrorKind::refused);
    CHECK(kind_of([&] { static_cast<void>(log.start_offset({"bids", 1})); }) == ErrorKind::refused);
    CHECK(kind_of([&] { static_cast<void>(log.end_offset({"bids", -1})); }) == ErrorKind::refused);
    CHECK(kind_of([&] { static_cast<void>(log.open_reader({"bids", 0}, 1)); }) == ErrorKind::refused);
    CHECK(kind_of([&] { static_cast<void>(log.open_reader({"bids", 0}, -1)); }) == ErrorKind::refused);
    const auto producer = log.open_producer("p");
    const OutRecord record = record_of("k", "v", 1);
    CHECK(kind_of([&] { producer->append({"nope", 0}, {&record, 1}); }) == ErrorKind::refused);
  }
}

void check_records(Log& log, std::int64_t gap) {
  const TopicPartition at{"bids", 0};
  log.create_topic("bids", 2);
  SECTION("records come back as they were written") {
    const auto producer = log.open_producer("p");
    const std::vector<Header> headers{{"h", "1", false}, {"h", "", false}, {"none", {}, true}};
    std::vector<OutRecord> records(3);
    records[0] = record_of("key", "value", 1'700'000'000'123);
    records[0].headers = headers;
    records[1] = record_of("", "", -5);
    records[2].key_is_null = records[2].value_is_null = true;
    records[2].timestamp_ms = 7;
    producer->append(at, records);
    CHECK(producer->pending_bytes() > 0);
    CHECK(producer->commit("", {}) == CommitOutcome::committed);
    CHECK(producer->pending_bytes() == 0);
    const auto read = read_all(log, at);
    REQUIRE(read.size() == 3);
    CHECK(read[0] ==
          PlainRecord{0, 1'700'000'000'123, "key", "value", false, false, {{"h", "1"}, {"h", ""}, {"none", "(null)"}}});
    CHECK(read[1] == PlainRecord{1, -5, "", "", false, false, {}});
    CHECK(read[2] == PlainRecord{2, 7, "", "", true, true, {}});
    CHECK(log.end_offset(at) == 3 + gap);
    CHECK(log.end_offset({"bids", 1}) == 0);
  }
  SECTION("blocks of any size give the same records") {
    std::vector<std::string> values;
    for (int i = 0; i < 1000; ++i)
      values.push_back(std::string(static_cast<std::size_t>(i % 37), 'x') + std::to_string(i));
    produce(log, at, {values.begin(), values.begin() + 500});
    produce(log, at, {values.begin() + 500, values.end()});
    for (const std::int64_t size : {1, 7, 499, 4096}) CHECK(values_of(read_all(log, at, 0, size)) == values);
    CHECK(values_of(read_all(log, at, 777 + gap)) == std::vector<std::string>(values.begin() + 777, values.end()));
  }
  SECTION("a reader stops in front of its bound and goes on from there") {
    produce(log, at, {"a", "b", "c", "d"});
    const auto reader = log.open_reader(at, 1);
    RecordBlock block;
    reader->read(block, 10, 1);
    CHECK(block.records.empty());
    CHECK(reader->position() == 1);
    reader->read(block, 10, 3);
    REQUIRE(block.records.size() == 2);
    CHECK(block.records[1].value() == "c");
    CHECK(reader->position() == 3);
    reader->read(block, 10, kNoBound);
    REQUIRE(block.records.size() == 1);
    CHECK(block.records[0].offset == 3);
    reader->read(block, 10, kNoBound);
    CHECK(block.records.empty());
    CHECK(block.memory.empty());
    CHECK(reader->position() == 4 + gap);
  }
  SECTION("a block outlives its reader and later reads") {
    produce(log, at, {"first"});
    RecordBlock kept;
    {
      const auto reader = log.open_reader(at, 0);
      reader->read(kept, 10, kNoBound);
      RecordBlock block;
      for (int i = 0; i < 50; ++i) {
        produce(log, at, {std::string(3000, 'x')});
        reader->read(block, 10, kNoBound);
      }
    }
    REQUIRE(kept.records.size() == 1);
    CHECK(kept.records[0].value() == "first");
  }
}

// Reads on until something comes.
void read_some(Log& log, Reader& reader, RecordBlock& block) {
  for (int tries = 0; tries < 100; ++tries) {
    reader.read(block, 10, kNoBound);
    if (!block.records.empty()) return;
    log.wait(std::chrono::seconds(1));
  }
}

void check_headers(Log& log) {
  const TopicPartition at{"bids", 0};
  log.create_topic("bids", 1);
  SECTION("a reader that leaves out headers gives everything else") {
    const auto producer = log.open_producer("p");
    const std::vector<Header> headers{{"h", "1", false}};
    OutRecord written = record_of("key", "value", 1'700'000'000'123);
    written.headers = headers;
    producer->append(at, std::span(&written, 1));
    CHECK(producer->commit("", {}) == CommitOutcome::committed);
    const auto reader = log.open_reader(at, 0);
    reader->leave_out_headers();
    RecordBlock block;
    while (block.records.empty()) reader->read(block, 10, log.end_offset(at));
    REQUIRE(block.records.size() == 1);
    CHECK(block.records[0].key() == "key");
    CHECK(block.records[0].value() == "value");
    CHECK(block.records[0].timestamp_ms == 1'700'000'000'123);
    CHECK(headers_of(block.records[0]).size() <= 1);
  }
}

void check_commits(Log& log, const LogFactory& factory) {
  const TopicPartition at{"bids", 0}, other{"bids", 1};
  log.create_topic("bids", 2);
  log.create_topic("in", 2);
  SECTION("nothing is visible before the commit, all of it after, also through another handle") {
    const auto second = factory.open();
    const auto producer = log.open_producer("p");
    const auto reader = second->open_reader(at, 0);
    const OutRecord record = record_of("k", "v", 1);
    producer->append(at, {&record, 1});
    producer->append(other, {&record, 1});
    RecordBlock block;
    reader->read(block, 10, kNoBound);
    CHECK(block.records.empty());
    const std::vector<Position> positions{{{"in", 0}, 42, "meta"}};
    CHECK(producer->commit("app", positions) == CommitOutcome::committed);
    read_some(*second, *reader, block);
    CHECK(block.records.size() == 1);
    CHECK(second->end_offset(other) == 1 + factory.gap);
    const auto committed = second->committed("app");
    REQUIRE(committed.size() == 1);
    CHECK(committed.at({"in", 0}).offset == 42);
    CHECK(committed.at({"in", 0}).metadata == "meta");
  }
  SECTION("an aborted commit leaves nothing") {
    const auto producer = log.open_producer("p");
    const OutRecord record = record_of("k", "v", 1);
    producer->append(at, {&record, 1});
    producer->abort();
    CHECK(producer->pending_bytes() == 0);
    CHECK(producer->commit("app", {}) == CommitOutcome::committed);
    CHECK(read_all(log, at).empty());
    if (factory.gap == 0) CHECK(log.end_offset(at) == 0);
    produce(log, at, {"x"});
    CHECK(values_of(read_all(log, at)) == std::vector<std::string>{"x"});
  }
  SECTION("positions are kept per group and partition, the last one wins, and can be forgotten") {
    const auto producer = log.open_producer("p");
    const std::vector<Position> first{{{"in", 0}, 1, "a"}, {{"in", 1}, 2, "b"}};
    const std::vector<Position> second{{{"in", 1}, 3, std::string(4096, 'c')}};
    CHECK(producer->commit("one", first) == CommitOutcome::committed);
    CHECK(producer->commit("one", second) == CommitOutcome::committed);
    CHECK(producer->commit("two", first) == CommitOutcome::committed);
    CHECK(log.committed("one").at({"in", 0}).offset == 1);
    CHECK(log.committed("one").at({"in", 1}).metadata == std::string(4096, 'c'));
    log.forget_group("one");
    log.forget_group("never-there");
    CHECK(log.committed("one").empty());
    CHECK(log.committed("two").size() == 2);
  }
  SECTION("a newer producer fences the older one of its id") {
    const auto older = log.open_producer("same");
    const auto second = factory.open();
    const auto fencing = second->open_producer("same");
    const OutRecord record = record_of("k", "v", 1);
    older->append(at, {&record, 1});
    CHECK_THROWS_AS(older->commit("", {}), Error);
    fencing->append(at, {&record, 1});
    CHECK(fencing->commit("", {}) == CommitOutcome::committed);
    CHECK(second->end_offset(at) == 1 + factory.gap);
  }
}

void check_locks(Log& log, const LogFactory& factory) {
  SECTION("a group is locked once, until its lock ends") {
    const auto second = factory.open();
    auto lock = log.lock_group("app");
    CHECK(kind_of([&] { static_cast<void>(log.lock_group("app")); }) == ErrorKind::refused);
    CHECK(kind_of([&] { static_cast<void>(second->lock_group("app")); }) == ErrorKind::refused);
    const auto different = second->lock_group("app2");
    lock.reset();
    CHECK(second->lock_group("app") != nullptr);
  }
}

void check_times(Log& log, std::int64_t gap) {
  const TopicPartition at{"bids", 0};
  log.create_topic("bids", 1);
  SECTION("an empty partition has no offset for any time") { CHECK_FALSE(log.offset_at(at, 0).has_value()); }
  SECTION("offset_at is the first offset whose timestamp is at or after the time, in any order of timestamps") {
    std::vector<std::int64_t> times;
    std::uint64_t random = 12345;
    for (int commit = 0; commit < 20; ++commit) {
      const auto producer = log.open_producer("p");
      for (int i = 0; i < 50; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        times.push_back(static_cast<std::int64_t>(times.size()) * 10 + static_cast<std::int64_t>(random >> 40) % 3000);
        const OutRecord record = record_of("k", "v", times.back());
        producer->append(at, {&record, 1});
      }
      REQUIRE(producer->commit("", {}) == CommitOutcome::committed);
    }
    for (std::int64_t time = -10; time < 15'000; time += 37) {
      std::optional<std::int64_t> expected;
      for (std::size_t i = 0; i < times.size() && !expected; ++i) {
        if (times[i] >= time) expected = static_cast<std::int64_t>(i) + static_cast<std::int64_t>(i / 50) * gap;
      }
      CHECK(log.offset_at(at, time).value_or(-1) == expected.value_or(-1));
    }
  }
  SECTION("bytes between offsets add up") {
    for (int i = 0; i < 30; ++i) produce(log, at, {std::string(500, 'x')});
    const std::int64_t end = log.end_offset(at);
    const std::int64_t all = log.bytes_between(at, 0, end);
    CHECK(all >= 30 * 500);
    CHECK(log.bytes_between(at, 0, 11) + log.bytes_between(at, 11, end) == all);
    CHECK(log.bytes_between(at, 7, 7) == 0);
  }
}

void check_waiting(Log& log, const LogFactory& factory) {
  using namespace std::chrono_literals;
  const TopicPartition at{"bids", 0};
  log.create_topic("bids", 1);
  SECTION("a tail sees every commit of another handle, woken by it") {
    std::thread writer([&] {
      const auto second = factory.open();
      for (int i = 0; i < 50; ++i) produce(*second, at, {std::to_string(i)});
    });
    const auto reader = log.open_reader(at, 0);
    RecordBlock block;
    std::vector<std::string> seen;
    while (seen.size() < 50) {
      reader->read(block, 7, kNoBound);
      for (const RecordView& record : block.records) seen.emplace_back(record.value());
      if (block.records.empty()) log.wait(10s);
    }
    writer.join();
    for (int i = 0; i < 50; ++i) CHECK(seen[static_cast<std::size_t>(i)] == std::to_string(i));
  }
  SECTION("a reader that never waits finds nothing only while something is on its way, and all in the end") {
    const auto producer = log.open_producer("p");
    const OutRecord record = record_of("key", "value", 1);
    for (int i = 0; i < 100; ++i) producer->append(at, {&record, 1});
    CHECK(producer->commit("", {}) == CommitOutcome::committed);
    const std::int64_t end = log.end_offset(at);
    const auto reader = log.open_reader(at, 0);
    reader->never_wait();
    RecordBlock block;
    std::size_t records = 0;
    bool told = true;
    while (reader->position() < end) {
      reader->read(block, 10, end);
      records += block.records.size();
      told &= reader->is_waiting() == (block.records.empty() && reader->position() < end);
      if (block.records.empty()) log.wait(std::chrono::seconds(1));
    }
    CHECK(records == 100);
    CHECK(told);
  }
  SECTION("wake() ends waits") {
    std::thread waker([&] { log.wake(); });
    waker.join();
    log.wait(1h);  // the first one after the wake
    log.wake();
    log.wait(1h);
  }
  SECTION("wait() ends by itself") {
    for (int i = 0; i < 3; ++i) log.wait(1ms);
  }
}

}  // namespace

void check_log_topics(const LogFactory& factory) { check_topics(*factory.open()); }
void check_log_records(const LogFactory& factory) { check_records(*factory.open(), factory.gap); }
void check_log_headers(const LogFactory& factory) { check_headers(*factory.open()); }
void check_log_commits(const LogFactory& factory) { check_commits(*factory.open(), factory); }
void check_log_locks(const LogFactory& factory) { check_locks(*factory.open(), factory); }
void check_log_times(const LogFactory& factory) { check_times(*factory.open(), factory.gap); }
void check_log_waiting(const LogFactory& factory) { check_waiting(*factory.open(), factory); }

std::vector<PlainRecord> read_all(Log& log, const TopicPartition& at, std::int64_t from, std::int64_t records_max) {
  const auto reader = log.open_reader(at, from);
  const std::int64_t end = log.end_offset(at);
  std::vector<PlainRecord> out;
  RecordBlock block;
  while (reader->position() < end) {
    reader->read(block, records_max, end);
    REQUIRE((!block.records.empty() || reader->position() == end));
    for (const RecordView& view : block.records) {
      PlainRecord& record = out.emplace_back();
      record = {view.offset,
                view.timestamp_ms,
                std::string(view.key()),
                std::string(view.value()),
                view.key_is_null(),
                view.value_is_null(),
                {}};
      for (const Header& header : headers_of(view)) {
        record.headers.emplace_back(header.name, header.value_is_null ? "(null)" : header.value);
      }
    }
  }
  return out;
}

void produce(Log& log, const TopicPartition& at, const std::vector<std::string>& values, std::int64_t first_ms) {
  const auto producer = log.open_producer("tests");
  for (const std::string& value : values) {
    const std::string key = "k" + value;
    const OutRecord record = record_of(key, value, first_ms++);
    producer->append(at, {&record, 1});
  }
  REQUIRE(producer->commit("", {}) == CommitOutcome::committed);
}

std::vector<std::string> values_of(const std::vector<PlainRecord>& records) {
  std::vector<std::string> values;
  for (const PlainRecord& record : records) values.push_back(record.value);
  return values;
}

}  // namespace kappa::testkit
