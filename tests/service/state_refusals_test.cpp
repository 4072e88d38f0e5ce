// Refusals that depend on what an application did before, on its log and on who else runs.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
void says(const Outcome& outcome, int code, const std::vector<std::string>& words) {
  CHECK(outcome.code == code);
  for (const std::string& word : words) CHECK_THAT(outcome.err, Contains(word));
}

void refused_by_state(const Place& place, const std::vector<std::string>& arguments, int code,
                      const std::vector<std::string>& words) {
  const std::vector<std::string> before = place.listing("kappa-data/log");
  const Outcome outcome = place.run(arguments);
  CAPTURE(arguments, outcome.out);
  says(outcome, code, words);
  CHECK(place.listing("kappa-data/log") == before);
}

std::unique_ptr<LocalLog> open_log(const Place& place) {
  return open_local_log({.directory = place.path("kappa-data/log")});
}

// A topic of records stamped 1700000024000 to 1700000059000, a second apart, at offsets 24 to 59.
void adopt_tail(const Place& place) {
  const auto log = open_log(place);
  log->create_topic("bids", 1);
  std::vector<std::filesystem::path> files;
  for (const char* base : {"24", "36", "48"})
    files.emplace_back(fmt::format(KAPPA_SOURCE_DIR "/tests/log/fixtures/rolled/000000000000000000{}.log", base));
  REQUIRE(log->adopt_segments({"bids", 0}, files).start_offset == 24);
}

void commit_positions(const Place& place, const std::string& group, const std::vector<Position>& positions) {
  REQUIRE(open_log(place)->open_producer("another-tool")->commit(group, positions) == CommitOutcome::committed);
}

// Values of results whose windows end at or after `end`, partition after partition.
std::vector<std::string> results_from(const Place& place, const std::string& end) {
  std::vector<std::string> lines;
  for (const char* partition : {"0", "1"}) {
    const std::string all = place.good({"log", "read", "totals", "--values", "--partition", partition}).out;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t stop = all.find('\n', at);
      const std::string line = all.substr(at, stop - at);
      const std::size_t found = line.find("\"window_end\":\"") + 14;
      if (line.substr(found, end.size()) >= end) lines.push_back(line);
      at = stop + 1;
    }
  }
  return lines;
}
}  // namespace

TEST_CASE("a replay that needs records before the log's start is refused", "[refusals]") {
  Place place;
  adopt_tail(place);
  place.write("p.sql", pipeline("hot", 10, "partitioned_by = 'bidder', partitioned_by_trust = true"));
  for (const std::string verb : {"plan", "replay"})
    refused_by_state(place, {verb, "p.sql", "--from", "2023-11-14T22:13:30Z"}, 3,
                     {"bids-0 begins at offset 24", "may be gone", "later --from"});
  refused_by_state(place, {"replay", "p.sql", "--from", "2023-11-14", "--execute"}, 3, {"bids-0 begins at offset 24"});
  CHECK_FALSE(std::filesystem::exists(place.path("kappa-data/state")));
  const Outcome run = place.good({"run", "p.sql", "--until-end"});
  CHECK_THAT(run.err, Contains("bids-0 starts at offset 24"));
}

TEST_CASE("a replay from after the log's end is refused", "[refusals]") {
  Place place;
  fill(place, 100);
  for (const std::string verb : {"plan", "replay"})
    refused_by_state(place, {verb, "p.sql", "--from", "2030-01-01"}, 3, {"the log ends before", "earlier --from"});
}

TEST_CASE("a changed number of partitions is refused", "[refusals]") {
  Place place;
  fill(place, 100);
  commit_positions(place, "hot-bids", {{{"bids", 3}, 10, ""}});
  refused_by_state(place, {"run", "p.sql", "--until-end"}, 3,
                   {"4 partitions of \"bids\"", "now there are 2", "another application.id", "kappa replay"});
}

TEST_CASE("positions that another tool moved are refused", "[refusals]") {
  Place place;
  fill(place, 100);
  place.good({"run", "p.sql", "--until-end"});
  commit_positions(place, "hot-bids", {{{"bids", 0}, 3, "reset"}, {{"bids", 1}, 3, ""}});
  refused_by_state(place, {"run", "p.sql", "--until-end"}, 3, {"bids-0", "moved by another tool", "kappa replay"});
}

