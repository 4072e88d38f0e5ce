#include "kappa/operators/nodes.h"

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/operators/rows.h"

using namespace kappa;
using namespace kappa::testkit;

namespace {
const Schema kBids({{"auction", Type::bigint(), true},
                    {"bidder", Type::bigint(), true},
                    {"price", Type::bigint(), true},
                    {"at", Type::timestamptz(), true}});

SourceOptions bids_options() {
  SourceOptions options;
  options.topic = "bids";
  options.event_time = "at";
  options.max_out_of_orderness_us = 5'000'000;
  options.partitioned_by = "bidder";
  return options;
}

ExpressionPtr number(std::int64_t value) { return literal({Type::bigint(), value}); }

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

std::unique_ptr<Operator> instance(const GraphDraft& graph, int node) { return graph.node(node).factory({"n"}); }

Row bid(std::int64_t auction, std::int64_t bidder, Cell price, std::int32_t input = 0) {
  return Row{{auction, bidder, std::move(price), std::int64_t{1}}, 1, 1, input, auction, 0};
}

void check_balance(const NodeCounters& c) { CHECK(c.in == c.out + c.folded + c.filtered + c.late + c.dead); }
}  // namespace

TEST_CASE("a filter passes on true, drops false and null, and failures are dead letters", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const int filter =
      add_filter(graph, "serious", source, call(">", {call("/", {number(100), column(kBids, 2)}), number(10)}));
  Output out;
  instance(graph, filter)
      ->process(to_batch(kBids, {bid(1, 1, std::int64_t{1}), bid(2, 1, std::int64_t{0}), bid(3, 1, Cell()),
                                 bid(4, 1, std::int64_t{50}), bid(5, 1, std::int64_t{2}),
                                 bid(6, 1, std::int64_t{0}, kDueInput)}),
                out);
  CHECK(text(out.batches) == std::vector<std::string>{"[1 1 0 1 0] 1 1 1 1", "[1 1 0 5 0] 5 1 2 1"});
  CHECK(out.counters.out == 2);
  CHECK(out.counters.filtered == 2);
  CHECK(out.counters.dead == 2);
  CHECK(out.counters.emitted_dead == 1);
  check_balance(out.counters);
  REQUIRE(out.dead.size() == 2);
  CHECK(out.dead[0].position == 2);
  CHECK(out.dead[0].cause.find("division by zero") != std::string::npos);
  CHECK(out.dead[0].value == R"({"auction":2,"bidder":1,"price":0,"at":"1970-01-01T00:00:00.000001Z"})");
  CHECK(out.dead[0].key_is_null);
  CHECK(out.dead[1].input == kDueInput);
}

TEST_CASE("a filter that all rows pass hands the batch on without a copy", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const int filter = add_filter(graph, "all", source, call(">", {column(kBids, 2), number(0)}));
  const auto op = instance(graph, filter);
  Output out;
  const Batch batch = to_batch(kBids, {bid(1, 1, std::int64_t{1}), bid(2, 1, std::int64_t{2})});
  op->process(batch, out);
  REQUIRE(out.batches.size() == 1);
  CHECK(out.batches[0].columns[0].i64() == batch.columns[0].i64());
  op->process(to_batch(kBids, {bid(1, 1, std::int64_t{-1})}), out);
  op->process(to_batch(kBids, std::vector<Row>{}), out);
  CHECK(out.batches.size() == 1);
  CHECK(op->freeze() == nullptr);
}

TEST_CASE("a projection takes failed rows out and keeps the hidden columns", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const int project = add_project(graph, "ratio", source,
                                  {{"bidder", column(kBids, 1)},
                                   {"share", call("/", {number(100), column(kBids, 2)})},
                                   {"rest", call("%", {number(7), column(kBids, 2)})}});
  CHECK(to_string(graph.node(project).schema) == "(bidder bigint, share bigint, rest bigint)");
  CHECK(graph.node(project).carried == std::vector<int>{1, -1, -1});
  Output out;
  instance(graph, project)
      ->process(to_batch(kBids, {bid(1, 8, std::int64_t{10}), bid(2, 8, std::int64_t{0}), bid(3, 8, Cell())}), out);
  CHECK(text(out.batches) == std::vector<std::string>{"[1 1 0 1 0] 8 10 7", "[1 1 0 3 0] 8 null null"});
  REQUIRE(out.dead.size() == 1);
  CHECK(out.dead[0].value.find("\"auction\":2") != std::string::npos);
  check_balance(out.counters);
}

