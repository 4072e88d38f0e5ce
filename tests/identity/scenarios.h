// tests/identity/scenarios.h: the pipelines and inputs whose results must not depend on how they were run.
#pragma once

#include "kappa/tests/identity/arena.h"

namespace kappa::testkit {

/// About `rows` input records each. Flights by carrier; behind a repartition; from two topics. NEXMark's hot bidders;
/// behind a repartition; from two topics, with and without one; and the rows of two topics without any window.
[[nodiscard]] std::vector<Scenario> scenarios(std::size_t rows);
[[nodiscard]] Scenario scenario(const std::string& name, std::size_t rows);

}  // namespace kappa::testkit