TEST_CASE("a log of other records is refused where positions outlived it, naming the record", "[refusals]") {
  Place place;
  fill(place, 600);
  place.good({"run", "p.sql", "--until-end"});
  std::vector<Position> positions;
  for (const auto& [at, position] : open_log(place)->committed("hot-bids")) positions.push_back(position);
  const auto begin_anew_with = [&](const std::string& lines) {
    std::filesystem::remove_all(place.path("kappa-data/log"));
    place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"}, lines);
    commit_positions(place, "hot-bids", positions);
  };
  begin_anew_with(bids(900, 1));
  refused_by_state(place, {"run", "p.sql", "--until-end"}, 3,
                   {"stopped at bids-", "is another one than it read there", "another application.id", "kappa replay"});
  refused_by_state(place, {"run", "p.sql", "--until-end", "--rebuild"}, 3, {"is another one than it read there"});
  begin_anew_with(bids(900));
  place.good({"run", "p.sql", "--until-end"});
}

TEST_CASE("state of another graph is refused, and run --rebuild goes on as a fresh application would", "[refusals]") {
  Place place, fresh;
  fill(place);
  place.good({"run", "p.sql", "--until-end"});
  place.write("q.sql", pipeline("hot", 20));
  refused_by_state(place, {"run", "q.sql", "--until-end"}, 3, {"another graph", "kappa run --rebuild", "kappa replay"});
  const std::string before = place.topic("totals");
  const Outcome rebuilt = place.good({"run", "q.sql", "--until-end", "--rebuild"});
  CHECK_THAT(rebuilt.err, Contains("read again") && Contains("muted"));
  CHECK(place.topic("totals") == before);
  import_bids(place, 1000, 2000);
  place.good({"run", "q.sql", "--until-end"});

  fill(fresh, 3000);
  fresh.write("q.sql", pipeline("hot", 20));
  fresh.good({"run", "q.sql", "--until-end"});
  // The window that ends at 3:20 was open when the first run stopped.
  const std::vector<std::string> expected = results_from(fresh, "2026-01-01T00:03:20Z");
  REQUIRE(expected.size() > 30);
  CHECK(results_from(place, "2026-01-01T00:03:20Z") == expected);
}

TEST_CASE("partitioned_by that the records contradict is refused", "[refusals]") {
  Place place;
  fill(place, 100);
  place.write("bad.sql", R"(SET application.id = 'bad';
CREATE TABLE bids (bidder bigint, price bigint, at timestamptz)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s', partitioned_by = 'price');
CREATE MATERIALIZED VIEW totals WITH (topic = 'totals') AS
  SELECT price, window_start, count(*) AS n FROM TUMBLE(bids, at, INTERVAL '10 seconds') GROUP BY price, window_start;
)");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"run", "bad.sql"},
                                                    {"validate", "bad.sql"},
                                                    {"plan", "bad.sql", "--from", "2026-01-01"}})
    refused_by_state(place, arguments, 3, {"partitioned_by = 'price'", "bids-0 offset", "partitioned_by_trust"});
}

TEST_CASE("a sink topic with another number of partitions is refused", "[refusals]") {
  Place place;
  fill(place, 100);
  place.good({"log", "produce", "totals", "--partitions", "3"}, "x\n");
  refused_by_state(place, {"run", "p.sql"}, 3, {"\"totals\" has 3 partitions", "2 tasks", "partition_by"});
  refused_by_state(place, {"validate", "p.sql"}, 3, {"\"totals\" has 3 partitions"});
}

