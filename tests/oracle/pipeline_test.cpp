// Whole pipelines: by hand where the numbers are known, else by properties that must hold for any input.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/oracle/pipeline.h"
#include "kappa/tests/oracle/random_input.h"

namespace oracle {
namespace {
using nlohmann::json;

// One or two topics a, b; k, v, x, at; windows of 10 s; out-of-orderness 2 s.
json description(int topics, int partitions) {
  json text = json::parse(R"({"sources":[],"columns":[["k","text"],["v","bigint"],["x","double"],["at","timestamptz"]],
      "event_time":"at","key":"k","size_ms":10000,"sink":"out","aggregates":[{"function":"count","name":"n"},
      {"function":"count","column":"v","name":"nv"},{"function":"sum","column":"v","name":"s"},
      {"function":"min","column":"v","name":"lo"},{"function":"max","column":"v","name":"hi"},
      {"function":"avg","column":"v","name":"a"},{"function":"count_distinct","column":"v","name":"d"},
      {"function":"sum","column":"x","name":"sx"}]})");
  for (int i = 0; i < topics; ++i) {
    text["sources"].push_back({{"topic", std::string(1, static_cast<char>('a' + i))},
                               {"partitions", partitions},
                               {"out_of_orderness_ms", 2000}});
  }
  return text;
}

Pipeline pipeline(const json& text) { return parse_pipeline(text.dump()); }

struct Input {
  const char* topic;
  int partition;
  const char* key;
  int seconds, v;
};

std::vector<Record> records_of(const std::vector<Input>& inputs) {
  std::map<std::pair<std::string, int>, std::int64_t> offsets;
  std::vector<Record> records;
  for (const Input& in : inputs) {
    const json value{{"k", in.key}, {"v", in.v}, {"at", in.seconds * 1000}};
    records.push_back(
        {in.topic, in.partition, offsets[{in.topic, in.partition}]++, in.seconds * 1000, in.key, value.dump(), {}});
  }
  return records;
}

std::vector<std::string> keys_of(const Expected& expected) {
  std::vector<std::string> keys;
  for (const SinkRecord& r : expected.sink) {
    keys.push_back(std::to_string(r.partition) + r.key + json::parse(r.value).at("n").dump());
  }
  return keys;
}

// The nine rows of docs/FORMAT.md.
std::vector<Input> nine(const char* second_topic, int second_partition) {
  const char* t = second_topic;
  const int p = second_partition;
  return {{"a", 0, "a", 1, 1}, {"a", 0, "b", 7, 1}, {"a", 0, "a", 12, 1}, {"a", 0, "a", 9, 1}, {"a", 0, "b", 25, 1},
          {t, p, "a", 3, 1},   {t, p, "b", 14, 1},  {t, p, "a", 11, 1},   {t, p, "a", 16, 1}};
}
}  // namespace

TEST_CASE("two partitions are two tasks, as FORMAT.md's table says", "[oracle]") {
  const Expected expected = expect(pipeline(description(1, 2)), records_of(nine("a", 1)));
  CHECK(keys_of(expected) ==
        std::vector<std::string>{"0[\"a\",\"1970-01-01T00:00:00Z\"]1", "0[\"b\",\"1970-01-01T00:00:00Z\"]1",
                                 "0[\"a\",\"1970-01-01T00:00:10Z\"]1", "1[\"a\",\"1970-01-01T00:00:00Z\"]1"});
  REQUIRE(expected.late.size() == 1);
  CHECK(expected.late.front() == Place{"a", 0, 3});
  CHECK(expected.open_windows == 3);
  CHECK(expected.sink.front().timestamp_ms == 9999);
  CHECK(expected.sink.front().value ==
        R"({"k":"a","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z",)"
        R"("n":1,"nv":1,"s":1,"lo":1,"hi":1,"a":1,"d":1,"sx":null})");
}

TEST_CASE("two topics meet in a merge, as FORMAT.md's table says", "[oracle]") {
  json text = description(2, 1);
  const Expected expected = expect(pipeline(text), records_of(nine("b", 0)));
  CHECK(keys_of(expected) ==
        std::vector<std::string>{"0[\"a\",\"1970-01-01T00:00:00Z\"]2", "0[\"b\",\"1970-01-01T00:00:00Z\"]1"});
  CHECK(expected.late == std::vector<Place>{{"a", 0, 3}});
  CHECK(expected.counts.at({"a", 0}).held == 1);
  CHECK(expected.open_windows == 2);
  text["ends"] = "close";
  const Expected closed = expect(pipeline(text), records_of(nine("b", 0)));
  CHECK(keys_of(closed) ==
        std::vector<std::string>{"0[\"a\",\"1970-01-01T00:00:00Z\"]2", "0[\"b\",\"1970-01-01T00:00:00Z\"]1",
                                 "0[\"a\",\"1970-01-01T00:00:10Z\"]3", "0[\"b\",\"1970-01-01T00:00:10Z\"]1",
                                 "0[\"b\",\"1970-01-01T00:00:20Z\"]1"});
  CHECK(closed.open_windows == 0);
}

TEST_CASE("rows are placed by murmur2 as Java places them, null keys in partition 0", "[oracle]") {
  CHECK(place(std::string("21"), 1000) == 1173551340 % 1000);
  CHECK(place(std::int64_t{21}, 8) == 4);
  CHECK(place(std::string("foobar"), 8) == 6);
  CHECK(place(std::string(), 2) == 1);
  CHECK(place(std::int64_t{-42}, 8) == 7);
  CHECK(place({}, 8) == 0);
}

