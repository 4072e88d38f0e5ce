#include "kappa/tests/campaign/subject.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "kappa/tests/oracle/pipeline.h"
#include "kappa/tests/oracle/random_input.h"

namespace kappa::campaign {

namespace {
using nlohmann::json;
using testkit::Published;

constexpr std::int32_t kPartitions = 3;
constexpr std::int64_t kBeginMs = 1'709'251'200'000;  // in the past: brokers refuse timestamps in the future

std::string sql_of(Shape shape, const std::string& name) {
  std::string text = "SET application.id = '" + name +
                     "';\nCREATE TABLE input (k bigint, v bigint, x double precision, at timestamptz) WITH (topic = '" +
                     name + "-in', format = 'json', event_time = 'at', max_out_of_orderness = '2s'" +
                     (shape == Shape::windows ? ", partitioned_by = 'k'" : "") +
                     ");\nCREATE MATERIALIZED VIEW results WITH (topic = '" + name + "-out') AS\n  SELECT ";
  if (shape == Shape::stateless) return text + "k, v * 2 + 1 AS odd, x, at FROM input WHERE v >= 0;\n";
  return text +
         "k, window_start, window_end, count(*) AS n, sum(v) AS s, max(x) AS hi, count(DISTINCT v) AS d,\n"
         "    sum(x) AS sx FROM TUMBLE(input, at, INTERVAL '10 seconds') GROUP BY k, window_start, window_end;\n";
}

oracle::Pipeline description(Shape shape, const std::string& name, oracle::Ends ends) {
  json text = json::parse(R"({"columns":[["k","bigint"],["v","bigint"],["x","double"],["at","timestamptz"]],
      "event_time":"at","key":"k","size_ms":10000,"aggregates":[{"function":"count","name":"n"},
      {"function":"sum","column":"v","name":"s"},{"function":"max","column":"x","name":"hi"},
      {"function":"count_distinct","column":"v","name":"d"},{"function":"sum","column":"x","name":"sx"}]})");
  text["sources"].push_back({{"topic", name + "-in"}, {"partitions", kPartitions}, {"out_of_orderness_ms", 2000}});
  text["sink"] = name + "-out";
  text["ends"] = ends == oracle::Ends::close ? "close" : "until-end";
  if (shape == Shape::repartition) text["repartition"] = kPartitions;
  return oracle::parse_pipeline(text.dump());
}

// Of a seed that leaves no partition empty: behind a merge, that would hold back everything.
std::vector<oracle::Record> records_of(Shape shape, const std::string& name, std::uint64_t seed, std::int64_t rows) {
  oracle::RandomInput options;
  options.topic = name + "-in";
  options.rows = rows;
  options.partitions = kPartitions;
  options.key_is_partition_key = shape != Shape::repartition;
  options.begin_ms = kBeginMs;
  for (options.seed = seed;; options.seed += 1000) {
    std::vector<oracle::Record> records = oracle::random_input(options);
    std::set<std::int32_t> partitions;
    for (const oracle::Record& record : records) partitions.insert(record.partition);
    if (partitions.size() == static_cast<std::size_t>(kPartitions)) return records;
  }
}

void collect(Log& log, const std::string& topic, Published& all) {
  const auto info = log.topic(topic);
  for (std::int32_t p = 0; info && p < info->partitions; ++p) {
    const TopicPartition at{topic, p};
    const std::unique_ptr<Reader> reader = log.open_reader(at, 0);
    RecordBlock block;
    for (const std::int64_t end = log.end_offset(at); reader->position() < end;) {
      reader->read(block, 4096, end);
      for (const RecordView& view : block.records) {
        testkit::PublishedRecord record;
        if (!view.key_is_null()) record.key = view.key();
        if (!view.value_is_null()) record.value = view.value();
        record.timestamp_ms = view.timestamp_ms;
        for (const Header& header : headers_of(view)) record.headers.emplace_back(header.name, header.value);
        all[to_string(at)].push_back(std::move(record));
      }
    }
  }
}

Published embedded(const Subject& subject, const std::string& ends) {
  testkit::Arena arena(subject.scenario);
  arena.feed_all();
  arena.finish({}, {ends});
  return published(arena.log(), subject.sinks);
}

std::string header(const testkit::PublishedRecord& record, const std::string& name) {
  for (const auto& [each, value] : record.headers)
    if (each == name) return value;
  return {};
}

// The offsets that side records name, by source partition; behind a repartition only their number is known.
std::map<std::string, std::vector<std::string>> places(const Published& published, const std::string& topic) {
  std::map<std::string, std::vector<std::string>> all;
  for (const auto& [name, records] : published)
    for (const auto& record : records)
      if (name.rfind(topic + "-", 0) == 0)
        all[header(record, "kappa-partition")].push_back(header(record, "kappa-offset"));
  return all;
}

void agree_with_oracle(const Subject& subject, oracle::Ends ends) {
  std::vector<oracle::Record> records;
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& in : subject.scenario.input)
    records.push_back({in.topic, in.partition, next[in.partition]++, in.timestamp_ms, in.key, in.value, {}});
  const std::string& name = subject.scenario.application;
  const oracle::Expected want = oracle::expect(description(subject.shape, name, ends), records);
  Published sink, found;
  for (const oracle::SinkRecord& r : want.sink)
    sink[name + "-out-" + std::to_string(r.partition)].push_back({r.key, r.value, r.timestamp_ms, {}});
  for (const auto& [at, all] : subject.expected)
    if (at.rfind(name + "-out-", 0) == 0) found[at] = all;
  std::map<std::string, std::vector<std::string>> late, dead;
  const bool nameless = subject.shape == Shape::repartition;
  for (const oracle::Place& place : want.late)
    late[nameless ? "" : std::to_string(place.partition)].push_back(nameless ? "" : std::to_string(place.offset));
  for (const auto& [place, cause] : want.dead)
    dead[std::to_string(place.partition)].push_back(std::to_string(place.offset));
  const std::string difference = testkit::difference(sink, found);
  if (!difference.empty() || places(subject.expected, name + "-late") != late ||
      places(subject.expected, name + "-dead-letters") != dead)
    throw std::runtime_error("the embedded run is not what the oracle expects: " + difference);
}

