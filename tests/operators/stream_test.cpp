#include "kappa/operators/stream.h"

#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/stream_kit.h"

using namespace std::chrono_literals;
using kappa::testkit::drive;
using kappa::testkit::error_of;
using kappa::testkit::lines_of;
using Lines = std::vector<std::string>;

struct Bid {
  std::int64_t auction, bidder, price;
  kappa::Timestamp at;
};
KAPPA_ROW(Bid, auction, bidder, price, at)

kappa::Graph hot_bidders() {
  kappa::GraphBuilder g{"hot-bidders"};  // also the application.id
  g.source<Bid>("bids", {.topic = "bids", .event_time = "at", .max_out_of_orderness = 5s, .partitioned_by = "bidder"})
      .filter("serious", [](const Bid& b) { return b.price >= 100; })
      .key_by("by-bidder", &Bid::bidder)
      .tumble("per-10s", 10s, {kappa::count().as("bids"), kappa::sum(&Bid::price).as("total")})
      .sink("totals", {.topic = "bidder-totals"});
  return std::move(g).build();
}

namespace {
kappa::Graph hot_bidders_in_sql(const std::string& not_null) {
  return kappa::parse_pipeline(R"(
SET application.id = 'hot-bidders';
CREATE TABLE bids (auction bigint)" +
                                   not_null + ", bidder bigint" + not_null + ", price bigint" + not_null +
                                   ", at timestamptz" + not_null + R"()
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s', partitioned_by = 'bidder');

CREATE MATERIALIZED VIEW bidder_totals WITH (topic = 'bidder-totals') AS
  SELECT bidder, window_start, window_end, count(*) AS bids, sum(price) AS total
  FROM TUMBLE(bids, at, INTERVAL '10 seconds')
  WHERE price >= 100
  GROUP BY bidder, window_start, window_end;)",
                               "hot_bidders.sql")
      .graph;
}

const Lines kBids = {
    R"({"auction":1,"bidder":7,"price":100,"at":1000})",   R"({"auction":1,"bidder":8,"price":99,"at":2000})",
    R"({"auction":2,"bidder":7,"price":250,"at":9999})",   R"({"auction":2,"bidder":9,"price":1000,"at":10000})",
    R"({"auction":3,"bidder":8,"price":5000,"at":12000})", R"({"auction":3,"bidder":-1,"price":300,"at":70000})"};
}  // namespace

TEST_CASE("C++ and SQL give the same nodes", "[stream]") {
  const kappa::Graph typed = hot_bidders(), sql = hot_bidders_in_sql(" NOT NULL");
  CHECK(typed.name() == sql.name());
  REQUIRE(typed.nodes().size() == sql.nodes().size());
  for (int n = 0; n < static_cast<int>(typed.nodes().size()); ++n) {
    const kappa::Node& a = typed.node(n);
    const kappa::Node& b = sql.node(n);
    INFO(a.name << " and " << b.name);
    CHECK(a.kind == b.kind);
    CHECK(a.inputs == b.inputs);
    CHECK(to_string(a.schema) == to_string(b.schema));
    if (a.kind == kappa::NodeKind::filter)
      CHECK(a.detail == "C++ function");
    else
      CHECK(a.detail == b.detail);
    CHECK(a.carried == b.carried);
    CHECK(a.horizon_us == b.horizon_us);
    CHECK(a.stateful == b.stateful);
  }
  CHECK(typed.fingerprint(0) == sql.fingerprint(0));
}

TEST_CASE("C++ and SQL give the same bytes", "[stream]") {
  const Lines typed = drive(hot_bidders(), kBids).records;
  CHECK(typed == drive(hot_bidders_in_sql(""), kBids).records);
  CHECK(typed == drive(hot_bidders_in_sql(" NOT NULL"), kBids).records);
  REQUIRE(typed.size() == 4);
  CHECK(typed[0] == R"([7,"1970-01-01T00:00:00Z"] {"bidder":7,"window_start":"1970-01-01T00:00:00Z",)"
                    R"("window_end":"1970-01-01T00:00:10Z","bids":2,"total":350})");
}

