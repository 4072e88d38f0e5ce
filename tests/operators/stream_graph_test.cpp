// The graphs that the typed skin builds, and what it refuses.
#include <fstream>
#include <iterator>

#include "kappa/operators/stream.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/stream_kit.h"

using namespace std::chrono_literals;
using kappa::testkit::drive;
using kappa::testkit::error_of;
using kappa::testkit::lines_of;
using Lines = std::vector<std::string>;

namespace {
struct Bid {
  std::int64_t auction, bidder, price;
  kappa::Timestamp at;
  std::optional<double> rate;
  std::string_view channel;
  int not_named = 0;
};
KAPPA_ROW(Bid, auction, bidder, price, at, rate, channel)

struct Total {
  std::int64_t bidder;
  kappa::Timestamp window_start;
  kappa::Int128 total;
  std::optional<double> best;
};
KAPPA_ROW(Total, bidder, window_start, total, best)

struct Misspelt {
  kappa::Int128 totl;
};
KAPPA_ROW(Misspelt, totl)
struct WrongType {
  std::int64_t total;
};
KAPPA_ROW(WrongType, total)
struct NotOptional {
  double best;
};
KAPPA_ROW(NotOptional, best)
struct NoKey {
  std::int64_t bidder;
  kappa::Int128 total;
};
KAPPA_ROW(NoKey, bidder, total)

kappa::SourceSettings settings(const std::string& topic = "bids") {
  return {.topic = topic, .event_time = "at", .max_out_of_orderness = 5s, .partitioned_by = "bidder"};
}

kappa::Rows totals(kappa::GraphBuilder& g) {
  return g.source<Bid>("bids", settings())
      .key_by("by-bidder", &Bid::bidder)
      .tumble("per-10s", 10s, {kappa::sum(&Bid::price).as("total"), kappa::max(&Bid::rate).as("best")});
}

bool serious(const Bid& bid) { return bid.price >= 100; }
}  // namespace

TEST_CASE("every step is a node", "[stream]") {
  kappa::GraphBuilder g{"steps"};
  g.set("commit.interval", "1s");
  const auto bids = g.source<Bid>("bids", settings()).filter("serious", serious).version(3);
  const auto both = g.source<Bid>("old-bids", settings("old")).union_with("both", bids);
  both.key_by("by-bidder", &Bid::bidder)
      .tumble("per-10s", 10s,
              {kappa::count(), kappa::sum(&Bid::price), kappa::min(&Bid::at), kappa::max(&Bid::rate),
               kappa::avg(&Bid::price), kappa::count(&Bid::rate).as("rates"), kappa::count_distinct(&Bid::channel)})
      .sink("totals", {.partition_by = "bidder"});
  bids.map("totals-of-one",
           [](const Bid& b) {
             return NoKey{b.bidder, b.price};
           })
      .key_by("by-total", &NoKey::total, &NoKey::bidder)
      .sink("single");
  const kappa::Graph graph = std::move(g).build();
  CHECK(graph.settings().at("commit.interval") == "1s");
  CHECK(graph.node(1).version == 3);
  const std::string row =
      " (auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL, at timestamptz NOT NULL, rate double "
      "precision, channel text NOT NULL)";
  const Lines lines = lines_of(graph);
  REQUIRE(lines.size() == 10);
  CHECK(lines[1] == "filter serious <- bids: C++ function" + row);
  CHECK(lines[3] == "union_all both <- old-bids <- serious: " + row);
  CHECK(lines[4] == "key_by by-bidder <- both: key=(bidder)" + row);
  CHECK(lines[5] ==
        "window_aggregate per-10s <- by-bidder: tumble size=10000000us key=(bidder), count(*) AS count, sum(price) AS "
        "sum, min(at) AS min, max(rate) AS max, avg(price) AS avg, count(rate) AS rates, count(DISTINCT channel) AS "
        "count_distinct (bidder bigint NOT NULL, window_start timestamptz NOT NULL, window_end timestamptz NOT NULL, "
        "count bigint NOT NULL, sum numeric(38,0) NOT NULL, min timestamptz NOT NULL, max double precision, avg double "
        "precision NOT NULL, rates bigint NOT NULL, count_distinct bigint NOT NULL)");
  CHECK(graph.node(6).detail == "topic=totals format=json key=(bidder, window_start) partition_by=bidder");
  CHECK(lines[7] ==
        "project totals-of-one <- serious: C++ function (bidder bigint NOT NULL, total numeric(38,0) NOT "
        "NULL)");
  CHECK(lines[8].find("repartition by-total <- totals-of-one: key=(total, bidder)") == 0);
}

