#include "kappa/engine/error.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/sql/cases.h"

using namespace kappa;

TEST_CASE("pipelines give the nodes that their text names") {
  const std::vector<test::Case> cases = test::read_cases("pipelines.txt");
  REQUIRE(cases.size() >= 12);
  for (const test::Case& each : cases) {
    INFO("pipelines.txt:" << each.line << "\n" << each.text);
    CHECK(test::outcome(each.text) == each.expected);
  }
}

TEST_CASE("the graph is named by the override, then SET, then the file") {
  const std::string view = std::string(test::kTables) + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;";
  CHECK(parse_pipeline(view, "some/my totals.sql").graph.name() == "my-totals");
  CHECK(parse_pipeline("SET application.id = 'app';" + view, "x.sql").graph.name() == "app");
  CHECK(parse_pipeline("SET application.id = 'app';" + view, "x.sql", {{"application.id", "other"}}).graph.name() ==
        "other");
  CHECK_THROWS_AS(parse_pipeline(view, "x.sql", {{"application.id", "a b"}}), Error);
}

TEST_CASE("settings are kept as they are written") {
  const Graph graph =
      parse_pipeline(std::string("SET application.id = 'app'; SET batch.rows = 7; SET x.y = -5; SET start = "
                                 "earliest; SET z = 0; SET r = 1.5; SET t = true;") +
                         test::kTables + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;",
                     "x.sql")
          .graph;
  const std::map<std::string, std::string> expected = {{"application.id", "app"},
                                                       {"batch.rows", "7"},
                                                       {"x.y", "-5"},
                                                       {"start", "earliest"},
                                                       {"z", "0"},
                                                       {"r", "1.5"},
                                                       {"t", "true"}};
  CHECK(graph.settings() == expected);
}

TEST_CASE("options of a table reach its source") {
  const Graph graph =
      parse_pipeline(
          "CREATE TABLE bids (auctionId bigint, \"dateTime\" timestamptz NOT NULL, uid text) WITH (topic = 'b', "
          "event_time = 'dateTime', max_out_of_orderness = '250ms', max_future = '2 hours', idle_timeout = '1 "
          "day', partitioned_by = 'auctionId', partitioned_by_trust, timestamp_unit = 'us', path.uid = "
          "'user.id'); CREATE MATERIALIZED VIEW v AS SELECT * FROM bids",
          "x.sql")
          .graph;
  const Node& source = graph.node(0);
  CHECK(source.source.topic == "b");
  CHECK(source.source.event_time == 1);
  CHECK(source.source.out_of_orderness_us == 250'000);
  CHECK(source.source.max_future_us == 7'200'000'000);
  CHECK(source.source.idle_timeout_us == 86'400'000'000);
  CHECK(source.source.partitioned_by == "auctionid");
  CHECK(source.source.partitioned_by_trust);
  CHECK_FALSE(source.schema[1].nullable);
  CHECK(source.schema[0].name == "auctionid");
  CHECK(source.detail.find("auctionId") != std::string::npos);  // the JSON field's name
  CHECK(source.detail.find("user.id") != std::string::npos);
}

TEST_CASE("metadata of the record reaches the source, and may be its event time and key") {
  const auto source = [](const std::string& with) {
    return parse_pipeline(
               "CREATE TABLE bids (price bigint, Who bigint, at timestamptz, trace text) WITH (topic = 'b', "
               "event_time = 'at', max_out_of_orderness = '0s', " +
                   with + "); CREATE MATERIALIZED VIEW v AS SELECT * FROM bids",
               "x.sql")
        .graph.node(0);
  };
  const Node node = source(
      "metadata.who = 'key', metadata.at = 'timestamp', metadata.trace = 'header:trace-id', partitioned_by = 'who'");
  CHECK(node.source.event_time == 2);
  CHECK(node.source.partitioned_by == "who");
  CHECK(node.source.fields == std::vector<std::string>{"price", "", "", ""});
  CHECK(node.detail.find("metadata.at='timestamp' metadata.trace='header:trace-id' metadata.who='key'") !=
        std::string::npos);
  CHECK(source("metadata.who = 'offset'").detail != source("metadata.who = 'partition'").detail);
}

TEST_CASE("spelling, comments and the order of statements do not change a node") {
  const std::string table = test::kTables;
  const auto fingerprint = [&](const std::string& text) {
    const Graph graph = parse_pipeline(text, "x.sql").graph;
    for (std::size_t i = 0; i < graph.nodes().size(); ++i)
      if (graph.node(static_cast<int>(i)).name == "v") return graph.fingerprint(static_cast<int>(i));
    return std::string();
  };
  const std::string plain = fingerprint(table + "CREATE MATERIALIZED VIEW v AS SELECT a, p FROM t WHERE p > 1;");
  CHECK(plain == fingerprint(table + "create materialized view V as\nselect T.A, /* a /* nested */ comment */ (p) from "
                                     "t where (t.p) > 1 -- end"));
  CHECK(plain ==
        fingerprint(table + "CREATE MATERIALIZED VIEW u AS SELECT b FROM t; CREATE MATERIALIZED VIEW v AS SELECT "
                            "a, p FROM t WHERE p > 1;"));
  CHECK(plain != fingerprint(table + "CREATE MATERIALIZED VIEW v AS SELECT a, p FROM t WHERE p > 2;"));
}
