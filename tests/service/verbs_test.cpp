// What the commands print, and how they end.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa::cli;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {
std::vector<json> records_of(const std::string& lines) {
  std::vector<json> records;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    records.push_back(json::parse(lines.substr(at, end - at)));
    at = end + 1;
  }
  return records;
}

void write_gzip(const Place& place, const std::string& name, const std::string& text) {
  const gzFile file = gzopen(place.path(name).c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  REQUIRE(gzclose(file) == Z_OK);
}
}  // namespace

TEST_CASE("every command has a help that says what it is for and ends with 0", "[verbs]") {
  Place place;
  for (const std::vector<std::string>& verb : {std::vector<std::string>{},
                                               {"run"},
                                               {"plan"},
                                               {"replay"},
                                               {"diff"},
                                               {"validate"},
                                               {"graph"},
                                               {"checkpoints"},
                                               {"log"},
                                               {"log", "topics"},
                                               {"log", "schema"},
                                               {"log", "import"},
                                               {"log", "produce"},
                                               {"log", "read"},
                                               {"generate"},
                                               {"generate", "nexmark"}}) {
    std::vector<std::string> arguments = verb;
    arguments.emplace_back("--help");
    const Outcome outcome = place.run(arguments);
    CAPTURE(arguments);
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.out, Contains("Usage: kappa") && Contains("Exit codes:"));
    CHECK(outcome.out.find("  ") != std::string::npos);
  }
  CHECK_THAT(place.good({"--version"}).out, Contains("kappa 0."));
  CHECK(place.listing().empty());
}

TEST_CASE("a document nested without end is a record like any other that is not JSON", "[verbs]") {
  const Place place;
  const std::string deep = "{\"k\":" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  place.good({"log", "import", "deep", "-", "--key", "k"}, deep + "\n");
  CHECK(place.good({"log", "read", "deep", "--table"}).out.find(deep.substr(0, 100)) != std::string::npos);
  CHECK(place.good({"log", "read", "deep", "--values"}).out == deep + "\n");
}

TEST_CASE("import takes plain files, gzip and standard input, and key and timestamp from fields", "[verbs]") {
  Place place;
  place.write("plain.jsonl", R"({"k":"a","t":"2026-01-01T00:00:00Z"}
{"k":7,"t":1767225601000}

not json
{"k":null,"t":null}
)");
  place.good({"log", "import", "plain", "plain.jsonl", "--key", "k", "--timestamp", "t"});
  write_gzip(place, "packed.jsonl.gz", place.read("plain.jsonl"));
  place.good({"log", "import", "packed", "packed.jsonl.gz", "--key", "k", "--timestamp", "t"});
  place.good({"log", "import", "piped", "-", "--key", "k", "--timestamp", "t"}, place.read("plain.jsonl"));
  const std::vector<json> records = records_of(place.topic("plain"));
  REQUIRE(records.size() == 4);
  CHECK(records[0]["key"] == "a");
  CHECK(records[0]["timestamp"] == 1'767'225'600'000);
  CHECK(records[1]["key"] == "7");
  CHECK(records[1]["timestamp"] == 1'767'225'601'000);
  CHECK(records[2]["value"] == "not json");
  CHECK(records[2]["key"].is_null());
  CHECK(records[3]["key"].is_null());
  CHECK(place.good({"log", "read", "plain", "--values"}).out == place.good({"log", "read", "packed", "--values"}).out);
  CHECK(place.good({"log", "read", "plain", "--values"}).out == place.good({"log", "read", "piped", "--values"}).out);
  place.good({"log", "import", "seconds", "-", "--timestamp", "t", "--timestamp-unit", "s"}, "{\"t\":5}\n");
  CHECK(records_of(place.topic("seconds"))[0]["timestamp"] == 5000);
  const Outcome counted = place.good({"log", "import", "plain", "plain.jsonl", "--output", "json"});
  CHECK(json::parse(counted.out) == json{{"topic", "plain"}, {"records", 4}});
}