void expect(Subject& subject, oracle::Ends ends) {
  subject.expected = embedded(subject, ends == oracle::Ends::close ? "--close" : "--until-end");
  if (subject.shape != Shape::stateless) agree_with_oracle(subject, ends);
}
}  // namespace

Published published(Log& log, const std::map<std::string, int>& topics) {
  Published all;
  for (const auto& [topic, partitions] : topics) collect(log, topic, all);
  return all;
}

std::string difference(const Published& want, const Published& got) {
  const auto by_node = [](const Published& all) {
    Published grouped;
    for (const auto& [name, records] : all)
      for (const auto& record : records) {
        const std::string node = header(record, "kappa-node");
        grouped[node.empty() ? name : name + " by " + node].push_back(record);
      }
    return grouped;
  };
  return testkit::difference(by_node(want), by_node(got));
}

std::string to_string(Shape shape) {
  return shape == Shape::windows ? "windows" : shape == Shape::repartition ? "repartition" : "stateless";
}

Subject subject(Shape shape, const std::string& name, std::uint64_t seed, std::int64_t rows) {
  Subject made;
  made.shape = shape;
  made.scenario = {name, name, name + "-out", sql_of(shape, name), {{name + "-in", kPartitions}}, {}};
  for (const oracle::Record& r : records_of(shape, name, seed, rows))
    made.scenario.input.push_back({r.topic, r.partition, r.key, r.value, r.timestamp_ms});
  for (const char* sink : {"-out", "-late", "-dead-letters"}) made.sinks[name + sink] = kPartitions;
  expect(made, oracle::Ends::until_end);
  return made;
}

void expect_close(Subject& subject) { expect(subject, oracle::Ends::close); }

}  // namespace kappa::campaign