namespace {
struct Everything {
  std::int64_t id;
  std::uint8_t small;
  bool flag;
  double ratio;
  std::string_view view;
  std::string text;
  kappa::Timestamp at;
  std::optional<std::int64_t> maybe_id;
  std::optional<bool> maybe_flag;
  std::optional<std::string_view> maybe_view;
  std::optional<kappa::Timestamp> maybe_at;
};
KAPPA_ROW(Everything, id, small, flag, ratio, view, text, at, maybe_id, maybe_flag, maybe_view, maybe_at)

struct One {
  kappa::Timestamp at;
};
KAPPA_ROW(One, at)

struct Made {
  std::uint64_t big;
  kappa::Int128 wide;
  std::optional<std::string> name;
  bool odd;
};
KAPPA_ROW(Made, big, wide, name, odd)

struct Many {
  int a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0, a8 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0,
      b7 = 0, b8 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0, c7 = 0, c8 = 0, d1 = 0, d2 = 0, d3 = 0, d4 = 0,
      d5 = 0, d6 = 0, d7 = 0;
  kappa::Timestamp at;
  int not_named = 0;
};
KAPPA_ROW(Many, a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8, c1, c2, c3, c4, c5, c6, c7, c8, d1, d2,
          d3, d4, d5, d6, d7, at)

kappa::SourceSettings source_of(const std::string& topic) {
  return {.topic = topic, .event_time = "at", .max_out_of_orderness = 0s};
}

/// Runs the records of one topic through what `step` adds between source and sink.
template <class T, class Step>
kappa::testkit::Driven run(Step step, const Lines& values) {
  kappa::GraphBuilder g{"test"};
  step(g.source<T>("in", source_of("in"))).sink("out");
  return drive(std::move(g).build(), values);
}
}  // namespace

TEST_CASE("fields give columns by their C++ types", "[stream]") {
  CHECK(to_string(kappa::row_schema<Everything>()) ==
        "(id bigint NOT NULL, small bigint NOT NULL, flag boolean NOT NULL, ratio double precision NOT NULL, view text "
        "NOT NULL, text text NOT NULL, at timestamptz NOT NULL, maybe_id bigint, maybe_flag boolean, maybe_view text, "
        "maybe_at timestamptz)");
  CHECK(to_string(kappa::row_schema<One>()) == "(at timestamptz NOT NULL)");
  CHECK(to_string(kappa::row_schema<Made>()) ==
        "(big bigint NOT NULL, wide numeric(38,0) NOT NULL, name text, odd boolean NOT NULL)");
  CHECK(kappa::row_schema<Many>().size() == 32);
  CHECK(kappa::row_schema<Many>()[31].name == "at");
}

TEST_CASE("a function sees every field of a row", "[stream]") {
  const std::string full =
      R"({"id":-5,"small":255,"flag":true,"ratio":0.25,"view":"","text":"a text that is too long to be kept in place",)"
      R"("at":1000,"maybe_id":3,"maybe_flag":false,"maybe_view":"Zoë","maybe_at":2000})";
  const std::string bare =
      R"({"id":1,"small":0,"flag":false,"ratio":-1e300,"view":"v","text":"","at":3000,"maybe_id":null})";
  std::vector<Everything> seen;  // its views have lost their batch once drive() returns
  Lines views;
  const auto result = run<Everything>(
      [&](const auto& in) {
        return in.filter("look", [&](const Everything& row) {
          seen.push_back(row);
          views.push_back(std::string(row.view) + "|" + std::string(row.maybe_view.value_or("none")));
          return row.flag;
        });
      },
      {full, bare});
  REQUIRE(seen.size() == 2);
  CHECK((seen[0].id == -5 && seen[0].small == 255 && seen[0].flag && seen[0].ratio == 0.25));
  CHECK(seen[0].text == "a text that is too long to be kept in place");
  CHECK(seen[0].at == kappa::Timestamp{1'000'000});
  CHECK(seen[0].maybe_id == 3);
  CHECK(seen[0].maybe_flag == false);
  CHECK(seen[0].maybe_at == kappa::Timestamp{2'000'000});
  CHECK((seen[1].text.empty() && seen[1].ratio == -1e300));
  CHECK_FALSE((seen[1].maybe_id || seen[1].maybe_flag || seen[1].maybe_view || seen[1].maybe_at));
  CHECK(views == Lines{"|Zoë", "v|none"});
  CHECK(result.records.size() == 1);
  CHECK(result.counters.filtered == 1);
  CHECK(result.dead.empty());
}

