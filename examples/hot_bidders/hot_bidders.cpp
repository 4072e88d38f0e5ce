// Who bids most? Per bidder and ten seconds, the serious bids and their sum: hot_bidders.sql in C++.
#include <chrono>
#include <cstdint>
#include <utility>

#include "kappa/operators/stream.h"
#include "kappa/service/main.h"

using namespace std::chrono_literals;

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

int main(int argc, char** argv) { return kappa::main(argc, argv, hot_bidders()); }