TEST_CASE("a gzip file that ends early fails, and keeps whole commits only", "[verbs]") {
  Place place;
  write_gzip(place, "cut.gz", bids(2000));
  const std::string packed = place.read("cut.gz");
  place.write("cut.gz", packed.substr(0, packed.size() / 2));
  const Outcome outcome = place.run({"log", "import", "bids", "cut.gz"});
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.err, Contains("cut.gz"));
}

TEST_CASE("import keeps the pace it is given", "[verbs]") {
  Place place;
  const auto start = std::chrono::steady_clock::now();
  place.good({"log", "import", "bids", "-", "--rate", "100"}, bids(50));
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(390));
  CHECK(records_of(place.topic("bids")).size() == 50);
}

TEST_CASE("produce splits keys, and places and stamps records as told", "[verbs]") {
  Place place;
  place.good({"log", "produce", "t", "--partitions", "3", "--key-separator", "=>", "--partition", "2", "--timestamp",
              "1700000000000"},
             "a=>1\nno key\nb=>2=>3\n=>\n");
  const std::vector<json> records = records_of(place.topic("t"));
  REQUIRE(records.size() == 4);
  const json expected{
      {"topic", "t"}, {"partition", 2},           {"offset", 0}, {"timestamp", 1'700'000'000'000}, {"key", "a"},
      {"value", "1"}, {"headers", json::object()}};
  CHECK(records[0] == expected);
  CHECK(records[1]["key"].is_null());
  CHECK(records[1]["value"] == "no key");
  CHECK(records[2]["value"] == "2=>3");
  CHECK(records[3]["key"] == "");
  CHECK(records[3]["value"] == "");
  CHECK(place.run({"log", "produce", "t", "--partition", "3"}, "x\n").code == 2);
  CHECK(place.run({"log", "produce", "t", "--partition", "-1"}, "x\n").code == 2);
}

TEST_CASE("read prints what is not UTF-8 as base64, and headers", "[verbs]") {
  Place place;
  place.good({"log", "produce", "t", "--key-separator", "="}, "k\xff=v\xfe\nk=v\n");
  std::vector<json> records = records_of(place.topic("t"));
  CHECK(records[0]["key_base64"] == "a/8=");
  CHECK(records[0]["value_base64"] == "dv4=");
  CHECK_FALSE(records[0].contains("key"));
  CHECK_FALSE(records[0].contains("value"));
  // A dead letter carries headers.
  place.write("p.sql", pipeline("hot", 10, ""));
  place.good({"log", "produce", "bids"}, "{not json}\n");
  place.good({"run", "p.sql", "--until-end"});
  records = records_of(place.topic("hot-dead-letters"));
  REQUIRE(records.size() == 1);
  CHECK(records[0]["value"] == "{not json}");
  CHECK(records[0]["headers"].size() >= 3);
}

TEST_CASE("read gives values, tables, one partition, and so many records", "[verbs]") {
  Place place;
  fill(place, 100);
  CHECK(records_of(place.good({"log", "read", "bids", "--max", "7"}).out).size() == 7);
  CHECK(place.good({"log", "read", "bids", "--max", "0"}).out.empty());
  for (const json& record : records_of(place.good({"log", "read", "bids", "--partition", "1"}).out))
    CHECK(record["partition"] == 1);
  CHECK(place.good({"log", "read", "bids", "--values", "--max", "1"}).out ==
        "{\"bidder\":0,\"price\":0,\"at\":1767225600000}\n");
  CHECK(place.good({"log", "read", "bids", "--table", "--max", "1"}).out ==
        "bidder  price  at\n0       0      1767225600000\n");
  CHECK(place.run({"log", "read", "bids", "--partition", "2"}).code == 2);
}

TEST_CASE("read --follow goes on until it is stopped", "[verbs]") {
  Place place;
  fill(place, 10);
  Running follow = place.start({"log", "read", "bids", "--values", "--follow"});
  follow.until("\"price\":8");
  place.good({"log", "produce", "bids"}, "the last one\n");
  follow.until("the last one");
  follow.signal(SIGTERM);
  const Outcome outcome = follow.wait();
  CHECK(outcome.code == 143);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 11);
}

