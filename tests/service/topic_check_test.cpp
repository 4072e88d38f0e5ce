// What settings of topics mean for a graph: which are worth a line, and what it says.
#include "kappa/service/topic_check.h"
#include "kappa/engine/error.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using Catch::Matchers::Contains;

namespace {
using Topics = std::map<std::string, TopicSettings>;

constexpr const char* kStateless = R"(CREATE TABLE bids (bidder bigint, at timestamptz)
  WITH (topic = 'bids', event_time = 'at', max_out_of_orderness = '5s');
CREATE MATERIALIZED VIEW totals AS SELECT * FROM bids;)";

struct Checked {
  Graph graph;
  Topology topology;
  TopicCheck check;

  Checked(const std::string& sql, const Topics& topics)
      : graph(parse_pipeline(sql, "p.sql").graph),
        topology(make_topology(graph, "", [](const std::string&) { return 2; })),
        check{graph, topology,
              [topics](const std::string& topic) -> std::optional<TopicSettings> {
                const auto found = topics.find(topic);
                return found == topics.end() ? std::nullopt : std::optional(found->second);
              },
              262'144} {}
};

std::string warnings(const Topics& topics, const std::string& sql = cli::pipeline()) {
  const Checked checked(sql, topics);
  std::string lines;
  for (const std::string& line : topic_warnings(checked.check)) lines += line + "\n";
  return lines;
}

// Kafka 4.1's own.
TopicSettings defaults() {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", "604800000"},
          {"retention.bytes", "-1"},
          {"message.timestamp.type", "CreateTime"},
          {"message.timestamp.after.max.ms", "9223372036854775807"},
          {"message.timestamp.before.max.ms", "9223372036854775807"},
          {"max.message.bytes", "1048588"},
          {"unclean.leader.election.enable", "false"}};
}

TopicSettings with(const std::string& name, const std::string& value) {
  TopicSettings settings = defaults();
  settings[name] = value;
  return settings;
}
}  // namespace

TEST_CASE("settings that suit a pipeline are not talked about", "[topics]") {
  CHECK(warnings({}).empty());
  CHECK(warnings({{"bids", defaults()}, {"totals", defaults()}}).empty());
  CHECK(warnings({{"bids", with("retention.ms", "-1")}, {"totals", with("retention.ms", "1000")}}).empty());
}

TEST_CASE("a retention below the horizon is a warning with both figures", "[topics]") {
  // 10 s of window, 5 s of out-of-orderness, an hour of max_future.
  CHECK(warnings({{"bids", with("retention.ms", "3615000")}}).empty());
  const std::string said = warnings({{"bids", with("retention.ms", "3600000")}});
  CHECK_THAT(said, Contains("source \"bids\": topic \"bids\" keeps records for 1 hour (retention.ms=3600000)"));
  CHECK_THAT(said, Contains("the last 3615 seconds") && Contains("checkpoint") && Contains("raise retention.ms"));
  CHECK_THAT(warnings({{"bids", with("retention.bytes", "1000")}}),
             Contains("keeps about 1000 bytes a partition") && Contains("the last 3615 seconds"));
  CHECK(warnings({{"bids", with("retention.ms", "1000")}}, kStateless).empty());
  // What is only compacted is not removed by age.
  TopicSettings compacted = with("retention.ms", "1000");
  compacted["cleanup.policy"] = "compact";
  CHECK_THAT(warnings({{"bids", compacted}}), !Contains("retention.ms") && Contains("is compacted"));
}

TEST_CASE("an unbounded horizon needs all records", "[topics]") {
  Checked checked(cli::pipeline(), {{"bids", defaults()}});
  for (Stage& stage : checked.topology.stages) stage.horizon_us = kForever;
  REQUIRE(topic_warnings(checked.check).size() == 1);
  CHECK_THAT(topic_warnings(checked.check).front(),
             Contains("keeps records for 7 days") && Contains("all records, since its horizon is unbounded"));
}

TEST_CASE("behind a repartition it is the repartition's topic that state is made of", "[topics]") {
  const std::string sql = cli::pipeline("hot", 10, "");
  CHECK(warnings({{"bids", with("retention.ms", "1000")}}, sql).empty());
  const Checked checked(sql, {});
  const std::string topic = checked.topology.stages.back().inputs.front().topic;
  CHECK_THAT(warnings({{topic, with("retention.ms", "1000")}}, sql), Contains("repartition \"totals/group\""));
}

TEST_CASE("leaders that may have missed records are a warning", "[topics]") {
  const TopicSettings unclean = with("unclean.leader.election.enable", "true");
  CHECK_THAT(warnings({{"bids", unclean}}), Contains("source \"bids\"") && Contains("unclean.leader.election.enable"));
  CHECK_THAT(warnings({{"totals", unclean}}),
             Contains("sink \"totals\"") && Contains("unclean.leader.election.enable"));
}

TEST_CASE("a sink's topic that would refuse or restamp results is a warning", "[topics]") {
  CHECK_THAT(warnings({{"totals", with("message.timestamp.type", "LogAppendTime")}}),
             Contains("lose their event time"));
  // Windows of 10 s that --close closes early, and an hour of max_future.
  CHECK(warnings({{"totals", with("message.timestamp.after.max.ms", "3610000")}}).empty());
  CHECK_THAT(warnings({{"totals", with("message.timestamp.after.max.ms", "3600000")}}),
             Contains("more than 1 hour ahead") && Contains("stamped 3610 seconds ahead"));
  CHECK_THAT(warnings({{"totals", with("message.timestamp.before.max.ms", "86400000")}}),
             Contains("more than 1 day back"));
  const std::string both = warnings({{"totals", with("message.timestamp.difference.max.ms", "1000")}});  // before 3.6
  CHECK_THAT(both, Contains("more than 1 second ahead") && Contains("more than 1 second back"));
  CHECK_THAT(warnings({{"totals", with("max.message.bytes", "100000")}}),
             Contains("batches of 100000 bytes") && Contains("kafka.batch.size"));
}

TEST_CASE("a compacted sink is a warning where its key does not name one result", "[topics]") {
  const TopicSettings compacted = with("cleanup.policy", "compact");
  CHECK(warnings({{"totals", compacted}}).empty());
  CHECK_THAT(warnings({{"totals", compacted}}, kStateless), Contains("sink \"totals\"") && Contains("is compacted"));
}

TEST_CASE("a compacted source is not replayed, and times of appending are said", "[topics]") {
  const Checked compacted(cli::pipeline(), {{"bids", with("cleanup.policy", "compact,delete")}});
  try {
    static_cast<void>(check_replayable(compacted.check));
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
    CHECK_THAT(error.what(), Contains("\"bids\" is compacted (cleanup.policy=compact,delete)"));
  }
  const Checked restamped(cli::pipeline(), {{"bids", with("message.timestamp.type", "LogAppendTime")}});
  REQUIRE(check_replayable(restamped.check).size() == 1);
  CHECK_THAT(check_replayable(restamped.check).front(), Contains("LogAppendTime"));
  CHECK(topic_warnings(restamped.check).empty());
}
