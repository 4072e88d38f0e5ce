// kappa/operators/format/decode_rows.h: what all decoders do with a block: row after row into column writers, failures
// aside.
//
// Threads:  functions; share nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kappa/engine/operator.h"
#include "kappa/operators/format/column_writer.h"

namespace kappa {

/// Fills `result`. decode(record, row) writes row `row` of every target's `writer`, or gives false; the row is then
/// written again, and cause() says why.
template <class Target, class Decode, class Cause>
void decode_rows(std::span<const RecordView> records, std::vector<Target>& targets, Decoder::Result& result,
                 Decode decode, Cause cause) {
  result.columns.clear();
  result.records.clear();
  result.failures.clear();
  for (Target& target : targets) target.writer.start(static_cast<std::int64_t>(records.size()));
  std::int64_t row = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto index = static_cast<std::int32_t>(i);
    if (decode(records[i], row)) [[likely]] {
      ++row;
      if (!result.failures.empty()) result.records.push_back(index);
      continue;
    }
    if (result.failures.empty()) {
      for (std::int32_t before = 0; before < index; ++before) result.records.push_back(before);
    }
    result.failures.push_back({index, cause()});
  }
  for (Target& target : targets) result.columns.push_back(target.writer.finish(row));
}

}  // namespace kappa