TEST_CASE("schema prints a table that a pipeline can be made of", "[verbs]") {
  Place place;
  fill(place, 100);
  const std::string schema = place.good({"log", "schema", "bids"}).out;
  place.write("made.sql", "SET application.id = 'made';\n" + schema +
                              "CREATE MATERIALIZED VIEW v AS SELECT bidder, price, at FROM bids WHERE price > 10;\n");
  place.good({"validate", "made.sql"});
  place.good({"run", "made.sql", "--until-end"});
  CHECK(records_of(place.topic("v")).size() == 89);
  place.good({"log", "produce", "odd-topic.1"},
             "{\"user.id\":1,\"Name\":\"x\",\"select\":true,\"n\":1.5,\"o\":{\"p\":1},"
             "\"t\":\"2026-01-01T00:00:00Z\",\"nothing\":null}\n");
  place.write("odd.sql", "SET application.id = 'odd';\n" + place.good({"log", "schema", "odd-topic.1"}).out +
                             "CREATE MATERIALIZED VIEW w AS SELECT n, t FROM odd_topic_1;\n");
  const Outcome odd = place.run({"validate", "odd.sql"});
  CAPTURE(place.read("odd.sql"), odd.err);
  CHECK(odd.code == 0);
  place.good({"log", "produce", "text"}, "plain\n");
  CHECK(place.run({"log", "schema", "text"}).code == 3);
}

TEST_CASE("nexmark is generated as told", "[verbs]") {
  Place place;
  place.good({"generate", "nexmark", "--events", "500", "--kind", "bid", "--key", "bidder", "--partitions", "3"});
  const std::vector<json> records = records_of(place.topic("bids"));
  CHECK(records.size() == 500);
  for (const json& record : records)
    CHECK(record["key"] == std::to_string(json::parse(record["value"].get<std::string>())["bidder"].get<int>()));
  CHECK(place.run({"generate", "nexmark", "--kind", "offer"}).code == 2);
  CHECK(place.run({"generate", "nexmark", "--out-of-order", "many"}).code == 2);
}

TEST_CASE("a graph is printed as text, JSON and DOT; validate is short", "[verbs]") {
  Place place;
  place.write("p.sql", pipeline());
  CHECK_THAT(place.good({"graph", "p.sql"}).out, Contains("window_aggregate \"totals/window\""));
  CHECK(json::parse(place.good({"graph", "p.sql", "--format", "json"}).out)["nodes"].size() == 4);
  CHECK(json::parse(place.good({"graph", "p.sql", "--output", "json"}).out)["graph"] == "hot");
  CHECK_THAT(place.good({"graph", "p.sql", "--format", "dot"}).out, Contains("digraph") && Contains("->"));
  CHECK(place.run({"graph", "p.sql", "--format", "svg"}).code == 2);
  CHECK_THAT(place.good({"validate", "p.sql"}).out, Contains("hot") && Contains("there is no log"));
  CHECK(place.listing().size() == 1);
  fill(place, 10);
  CHECK_THAT(place.good({"validate", "p.sql"}).out, Contains("1 stage"));
}

TEST_CASE("a column that no record has is a warning with the nearest field", "[verbs]") {
  Place place;
  fill(place, 10);
  std::string text = pipeline("hot", 10, "partitioned_by = 'bidder'");
  text.replace(text.find("price bigint"), 12, "prise bigint");
  text.replace(text.find("sum(price)"), 10, "sum(prise)");
  place.write("typo.sql", text);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"validate", "typo.sql"}, {"run", "typo.sql", "--until-end"}}) {
    const Outcome outcome = place.good(arguments);
    CHECK_THAT(outcome.err, Contains("warning") && Contains("\"prise\"") && Contains("topic \"bids\"") &&
                                Contains("did you mean \"price\"?"));
    CHECK(outcome.err.find("\"bidder\"") == std::string::npos);
  }
  const json report = json::parse(place.good({"validate", "typo.sql", "--output", "json"}).out);
  CHECK(report["warnings"].size() == 1);
  CHECK(json::parse(place.good({"validate", "p.sql", "--output", "json"}).out)["warnings"].empty());
}