TEST_CASE("a field may be taken from beside the value", "[stream]") {
  kappa::GraphBuilder g{"beside"};
  auto beside = settings();
  beside.metadata = {{"bidder", "key"}, {"channel", "header:channel"}};
  g.source<Bid>("bids", beside).sink("out");
  const kappa::Graph graph = std::move(g).build();
  CHECK(graph.node(0).source.fields == Lines{"auction", "", "price", "at", "rate", ""});
  CHECK(graph.node(0).detail.find("metadata.bidder='key' metadata.channel='header:channel'") != std::string::npos);
  beside.metadata["price"] = "timestamp";
  CHECK(kappa::testkit::error_of([&] {
          kappa::GraphBuilder other{"other"};
          (void)other.source<Bid>("bids", beside);
        }) == "node \"bids\": metadata.price = 'timestamp': column \"price\" is bigint; declare it as timestamptz");
}

TEST_CASE("a version changes the fingerprints from its node on", "[stream]") {
  const auto built = [](std::int64_t version) {
    kappa::GraphBuilder g{"versions"};
    g.source<Bid>("bids", settings()).filter("serious", serious).version(version).sink("out");
    return std::move(g).build();
  };
  const kappa::Graph one = built(1), again = built(1), two = built(2);
  CHECK(one.fingerprint(0) == two.fingerprint(0));
  for (const int n : {1, 2}) {
    CHECK(one.fingerprint(n) == again.fingerprint(n));
    CHECK(one.fingerprint(n) != two.fingerprint(n));
  }
}

TEST_CASE("results get a struct again, and go on", "[stream]") {
  kappa::GraphBuilder g{"again"};
  totals(g)
      .as<Total>("typed")
      .filter("large", [](const Total& t) { return t.total >= 300 && t.best.value_or(0) < 1; })
      .sink("out");
  const kappa::Graph graph = std::move(g).build();
  CHECK(
      lines_of(graph)[3] ==
      "project typed <- per-10s: bidder AS bidder, window_start AS window_start, total AS total, best AS best (bidder "
      "bigint NOT NULL, window_start timestamptz NOT NULL, total numeric(38,0) NOT NULL, best double precision)");
  const auto result = drive(graph, {R"({"auction":1,"bidder":7,"price":150,"at":1000,"rate":null,"channel":"c"})",
                                    R"({"auction":1,"bidder":7,"price":150,"at":9000,"rate":0.5,"channel":"d"})",
                                    R"({"auction":1,"bidder":8,"price":299,"at":9000,"rate":0.5,"channel":"d"})",
                                    R"({"auction":1,"bidder":9,"price":300,"at":10000,"rate":2,"channel":"d"})"});
  CHECK(
      result.records ==
      Lines{R"([7,"1970-01-01T00:00:00Z"] {"bidder":7,"window_start":"1970-01-01T00:00:00Z","total":300,"best":0.5})"});
}

TEST_CASE("a window over results of a window needs no repartition", "[stream]") {
  kappa::GraphBuilder g{"windows"};
  totals(g)
      .as<Total>("typed")
      .key_by("again", &Total::bidder)
      .tumble("per-minute", 60s, {kappa::sum(&Total::total).as("total")})
      .sink("out");
  CHECK(std::move(g).build().node(4).kind == kappa::NodeKind::key_by);
}

TEST_CASE("a struct that does not fit the results is refused", "[stream]") {
  const auto refusal = [](auto row) {
    return error_of([] {
      kappa::GraphBuilder g{"misfits"};
      (void)totals(g).as<decltype(row)>("typed");
    });
  };
  CHECK(refusal(Misspelt{}) == "node \"typed\": field totl is no column of \"per-10s\"; did you mean total?");
  CHECK(refusal(WrongType{}) ==
        "node \"typed\": field total is bigint in the struct and numeric(38,0) in \"per-10s\"; make it kappa::Int128");
  CHECK(refusal(NotOptional{}) ==
        "node \"typed\": field best may be null in \"per-10s\"; make it std::optional<double>");
}

