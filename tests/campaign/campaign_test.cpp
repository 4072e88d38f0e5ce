// What is published on a real broker shows no fault: nothing lost, nothing doubled, in order, for who reads meanwhile
// and for who reads afterwards (laws L3, L5).
#include <algorithm>
#include <iostream>

#include "kappa/tests/campaign/faults.h"
#include "kappa/tests/kit/catch.h"

#ifdef KAPPA_KILL_POINTS
namespace kappa::campaign {
namespace {

std::vector<Fault> times(int n, Fault fault) { return std::vector<Fault>(static_cast<std::size_t>(n), fault); }

void survive(const std::string& name, Shape shape, const std::vector<Fault>& faults, Tally& tally,
             std::int64_t rows_per_fault = 900) {
  Plan plan;
  plan.options.name = name + "-" + to_string(shape);
  plan.options.shape = shape;
  plan.options.rows = rows_per_fault * static_cast<std::int64_t>(faults.size() + 1);
  plan.proxied = std::any_of(faults.begin(), faults.end(), needs_proxy);
  plan.deeds = [&](Injector& injector) {
    for (const Fault fault : faults) injector.inject(fault);
  };
  INFO(plan.options.name << ", seed " << plan.options.seed);
  CHECK(torture(the_broker(), plan, tally) == "");
}

TEST_CASE("kills at any moment show nowhere in what is published") {
  Tally tally;
  survive("kills", Shape::windows, times(6, Fault::random_kill), tally);
  std::cout << to_string(tally);
}

}  // namespace
}  // namespace kappa::campaign
#endif