TEST_CASE("a second run of an application names the holder of the first", "[refusals]") {
  Place place;
  fill(place, 100);
  Running first = place.start({"run", "p.sql"});
  first.until("bids-1 starts at offset 0");
  says(place.run({"run", "p.sql", "--until-end"}), 3, {"'hot'", fmt::format("process {}", first.pid())});
  says(place.run({"run", "p.sql", "--rebuild"}), 3, {fmt::format("process {}", first.pid())});
  place.good({"plan", "p.sql", "--from", "2026-01-01"});
  place.good({"replay", "p.sql", "--from", "2026-01-01", "--name", "beside", "--execute"});
  says(place.run({"replay", "p.sql", "--from", "2026-01-01", "--output", "upsert", "--execute", "--name", "up"}), 3,
       {"has not closed yet", "Stop live", fmt::format("process {}", first.pid())});
  first.signal(SIGTERM);
  CHECK(first.wait().code == 143);
}

TEST_CASE("an upsert into a sink without keys is refused", "[refusals]") {
  Place place;
  fill(place, 100);
  place.write("k.sql", R"(SET application.id = 'keyless';
CREATE TABLE bids (bidder bigint, price bigint, at timestamptz)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s');
CREATE MATERIALIZED VIEW big WITH (topic = 'big') AS SELECT bidder, price, at FROM bids WHERE price > 10;
)");
  for (const std::string verb : {"plan", "replay"})
    refused_by_state(place, {verb, "k.sql", "--from", "2026-01-01", "--output", "upsert"}, 3,
                     {"\"big\" has no record key", "--output topic"});
}

TEST_CASE("a replay's name is used once", "[refusals]") {
  Place place;
  fill(place, 200);
  place.good({"replay", "p.sql", "--from", "2026-01-01", "--name", "fix", "--execute"});
  refused_by_state(place, {"replay", "p.sql", "--from", "2026-01-01", "--name", "fix", "--execute"}, 3,
                   {"\"fix\" is finished", "--name"});
  place.good({"log", "produce", "totals.mine", "--partitions", "2"}, "x\n");
  refused_by_state(place, {"replay", "p.sql", "--from", "2026-01-01", "--name", "mine", "--execute"}, 3,
                   {"totals.mine", "exists already", "--name"});
  refused_by_state(place, {"diff", "none"}, 3, {"there is no replay \"none\"", "--name none"});
  refused_by_state(place, {"diff", "fix", "--against", "none"}, 3, {"totals.none"});
}

TEST_CASE("a replay that another range has begun is not gone on with", "[refusals]") {
  Place place;
  fill(place, 2000);
  Running begun = place.start({"replay", "p.sql", "--from", "2026-01-01", "--name", "fix", "--rate", "200", "--execute",
                               "--set", "commit.interval=10ms"});
  begun.until("bids-1 starts at offset 0");
  begun.signal(SIGINT);
  CHECK(begun.wait().code == 130);
  refused_by_state(place, {"replay", "p.sql", "--from", "2026-01-02", "--name", "fix", "--execute"}, 3,
                   {"another range, output or pipeline", "--name"});
  const Outcome resumed = place.good({"replay", "p.sql", "--from", "2026-01-01", "--name", "fix", "--execute"});
  CHECK_THAT(resumed.out, Contains("went on and is finished"));
  place.good({"run", "p.sql", "--until-end"});
  CHECK(place.good({"diff", "fix"}).code == 0);
}

TEST_CASE("a topic that is read is not written", "[refusals]") {
  Place place;
  fill(place, 10);
  std::string text = pipeline();
  text.replace(text.find("'totals'"), 8, "'bids'");
  place.write("bad.sql", text);
  refused_by_state(place, {"run", "bad.sql"}, 2, {"bad.sql:4:", "both read and written", "hint"});
}

TEST_CASE("a partition whose position is gone is not begun anew", "[refusals]") {
  const Place place;
  fill(place, 600);
  place.good({"run", "p.sql", "--until-end"});
  {
    const auto log = open_log(place);
    const auto positions = log->committed("hot-bids");
    REQUIRE(positions.size() == 2);
    const Position kept = positions.at({"bids", 1});
    log->forget_group("hot-bids");
    REQUIRE(log->open_producer("")->commit("hot-bids", std::span(&kept, 1)) == CommitOutcome::committed);
  }
  std::filesystem::remove_all(place.path("kappa-data/state"));  // a checkpoint would tell that it was there
  refused_by_state(place, {"run", "p.sql", "--until-end"}, 3, {"hot-bids", "partition 0", "offsets.retention.minutes"});
}