TEST_CASE("a key that the rows are partitioned by already needs no repartition", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const int filter = add_filter(graph, "f", source, call(">", {column(kBids, 2), number(0)}));
  const int project = add_project(
      graph, "p", filter,
      {{"who", column(kBids, 1)}, {"twice", call("*", {column(kBids, 1), number(2)})}, {"auction", column(kBids, 0)}});
  CHECK(graph.node(add_key_by(graph, "by who", project, {0})).kind == NodeKind::key_by);
  const auto repartitioned = [&](const char* name, int input, std::vector<int> key) {
    const int node = add_key_by(graph, name, input, key);
    CHECK(graph.node(node).kind == NodeKind::repartition);
    CHECK(graph.node(node).repartition.key_columns == key);
    return node;
  };
  repartitioned("by computed", project, {1});
  repartitioned("by two", project, {0, 2});
  const int by_auction = repartitioned("by auction", project, {2});
  CHECK(graph.node(add_key_by(graph, "again", by_auction, {2})).kind == NodeKind::key_by);
  repartitioned("back", by_auction, {0});
  CHECK(graph.node(repartitioned("by nothing", project, {})).repartition.partitions == 1);
}

TEST_CASE("a window's results are still partitioned by its key", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const int keyed = add_key_by(graph, "k", source, {1});
  const int window = add_tumble(graph, "w", keyed, {10'000'000}, {1}, {{AggregateFunction::count, -1, -1, "n"}});
  CHECK(graph.node(add_key_by(graph, "again", window, {0})).kind == NodeKind::key_by);
  CHECK(graph.node(add_key_by(graph, "by count", window, {3})).kind == NodeKind::repartition);
  const Node& node = graph.node(window);
  CHECK(to_string(node.schema) ==
        "(bidder bigint, window_start timestamptz NOT NULL, window_end timestamptz NOT NULL, n bigint NOT NULL)");
  CHECK(node.horizon_us == 10'000'000);
  CHECK(node.stateful);
  CHECK(node.detail == "tumble size=10000000us key=(bidder), count(*) AS n");
}

TEST_CASE("a union is partitioned by a key iff all its inputs are", "[nodes]") {
  GraphDraft graph("test");
  SourceOptions other = bids_options();
  const int a = add_source(graph, "a", bids_options(), kBids);
  other.topic = "more";
  const int b = add_source(graph, "b", other, kBids);
  other.topic = "others";
  other.partitioned_by.clear();
  const int c = add_source(graph, "c", other, kBids);
  CHECK(graph.node(add_key_by(graph, "k1", add_union(graph, "u1", {a, b}), {1})).kind == NodeKind::key_by);
  CHECK(graph.node(add_key_by(graph, "k2", add_union(graph, "u2", {a, c}), {1})).kind == NodeKind::repartition);
}