TEST_CASE("what map makes is written with its nulls", "[stream]") {
  const auto result = run<Everything>(
      [](const auto& in) {
        return in.map("make", [](const Everything& row) {
          Made made{};
          made.big = static_cast<std::uint64_t>(row.id);
          made.wide = kappa::Int128{row.id} * 10'000'000'000;
          if (row.flag) made.name = std::string(row.view) + "!";
          made.odd = row.id % 2 != 0;
          return made;
        });
      },
      {R"({"id":9223372036854775807,"small":1,"flag":true,"ratio":0,"view":"x","text":"","at":1})",
       R"({"id":-1,"small":1,"flag":true,"ratio":0,"view":"does not fit","text":"","at":2})",
       R"({"id":2,"small":1,"flag":false,"ratio":0,"view":"y","text":"","at":3})"});
  CHECK(result.records ==
        Lines{R"(null {"big":9223372036854775807,"wide":92233720368547758070000000000,"name":"x!","odd":true})",
              R"(null {"big":2,"wide":20000000000,"name":null,"odd":false})"});
  REQUIRE(result.dead.size() == 1);
  CHECK(result.dead[0].find("make: field big does not fit bigint: {\"id\":-1,") == 0);
}

TEST_CASE("a row that does not fit its struct is a dead letter", "[stream]") {
  const auto keep = [](const auto& in) { return in.filter("all", [](const Everything&) { return true; }); };
  const auto result =
      run<Everything>(keep, {R"({"id":1,"small":256,"flag":true,"ratio":0,"view":"x","text":"","at":1})",
                             R"({"id":1,"small":-1,"flag":true,"ratio":0,"view":"x","text":"","at":1})",
                             R"({"id":1,"small":3,"flag":null,"ratio":0,"view":"x","text":"","at":1})",
                             R"({"id":1,"small":3,"flag":true,"ratio":0,"view":"x","text":"","at":1})"});
  CHECK(result.records.size() == 1);
  REQUIRE(result.dead.size() == 3);
  CHECK(result.dead[0].find("in: ") == 0);  // the decoder's, since the column is NOT NULL
  CHECK(result.dead[1].find("all: field small does not fit its C++ type: {") == 0);
  CHECK(result.dead[2].find("all: field small does not fit its C++ type: {") == 0);
}

TEST_CASE("a null in a field that is not optional is a dead letter", "[stream]") {
  kappa::RowResults results;
  kappa::Batch batch = kappa::make_batch(3);
  kappa::ColumnBuilder at(kappa::Type::timestamptz());
  at.append_i64(1);
  at.append_null();
  at.append_i64(3);
  batch.columns = {at.finish()};
  kappa::detail::filter_rows<One>([](const One& row) { return row.at.us > 0; })(batch, results);
  CHECK(results.kept == std::vector<std::int32_t>{0, 2});
  CHECK(results.failed == std::vector<std::pair<std::int64_t, std::string>>{{1, "field at is null"}});
}

TEST_CASE("32 fields keep their places", "[stream]") {
  const auto result = run<Many>(
      [](const auto& in) {
        return in.map("swap", [](const Many& row) {
          Many made = row;
          std::swap(made.a1, made.d7);
          return made;
        });
      },
      {[] {
        std::string value = "{";
        const kappa::Schema schema = kappa::row_schema<Many>();
        for (int c = 0; c < schema.size(); ++c)
          value += (c > 0 ? ",\"" : "\"") + schema[c].name + "\":" + std::to_string(c + 1);
        return value + "}";
      }()});
  REQUIRE(result.records.size() == 1);
  CHECK(result.records[0].find(R"({"a1":31,"a2":2,)") != std::string::npos);
  CHECK(result.records[0].find(R"("d6":30,"d7":1,"at":"1970-01-01T00:00:00.032Z"})") != std::string::npos);
}

TEST_CASE("a function that throws ends the run, with node and record named", "[stream]") {
  const auto thrown = [](auto what) {
    return error_of([&] {
      run<One>(
          [&](const auto& in) {
            return in.filter("picky", [=](const One& row) -> bool {
              if (row.at.us > 1000) throw what;
              return true;
            });
          },
          {R"({"at":1})", R"({"at":2})"});
    });
  };
  CHECK(thrown(std::runtime_error("no")) == "node \"picky\": its function threw in the record at offset 1: no");
  CHECK(thrown(7) ==
        "node \"picky\": its function threw in the record at offset 1: something that is no std::exception");
}