TEST_CASE("a plan and a replay without --execute write nothing", "[verbs]") {
  Place place;
  fill(place, 500);
  place.good({"run", "p.sql", "--until-end"});
  const std::vector<std::string> before = place.listing();
  CHECK_THAT(
      place.good({"plan", "p.sql", "--from", "2026-01-01T00:00:20Z"}).out,
      Contains("warm-up") && Contains("bids-0 offsets 0 to") && Contains("topic totals.replay-2026-01-01 (new)"));
  CHECK_THAT(place.good({"replay", "p.sql", "--from", "2026-01-01"}).out, Contains("nothing was written; --execute"));
  const json plan = json::parse(place.good({"plan", "p.sql", "--from", "2026-01-01", "--format", "json"}).out);
  CHECK(plan["partitions"].size() == 2);
  CHECK(plan["records"] == 500);
  CHECK(json::parse(place.good({"replay", "p.sql", "--from", "2026-01-01", "--format", "json"}).out) == plan);
  CHECK(place.listing() == before);
}

TEST_CASE("diff ends with 0 where results are the same and 1 where they differ", "[verbs]") {
  Place place;
  fill(place, 1000);
  place.good({"run", "p.sql", "--until-end"});
  place.good({"replay", "p.sql", "--from", "2026-01-01", "--name", "proof", "--execute"});
  CHECK(place.run({"diff", "proof"}).code == 0);
  std::string fixed = pipeline();
  fixed.replace(fixed.find("  GROUP BY"), 2, "  WHERE price > 500\n  ");
  place.write("fixed.sql", fixed);
  const Outcome replay = place.good({"replay", "fixed.sql", "--from", "2026-01-01T00:00:30Z", "--to",
                                     "2026-01-01T00:01:00Z", "--name", "fix", "--format", "json", "--execute"});
  CHECK(json::parse(replay.out)["finished"] == true);
  const Outcome diff = place.run({"diff", "fix", "--output", "json"});
  CHECK(diff.code == 1);
  const json sinks = json::parse(diff.out);
  CHECK(sinks[0]["changed"].get<int>() + sinks[0]["only_old"].get<int>() > 0);
  CHECK(place.run({"diff", "fix", "--against", "proof"}).code == 1);
}

TEST_CASE("an upsert replay writes the same keys into the same topic", "[verbs]") {
  Place place;
  fill(place, 1000);
  place.good({"run", "p.sql", "--until-end"});
  const std::size_t before = records_of(place.topic("totals")).size();
  place.good({"replay", "p.sql", "--from", "2026-01-01", "--name", "again", "--output", "upsert", "--execute"});
  const std::vector<json> records = records_of(place.topic("totals"));
  CHECK(records.size() == 2 * before);
  CHECK(records.back()["headers"]["kappa-run"] == "again");
}

TEST_CASE("checkpoints are listed; every JSON report parses", "[verbs]") {
  Place place;
  fill(place, 500);
  CHECK(json::parse(place.good({"run", "p.sql", "--until-end", "--output", "json"}).out)["records_read"] == 500);
  const json checkpoints = json::parse(place.good({"checkpoints", "p.sql", "--verify", "--output", "json"}).out);
  REQUIRE(checkpoints.size() == 2);
  CHECK(checkpoints[0]["damage"].empty());
  CHECK_THAT(place.good({"checkpoints", "p.sql"}).out, Contains("bids-0") && Contains("sound"));
  const json topics = json::parse(place.good({"log", "topics", "--output", "json"}).out);
  CHECK(std::any_of(topics.begin(), topics.end(), [](const json& topic) { return topic["topic"] == "totals"; }));
}

TEST_CASE("bounded work and a service end with the signal's code, cleanly", "[verbs]") {
  Place place;
  fill(place, 1000);
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    Running live = place.start({"run", "p.sql", "--set", "checkpoint.interval=50ms"});
    live.until("bids-0 ");
    live.signal(number);
    const Outcome outcome = live.wait();
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.err, Contains("commits"));
  }
  Running import = place.start({"generate", "nexmark", "--topic", "many", "--events", "1000000000"});
  place.good({"log", "topics"});
  Running waiting = place.start({"log", "read", "bids", "--follow"});
  waiting.until("price");
  waiting.signal(SIGINT);
  CHECK(waiting.wait().code == 130);
  CHECK_THAT(place.good({"run", "p.sql", "--until-end"}).err, Contains("restored from checkpoint"));
}
