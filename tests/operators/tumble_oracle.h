// An independent tumbling aggregate for the tests: row at a time, keeps every row of an open window and computes its
// results from them when it closes. Shares no code with the operator.
#pragma once

#include "kappa/operators/nodes.h"
#include "kappa/tests/operators/rows.h"

namespace kappa::testkit {

struct TumbleCase {
  Schema schema;
  std::int64_t size_us = 0, out_of_orderness_us = 0;
  std::vector<int> key_columns;
  std::vector<AggregateCall> calls;
};

struct TumbleResult {
  std::vector<Row> emitted;
  std::vector<std::int64_t> late;  // positions
};

[[nodiscard]] TumbleResult tumble_oracle(const TumbleCase& test, const std::vector<Row>& rows);

}  // namespace kappa::testkit
