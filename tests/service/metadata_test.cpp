// Columns of record metadata, end to end: what a run reads of them, a replay reads again.
#include <algorithm>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa::cli;
using Catch::Matchers::Contains;

TEST_CASE("key and timestamp of the records give what their fields give", "[metadata]") {
  Place place;
  fill(place);
  place.write("beside.sql",
              pipeline("beside", 10, "partitioned_by = 'bidder', metadata.bidder = 'key', metadata.at = 'timestamp'"));
  place.good({"run", "p.sql", "--until-end"});
  const std::string expected = place.topic("totals");
  CHECK(expected.size() > 1000);
  Place other;
  other.write("p.sql", place.read("beside.sql"));
  other.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"}, bids(2000));
  CHECK_THAT(other.good({"validate", "p.sql"}).err, !Contains("bidder") && !Contains("\"at\""));
  other.good({"run", "p.sql", "--until-end"});
  CHECK(other.topic("totals") == expected);
}

TEST_CASE("a replay sees the partitions and offsets that live saw", "[metadata]") {
  Place place;
  fill(place);
  place.write("offsets.sql", R"(SET application.id = 'offsets';
CREATE TABLE bids (price bigint, at timestamptz, p int, o bigint, t text)
  WITH (topic = 'bids', event_time = 'at', max_out_of_orderness = '5s',
        metadata.p = 'partition', metadata.o = 'offset', metadata.t = 'topic');
CREATE MATERIALIZED VIEW spans AS
  SELECT p, window_start, min(o) AS first, max(o) AS last, count(*) AS n, min(t) AS t, max(price) AS price
  FROM TUMBLE(bids, at, '10s') GROUP BY p, window_start;
)");
  for (const char* rows : {"1", "7", "4096"}) {
    const std::string run = std::string("r") + rows;
    place.good({"run", "offsets.sql", "--until-end", "--set", "application.id=offsets"});
    place.good({"replay", "offsets.sql", "--from", "2026-01-01", "--name", run, "--execute", "--set",
                std::string("batch.rows=") + rows});
    CHECK(place.run({"diff", run, "--set", "application.id=offsets"}).code == 0);
  }
  CHECK_THAT(place.topic("spans"), Contains(R"(\"first\":0)") && Contains(R"(\"t\":\"bids\")"));
}

TEST_CASE("dead letters are counted by the node that their headers name", "[metadata]") {
  Place place;
  fill(place, 100);
  place.good({"log", "produce", "bids", "--partition", "0", "--timestamp", "1767225600000"}, "no\nno\n{\n");
  place.good({"run", "p.sql", "--until-end"});
  place.write("dead.sql", R"(SET application.id = 'dead';
CREATE TABLE dead (node text NOT NULL, source_offset bigint, missing text, at timestamptz)
  WITH (topic = 'hot-dead-letters', format = 'raw', event_time = 'at', max_out_of_orderness = '0s',
        metadata.node = 'header:kappa-node', metadata.source_offset = 'header:kappa-offset',
        metadata.missing = 'header:missing', metadata.at = 'timestamp');
CREATE MATERIALIZED VIEW letters WITH (key = 'node') AS SELECT node, source_offset, missing, at FROM dead;
)");
  place.good({"run", "dead.sql", "--until-end"});
  const std::string letters = place.topic("letters");
  CHECK(std::count(letters.begin(), letters.end(), '\n') == 3);
  CHECK_THAT(letters, Contains(R"("key":"bids")") && Contains(R"(\"missing\":null)"));
  CHECK_THAT(letters, Contains(R"(\"at\":\"2026-01-01T00:00:00Z\")"));
}