TEST_CASE("what does not decode or lies in the future is a dead letter and moves no progress", "[oracle]") {
  const Pipeline p = pipeline(description(1, 1));
  const auto is_dead = [&](std::optional<std::string> value) {
    const Expected expected = expect(p, {{"a", 0, 0, 10'000, {}, std::move(value), {}}});
    return expected.dead.size() == 1 && expected.counts.at({"a", 0}).dead == 1;
  };
  for (const char* dead :
       {"", "x", "[]", "7", R"({"k":"a","at":1)", R"({"k":"a","at":1}})", R"({"k":"a"})", R"({"k":"a","at":null})",
        R"({"k":"a","at":-1})", R"({"k":"a","at":3610001})", R"({"k":"a","at":"1970-01-01T00:00:01"})",
        R"({"k":7,"at":1})", R"({"k":"a","v":"1","at":1})", R"({"k":"a","v":1.0,"at":1})",
        R"({"k":"a","v":9223372036854775808,"at":1})", R"({"k":"a","at":9223372036854775807})"}) {
    INFO(dead);
    CHECK(is_dead(dead));
  }
  CHECK(is_dead(std::nullopt));
  for (const char* good : {R"({"at":1})", R"({"k":null,"v":null,"at":0})", R"({"k":"a","at":3610000})",
                           R"({"at":"1970-01-01T01:00:00.5+01:00"})", R"({"v":-9223372036854775808,"at":1})"}) {
    INFO(good);
    CHECK_FALSE(is_dead(good));
  }
}

TEST_CASE("timestamps are written with the fewest digits that are exact", "[oracle]") {
  CHECK(timestamp_text(0) == "1970-01-01T00:00:00Z");
  CHECK(timestamp_text(1'772'323'200'250'000) == "2026-03-01T00:00:00.250Z");
  CHECK(timestamp_text(1'772'323'200'000'001) == "2026-03-01T00:00:00.000001Z");
}

TEST_CASE("nothing that is expected depends on the order of reading", "[oracle]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::vector<Record> records;
    for (const char* topic : {"a", "b"}) {
      RandomInput options{.seed = seed, .topic = topic, .rows = 250, .partitions = 3, .text_keys = true};
      options.key_is_partition_key = seed % 2 == 0;
      for (Record& record : random_input(options)) records.push_back(std::move(record));
    }
    json text = description(2, 3);
    text["filter"] = {{"column", "v"}, {"at_least", -20}};
    text["ends"] = seed % 3 == 0 ? "close" : "until-end";
    if (seed % 2 == 1) text["repartition"] = 4;
    text["upstream_per_source"] = seed % 4 == 1;
    const Expected first = expect(pipeline(text), records, 1);
    const Expected second = expect(pipeline(text), records, 2);
    INFO("seed " << seed);
    CHECK(first.sink == second.sink);
    CHECK(first.late == second.late);
    CHECK((first.sink.size() > 20 || text["ends"] == "until-end"));
    CHECK(first.dead.size() > 3);
  }
}

TEST_CASE("a closed pipeline counts every row in time once, wherever it goes", "[oracle]") {
  const std::vector<Record> records =
      random_input({.seed = 5, .topic = "a", .rows = 2000, .partitions = 4, .text_keys = true});
  json text = description(1, 4);
  text["ends"] = "close";
  const auto total = [&] {
    const Expected expected = expect(pipeline(text), records);
    std::int64_t rows = 0, processed = 0;
    for (const SinkRecord& r : expected.sink) rows += json::parse(r.value).at("n").get<std::int64_t>();
    for (const auto& [partition, counts] : expected.counts) processed += counts.processed;
    CHECK(rows == processed);
    CHECK(expected.open_windows == 0);
    return rows;
  };
  const std::int64_t direct = total();
  CHECK(direct > 1500);
  text["repartition"] = 3;
  CHECK(total() == direct);  // lateness is a matter of the source partition alone
}

TEST_CASE("a range publishes the results whose event time lies in it", "[oracle]") {
  const std::vector<Record> records = random_input({.seed = 9, .topic = "a", .rows = 2000, .partitions = 2});
  json text = description(1, 2);
  text["columns"][0][1] = "bigint";
  text["ends"] = "close";
  const Expected all = expect(pipeline(text), records);
  const std::int64_t from = 1'772'323'260'000, to = 1'772'323'290'000;
  text["from_ms"] = from;
  text["to_ms"] = to;
  std::vector<SinkRecord> want;
  for (const SinkRecord& r : all.sink) {
    if (r.timestamp_ms >= from && r.timestamp_ms < to) want.push_back(r);
  }
  CHECK(want.size() > 10);
  CHECK(expect(pipeline(text), records).sink == want);
}

TEST_CASE("random input is the same for the same seed, and holds every kind of trouble", "[oracle]") {
  const RandomInput options{.seed = 3, .rows = 5000, .text_keys = true};
  const auto values = [](const std::vector<Record>& records) {
    std::vector<std::string> texts;
    for (const Record& r : records) texts.push_back(r.value.value_or("null"));
    return texts;
  };
  CHECK(values(random_input(options)) == values(random_input(options)));
  json text = description(1, 4);
  text["sources"][0]["topic"] = "in";
  const Expected expected = expect(pipeline(text), random_input(options));
  CHECK(expected.late.size() > 50);
  CHECK(expected.sink.size() > 100);
  std::set<std::string> causes;
  for (const auto& [where, cause] : expected.dead) causes.insert(cause);
  CHECK(causes.size() >= 6);
}

}  // namespace oracle
