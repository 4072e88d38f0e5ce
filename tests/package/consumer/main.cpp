// A pipeline of structs and lambdas, as a user of the package writes it.
#include <chrono>
#include <cstdint>
#include <utility>

#include "kappa/operators/stream.h"
#include "kappa/service/main.h"

using namespace std::chrono_literals;

namespace shop {
struct Order {
  std::int64_t customer;
  double amount;
  kappa::Timestamp at;
};
KAPPA_ROW(Order, customer, amount, at)
}  // namespace shop

int main(int argc, char** argv) {
  using shop::Order;
  kappa::GraphBuilder g{"consumer"};
  g.source<Order>("orders",
                  {.topic = "orders", .event_time = "at", .max_out_of_orderness = 5s, .partitioned_by = "customer"})
      .filter("paid", [](const Order& order) { return order.amount > 0; })
      .key_by("by-customer", &Order::customer)
      .tumble("per-minute", 60s, {kappa::count().as("orders"), kappa::sum(&Order::amount).as("spent")})
      .sink("totals", {.topic = "totals"});
  return kappa::main(argc, argv, std::move(g).build());
}