TEST_CASE("the record key is the stream's own unless the sink says otherwise", "[stream]") {
  const auto key_of = [](auto step) {
    kappa::GraphBuilder g{"keys"};
    step(g);
    const kappa::Graph graph = std::move(g).build();
    const std::string& detail = graph.nodes().back().detail;
    return detail.substr(detail.find("key="));
  };
  const auto bids = [](kappa::GraphBuilder& g) { return g.source<Bid>("bids", settings()); };
  CHECK(key_of([&](auto& g) { bids(g).sink("out"); }) == "key=(bidder)");
  CHECK(key_of([&](auto& g) { bids(g).sink("out", {.no_key = true}); }) == "key=()");
  CHECK(key_of([&](auto& g) { bids(g).sink("out", {.key = {"at", "auction"}}); }) == "key=(at, auction)");
  CHECK(key_of([&](auto& g) { bids(g).key_by("k", &Bid::auction).sink("out"); }) == "key=(auction)");
  CHECK(key_of([&](auto& g) { totals(g).sink("out"); }) == "key=(bidder, window_start)");
  CHECK(key_of([&](auto& g) { totals(g).template as<NoKey>("typed").sink("out", {.key = {"bidder"}}); }) ==
        "key=(bidder)");
  CHECK(error_of([&] {
          kappa::GraphBuilder g{"keys"};
          totals(g).as<NoKey>("typed").sink("out");
        }) ==
        "node \"out\": window_start is part of the results' record key, but no field of the struct; add it, or "
        "name the key: .key = {…}, or .no_key = true");
}

TEST_CASE("mistakes are refused by the node's name", "[stream]") {
  const auto refusal = [](auto step) {
    return error_of([&] {
      kappa::GraphBuilder g{"mistakes"};
      step(g, g.source<Bid>("bids", settings()));
    });
  };
  CHECK(refusal([](auto&, auto bids) { bids.version(2); }) ==
        "node \"bids\": version() stands right behind filter() or map(): only a function's body cannot be seen");
  CHECK(refusal([](auto&, auto bids) { (void)bids.key_by("k", &Bid::not_named); }) ==
        "a member is used as a column, but its struct's KAPPA_ROW does not name it");
  CHECK(refusal([](auto&, auto bids) {
          (void)bids.key_by("k", &Bid::bidder).tumble("w", 1s, {kappa::count(), kappa::count(&Bid::rate)});
        }) == "node \"w\": two columns are named \"count\"; rename one with .as(\"…\")");
  CHECK(refusal([](auto&, auto bids) {
          (void)bids.key_by("k", &Bid::bidder).tumble("w", 1s, {kappa::sum(&Bid::channel)});
        }).find("node \"w\": sum(text) does not exist") == 0);
  CHECK(refusal([](auto&, auto bids) {
          bids.sink("out", {.key = {"bider"}});
        }).find("node \"out\": key column \"bider\" is not a column; did you mean bidder?") == 0);
  CHECK(refusal([](auto& g, auto) {
          (void)g.template source<Bid>("x", {.topic = "x", .event_time = "at"});
        }).find("node \"x\": max_out_of_orderness is missing") == 0);
  CHECK(refusal([](auto&, auto bids) {
          kappa::GraphBuilder other{"other"};
          (void)bids.union_with("u", other.source<Bid>("bids", settings()));
        }) == "node \"u\": both streams of a union belong to one GraphBuilder");
}

TEST_CASE("the page shows the example as it is", "[stream]") {
  const auto text_of = [](const std::string& path) {
    std::ifstream file(std::string(KAPPA_SOURCE_DIR) + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string example = text_of("/examples/hot_bidders/hot_bidders.cpp");
  const std::size_t begin = example.find("struct Bid");
  REQUIRE(begin != std::string::npos);
  CHECK(text_of("/docs/CPP.md").find("```cpp\n" + example.substr(begin) + "```") != std::string::npos);
}
