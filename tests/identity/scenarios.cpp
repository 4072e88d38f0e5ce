#include "kappa/tests/identity/scenarios.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kappa/engine/murmur2.h"
#include "kappa/service/nexmark.h"

namespace kappa::testkit {

namespace {
constexpr std::int32_t kPartitions = 4;

constexpr const char* kFlightColumns =
    "(carrier text, origin text, at timestamptz, dep_delay bigint, arr_delay bigint)";
constexpr const char* kFlightOptions =
    "format = 'json', event_time = 'at', max_out_of_orderness = '12 hours', partitioned_by = 'carrier')";
constexpr const char* kFlightAggregates =
    "count(*) AS flights, count(arr_delay) AS arrivals, avg(arr_delay) AS mean_delay, max(arr_delay) AS worst";
constexpr const char* kBidColumns = R"((auction bigint, bidder bigint, price bigint, "dateTime" timestamptz))";
constexpr const char* kBidOptions =
    R"(format = 'json', event_time = 'dateTime', max_out_of_orderness = '1s', partitioned_by = 'bidder'))";

std::string table(const std::string& name, const char* columns, const char* options) {
  return "CREATE TABLE " + name + " " + columns + "\n  WITH (topic = '" + name + "', " + options + ";\n";
}

std::string flights_view(const std::string& key, const std::string& input) {
  return "CREATE MATERIALIZED VIEW delays WITH (topic = 'delays') AS\n  SELECT " + key +
         ", window_start, window_end, " + kFlightAggregates + "\n  FROM TUMBLE(" + input +
         ", at, INTERVAL '1 hour')\n  GROUP BY " + key + ", window_start, window_end;\n";
}

std::string bids_view(const std::string& key, const std::string& input) {
  return "CREATE MATERIALIZED VIEW totals WITH (topic = 'totals') AS\n  SELECT " + key +
         ", window_start, window_end, count(*) AS bids, sum(price) AS total, sum(price * 0.1::double precision) AS "
         "tenth\n  FROM TUMBLE(" +
         input + R"(, "dateTime", INTERVAL '10 seconds')
  WHERE price >= 100 GROUP BY )" +
         key + ", window_start, window_end;\n";
}

std::vector<InputRecord> flights(std::size_t rows) {
  const gzFile file = ::gzopen(KAPPA_SOURCE_DIR "/examples/flights/flights-2013-01.jsonl.gz", "rb");
  if (file == nullptr) throw std::runtime_error("the flights are missing");
  std::vector<InputRecord> records;
  std::vector<char> line(1 << 16);
  while (records.size() < rows && ::gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
    std::string text(line.data());
    text.pop_back();
    const nlohmann::json flight = nlohmann::json::parse(text);
    const auto key = flight.at("carrier").get<std::string>();
    const auto published = flight.at("published").get<std::int64_t>();
    records.push_back({"flights", partition_of(key, kPartitions), key, text, published});
    if (records.size() % 700 == 0) records.push_back({"flights", 1, "XX", text.substr(0, 40), published});
  }
  ::gzclose(file);
  return records;
}

std::vector<InputRecord> bids(std::size_t rows) {
  NexmarkOptions options;
  options.events = static_cast<std::int64_t>(rows);
  options.partitions = kPartitions;
  options.rate = 20;
  options.uniform_keys = 50;
  options.late_fraction = 0.1;
  options.late_ms = 3000;
  NexmarkGenerator generator(options);
  std::vector<InputRecord> records;
  for (NexmarkRecord r; generator.next(r);)
    records.push_back({"bids", r.partition, std::string(r.key), std::string(r.value), r.timestamp_ms});
  return records;
}

// Two of three records go to the first topic, and for a while all: so the topics drift apart.
std::vector<InputRecord> split(std::vector<InputRecord> records, const std::string& one, const std::string& two) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const bool drifting = i % 1000 < 300;
    records[i].topic = drifting || i % 3 != 0 ? one : two;
  }
  return records;
}

std::string set(const std::string& application) { return "SET application.id = '" + application + "';\n"; }

constexpr const char* kTwoFlights = "(SELECT * FROM flights_a UNION ALL SELECT * FROM flights_b)";
constexpr const char* kTwoBids = "(SELECT * FROM bids_a UNION ALL SELECT * FROM bids_b)";
}  // namespace

std::vector<Scenario> scenarios(std::size_t rows) {
  const std::map<std::string, std::int32_t> flights_topic{{"flights", kPartitions}}, bids_topic{{"bids", kPartitions}},
      two_flights{{"flights_a", kPartitions}, {"flights_b", kPartitions}},
      two_bids{{"bids_a", kPartitions}, {"bids_b", kPartitions}};
  const std::string flights_table = table("flights", kFlightColumns, kFlightOptions),
                    bids_table = table("bids", kBidColumns, kBidOptions),
                    flights_tables = table("flights_a", kFlightColumns, kFlightOptions) +
                                     table("flights_b", kFlightColumns, kFlightOptions),
                    bids_tables = table("bids_a", kBidColumns, kBidOptions) + table("bids_b", kBidColumns, kBidOptions);
  const std::vector<InputRecord> flown = flights(rows), bid = bids(rows);
  const std::vector<InputRecord> flown_twice = split(flown, "flights_a", "flights_b"),
                                 bid_twice = split(bid, "bids_a", "bids_b");
  const std::string rows_view =
      "CREATE MATERIALIZED VIEW totals WITH (topic = 'totals') AS\n"
      "  SELECT bidder, price, \"dateTime\" FROM bids_a WHERE price >= 1000 UNION ALL SELECT bidder, price, "
      "\"dateTime\" FROM bids_b;\n";
  return {
      {"flights", "i1", "delays", set("i1") + flights_table + flights_view("carrier", "flights"), flights_topic, flown},
      {"flights-repartition", "i2", "delays", set("i2") + flights_table + flights_view("origin", "flights"),
       flights_topic, flown},
      {"flights-two-topics", "i3", "delays", set("i3") + flights_tables + flights_view("carrier", kTwoFlights),
       two_flights, flown_twice},
      {"bids", "i4", "totals", set("i4") + bids_table + bids_view("bidder", "bids"), bids_topic, bid},
      {"bids-repartition", "i5", "totals", set("i5") + bids_table + bids_view("auction", "bids"), bids_topic, bid},
      {"bids-two-topics", "i6", "totals", set("i6") + bids_tables + bids_view("bidder", kTwoBids), two_bids, bid_twice},
      {"bids-two-topics-repartition", "i7", "totals", set("i7") + bids_tables + bids_view("auction", kTwoBids),
       two_bids, bid_twice},
      {"bids-rows", "i8", "totals", set("i8") + bids_tables + rows_view, two_bids, bid_twice},
  };
}

Scenario scenario(const std::string& name, std::size_t rows) {
  for (Scenario& each : scenarios(rows))
    if (each.name == name) return std::move(each);
  throw std::runtime_error("no scenario " + name);
}

}  // namespace kappa::testkit
