// What the program publishes of hostile input is what an independent recomputation expects (laws L4 and L5).
#include <iostream>
#include <nlohmann/json.hpp>

#include "kappa/tests/identity/manner.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/oracle/pipeline.h"
#include "kappa/tests/oracle/random_input.h"

namespace kappa::testkit {
namespace {
using nlohmann::json;

constexpr std::int32_t kRandomPartitions = 3;

enum class Family : std::uint8_t { one_topic, repartition, two_topics, two_topics_repartition };

struct Case {
  Family family = Family::one_topic;
  std::uint64_t seed = 1;
  bool close = false;
  [[nodiscard]] bool is_scattered() const {
    return family == Family::repartition || family == Family::two_topics_repartition;
  }
  [[nodiscard]] bool has_two_topics() const {
    return family == Family::two_topics || family == Family::two_topics_repartition;
  }
  [[nodiscard]] std::vector<std::string> topics() const {
    return has_two_topics() ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"};
  }
  [[nodiscard]] bool has_text_keys() const { return seed % 2 == 0; }
  [[nodiscard]] bool has_filter() const { return seed % 3 == 0; }
};

oracle::Pipeline description(const Case& c) {
  json text = json::parse(R"({"columns":[["k","bigint"],["v","bigint"],["x","double"],["at","timestamptz"]],
      "event_time":"at","key":"k","size_ms":10000,"sink":"out","aggregates":[{"function":"count","name":"n"},
      {"function":"count","column":"v","name":"nv"},{"function":"sum","column":"v","name":"s"},
      {"function":"min","column":"v","name":"lo"},{"function":"max","column":"x","name":"hi"},
      {"function":"avg","column":"v","name":"a"},{"function":"count_distinct","column":"v","name":"d"},
      {"function":"sum","column":"x","name":"sx"},{"function":"avg","column":"x","name":"ax"}]})");
  if (c.has_text_keys()) text["columns"][0][1] = "text";
  for (const std::string& topic : c.topics())
    text["sources"].push_back({{"topic", topic}, {"partitions", kRandomPartitions}, {"out_of_orderness_ms", 2000}});
  if (c.is_scattered()) text["repartition"] = kRandomPartitions;
  if (c.has_filter()) text["filter"] = {{"column", "v"}, {"at_least", -20}};
  text["ends"] = c.close ? "close" : "until-end";
  return oracle::parse_pipeline(text.dump());
}

std::string sql(const Case& c) {
  std::string text = "SET application.id = 'hostile';\n", input = "a";
  for (const std::string& topic : c.topics())
    text += "CREATE TABLE " + topic + " (k " + (c.has_text_keys() ? "text" : "bigint") +
            ", v bigint, x double precision, at timestamptz) WITH (topic = '" + topic +
            "', format = 'json', event_time = 'at', max_out_of_orderness = '2s'" +
            (c.is_scattered() ? "" : ", partitioned_by = 'k'") + ");\n";
  if (c.has_two_topics()) input = "(SELECT * FROM a UNION ALL SELECT * FROM b)";
  return text +
         "CREATE MATERIALIZED VIEW results WITH (topic = 'out') AS SELECT k, window_start, window_end, count(*) AS n, "
         "count(v) AS nv, sum(v) AS s, min(v) AS lo, max(x) AS hi, avg(v) AS a, count(DISTINCT v) AS d, "
         "sum(x) AS sx, avg(x) AS ax FROM TUMBLE(" +
         input + ", at, INTERVAL '10 seconds')" + (c.has_filter() ? " WHERE v >= -20" : "") +
         " GROUP BY k, window_start, window_end;\n";
}

std::vector<oracle::Record> records_of(const Case& c, std::int64_t rows) {
  std::vector<oracle::Record> all;
  for (const std::string& topic : c.topics()) {
    oracle::RandomInput options;
    options.seed = c.seed * 10 + all.size() % 2;
    options.topic = topic;
    options.rows = rows;
    options.partitions = kRandomPartitions;
    options.text_keys = c.has_text_keys();
    options.key_is_partition_key = !c.is_scattered();
    const std::vector<oracle::Record> some = oracle::random_input(options);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Published sinks_of(const oracle::Expected& expected) {
  Published sinks;
  for (const oracle::SinkRecord& r : expected.sink)
    sinks["sink-" + std::to_string(r.partition)].push_back({r.key, r.value, r.timestamp_ms, {}});
  return sinks;
}

// Source offsets, by "late of a-0"; behind a repartition only their number is known.
std::map<std::string, std::vector<std::string>> places(const Published& published, const std::string& what) {
  std::map<std::string, std::vector<std::string>> offsets;
  for (const auto& [name, records] : published)
    for (const PublishedRecord& record : records) {
      if (name.rfind(what, 0) != 0) continue;
      std::string offset;
      for (const auto& [header, value] : record.headers)
        if (header == "kappa-offset") offset = value;
      offsets[name].push_back(name == what + " of -" ? "" : offset);
    }
  return offsets;
}

std::map<std::string, std::vector<std::string>> places(const std::vector<oracle::Place>& expected,
                                                       const std::string& what, bool nameless) {
  std::map<std::string, std::vector<std::string>> offsets;
  for (const oracle::Place& place : expected)
    offsets[nameless ? what + " of -" : what + " of " + place.topic + "-" + std::to_string(place.partition)].push_back(
        nameless ? "" : std::to_string(place.offset));
  return offsets;
}

oracle::Counts counts_of(const json& report) {
  oracle::Counts counts;
  for (const json& task : report.at("tasks")) {
    counts.held += task.at("held_rows").get<std::int64_t>();
    for (const json& source : task.at("sources")) {
      if (source.at("topic") != "a" && source.at("topic") != "b") continue;
      counts.read += source.at("read").get<std::int64_t>();
      counts.dead += source.at("dead").get<std::int64_t>();
    }
    for (const json& node : task.at("nodes")) {
      counts.late += node.at("counters").at("late").get<std::int64_t>();
      counts.filtered += node.at("counters").at("filtered").get<std::int64_t>();
      counts.processed += node.at("counters").at("folded").get<std::int64_t>();
    }
  }
  return counts;
}

void check_counts(const oracle::Expected& expected, const json& report) {
  oracle::Counts want;
  for (const auto& [at, c] : expected.counts) {
    want.read += c.read;
    want.processed += c.processed;
    want.filtered += c.filtered;
    want.late += c.late;
    want.dead += c.dead;
    want.held += c.held;
  }
  const oracle::Counts got = counts_of(report);
  CHECK(got.read == want.read);
  CHECK(got.processed == want.processed);
  CHECK(got.filtered == want.filtered);
  CHECK(got.late == want.late);
  CHECK(got.dead == want.dead);
  CHECK(got.held == want.held);
}

std::size_t check(const Case& c, std::int64_t rows) {
  const std::vector<oracle::Record> records = records_of(c, rows);
  Scenario scenario{"hostile", "hostile", "out", sql(c), {}, {}};
  for (const std::string& topic : c.topics()) scenario.topics[topic] = kRandomPartitions;
  for (const oracle::Record& r : records)
    scenario.input.push_back({r.topic, r.partition, r.key, r.value, r.timestamp_ms});
  const oracle::Expected expected = oracle::expect(description(c), records);
  Arena arena(scenario);
  arena.feed_all();
  const int batches[] = {1, 7, 64, 4096};
  const Exit exit =
      arena.finish({"batch.rows=" + std::to_string(batches[c.seed % 4]), "workers=" + std::to_string(1 + c.seed % 3)},
                   {c.close ? "--close" : "--until-end", "--output", "json"});
  Published published = arena.published();
  CHECK(places(published, "late") == places(expected.late, "late", c.is_scattered()));
  std::vector<oracle::Place> dead;
  for (const auto& [place, cause] : expected.dead) dead.push_back(place);
  CHECK(places(published, "dead") == places(dead, "dead", false));
  check_counts(expected, json::parse(exit.out));
  std::erase_if(published, [](const auto& each) { return each.first.rfind("sink", 0) != 0; });
  CHECK(difference(sinks_of(expected), published) == "");
  return expected.sink.size();
}

void check_seeds(std::uint64_t seeds, std::int64_t rows) {
  const std::uint64_t first = seed_of_tests();
  std::size_t results = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    for (const Family family :
         {Family::one_topic, Family::repartition, Family::two_topics, Family::two_topics_repartition}) {
      const Case c{family, seed, seed % 2 == static_cast<std::uint64_t>(family) % 2};
      INFO("KAPPA_IDENTITY_SEED=" << seed << " identity_test; hostile input, family " << static_cast<int>(family)
                                  << (c.close ? ", --close" : ", --until-end"));
      results += check(c, rows);
    }
  }
  CHECK(results > 100 * seeds);
}

// The example of docs/FORMAT.md: each input by itself gives 0 and 1, the other order of inputs 1 as well.
TEST_CASE("doubles of several topics are added in the order of the merge") {
  Scenario scenario{"doubles", "hostile", "out", "SET application.id = 'hostile';\n", {{"a", 1}, {"b", 1}}, {}};
  for (const std::string topic : {"a", "b"})
    scenario.sql += "CREATE TABLE " + topic + " (k bigint, x double precision, at timestamptz) WITH (topic = '" +
                    topic + "', event_time = 'at', max_out_of_orderness = '2s', partitioned_by = 'k');\n";
  scenario.sql +=
      "CREATE MATERIALIZED VIEW results WITH (topic = 'out') AS SELECT k, window_start, sum(x) AS s, avg(x) AS a FROM "
      "TUMBLE((SELECT * FROM a UNION ALL SELECT * FROM b), at, INTERVAL '10 seconds') GROUP BY k, window_start;\n";
  scenario.input = {{"a", 0, "7", R"({"k":7,"x":1e16,"at":1000})", 1000},
                    {"a", 0, "7", R"({"k":7,"x":-1e16,"at":3000})", 3000},
                    {"b", 0, "7", R"({"k":7,"x":1,"at":2000})", 2000}};
  for (const std::string batch : {"1", "4096"}) {
    Arena arena(scenario);
    arena.feed_all();
    arena.finish({"batch.rows=" + batch}, {"--close"});
    Published published = arena.published();
    REQUIRE(published["sink-0"].size() == 1);
    CHECK(published["sink-0"].front().value == R"({"k":7,"window_start":"1970-01-01T00:00:00Z","s":0,"a":0})");
  }
}

TEST_CASE("hostile input gives what an independent recomputation expects") { check_seeds(10, 1000); }
TEST_CASE("much hostile input gives what an independent recomputation expects", "[.][long]") { check_seeds(200, 2000); }

}  // namespace
}  // namespace kappa::testkit
