// tests/oracle/random_input.h: hostile input for windowed pipelines, a pure function of its options.
//
// Rows {k, v, x, at, ts}: out of order, some late, repeated, with nulls, wrong types, times in the far future or before
// 1970, keys with every kind of character, partitions that drift apart, now and then a partition without records.
//
// Threads:  functions; share nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kappa/tests/oracle/pipeline.h"

namespace oracle {

struct RandomInput {
  std::uint64_t seed = 1;
  std::string topic = "in";
  std::int64_t rows = 1000;
  std::int32_t partitions = 4;
  bool text_keys = false;
  bool key_is_partition_key = true;           // else records lie anywhere
  std::int64_t begin_ms = 1'772'323'200'000;  // 2026-03-01
  std::int64_t out_of_orderness_ms = 2000;    // what most rows keep to
  std::int64_t step_ms = 200;                 // between two rows of a partition, on average
  bool documents = false;                     // all values are JSON objects with k and ts, so that they can be imported
};

/// Values are the documents; the record's timestamp is the document's `ts`, its key the text of `k`.
[[nodiscard]] std::vector<Record> random_input(const RandomInput& options);

}  // namespace oracle