TEST_CASE("wrong nodes are refused by name with a way out", "[nodes]") {
  GraphDraft graph("test");
  const int source = add_source(graph, "bids", bids_options(), kBids);
  const auto source_message = [&](const std::function<void(SourceOptions&)>& change) {
    SourceOptions options = bids_options();
    change(options);
    return message_of([&] { add_source(graph, "s", options, kBids); });
  };
  CHECK(source_message([](auto& o) { o.max_out_of_orderness_us.reset(); }).find("would drop data") !=
        std::string::npos);
  CHECK(source_message([](auto& o) { o.event_time = "price"; }) ==
        "node \"s\": event_time \"price\" is bigint; it must be timestamptz");
  CHECK(source_message([](auto& o) { o.event_time.clear(); }).find("event_time is missing") != std::string::npos);
  CHECK(source_message([](auto& o) { o.partitioned_by = "biddr"; }) ==
        "node \"s\": partitioned_by \"biddr\" is not a column; did you mean bidder?");
  CHECK(source_message([](auto& o) { o.format = "jsn"; }) == "node \"s\": unknown format \"jsn\"; did you mean json?");
  CHECK(source_message([](auto& o) { o.topic = "a/b"; }).find("topic \"a/b\"") != std::string::npos);
  CHECK(message_of([&] { add_filter(graph, "f", source, column(kBids, 2)); }) ==
        "node \"f\": a filter needs a boolean, but price is bigint");
  CHECK(message_of([&] { add_tumble(graph, "w", source, {10'000'000}, {0}, {}); }) ==
        "node \"w\": its input is not partitioned by (auction); add key_by in front of it");
  CHECK(message_of([&] { add_tumble(graph, "w", source, {0}, {1}, {}); }).find("its size must be") !=
        std::string::npos);
  CHECK(message_of([&] {
          add_tumble(graph, "w", source, {10'000'000}, {1}, {{AggregateFunction::sum, 3, -1, "s"}});
        }) == "node \"w\": sum(timestamptz) does not exist; sum takes bigint, double precision or numeric");
  CHECK(message_of([&] {
          add_sink(graph, "out", source, {"t", {"bider"}, ""});
        }) == "node \"out\": key column \"bider\" is not a column; did you mean bidder?");
  const int narrow = add_project(graph, "n", source, {{"auction", column(kBids, 0)}});
  CHECK(message_of([&] { add_union(graph, "u", {source, narrow}); }).find("has 4 columns") != std::string::npos);
  const int twice = add_project(graph, "two", source, {{"x", column(kBids, 0)}, {"x", column(kBids, 1)}});
  CHECK(message_of([&] {
          add_sink(graph, "out", twice, {"t", {}, ""});
        }).find("two columns are named \"x\"") != std::string::npos);
}

TEST_CASE("result types are PostgreSQL's", "[nodes]") {
  using F = AggregateFunction;
  CHECK(result_type(F::sum, Type::bigint()) == Type::numeric(38, 0));
  CHECK(result_type(F::sum, Type::numeric(10, 2)) == Type::numeric(38, 2));
  CHECK(result_type(F::sum, Type::float64()) == Type::float64());
  CHECK(result_type(F::avg, Type::bigint()) == Type::float64());
  CHECK(result_type(F::avg, Type::numeric(10, 2)) == Type::numeric(38, 6));
  CHECK(result_type(F::avg, Type::numeric(20, 9)) == Type::numeric(38, 9));
  CHECK(result_type(F::min, Type::text()) == Type::text());
  CHECK(result_type(F::count, std::nullopt) == Type::bigint());
  CHECK_THROWS_AS(result_type(F::avg, Type::text()), Error);
  CHECK_THROWS_AS(result_type(F::sum, std::nullopt), Error);
}

TEST_CASE("equal pipelines have equal fingerprints, and every detail of a window shows in its own", "[nodes]") {
  const auto fingerprint = [](std::int64_t size, std::vector<AggregateCall> calls) {
    GraphDraft graph("test");
    const int source = add_source(graph, "bids", bids_options(), kBids);
    const int window = add_tumble(graph, "w", add_key_by(graph, "k", source, {1}), {size}, {1}, std::move(calls));
    add_sink(graph, "out", window, {"totals", {"bidder"}, ""});
    return std::move(graph).build().fingerprint(2);
  };
  using F = AggregateFunction;
  const std::string first = fingerprint(10'000'000, {{F::sum, 2, -1, "s"}});
  CHECK(first == fingerprint(10'000'000, {{F::sum, 2, -1, "s"}}));
  CHECK(first != fingerprint(20'000'000, {{F::sum, 2, -1, "s"}}));
  CHECK(first != fingerprint(10'000'000, {{F::sum, 0, -1, "s"}}));
  CHECK(fingerprint(10'000'000, {{F::count, 2, -1, "s"}}) !=
        fingerprint(10'000'000, {{F::count_distinct, 2, -1, "s"}}));
}
