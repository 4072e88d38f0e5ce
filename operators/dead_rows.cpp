#include "kappa/operators/dead_rows.h"

#include "kappa/engine/value_text.h"

namespace kappa {

SideRecord side_record(const Schema& schema, const Batch& batch, std::int64_t row, std::string cause) {
  SideRecord record;
  record.input = batch.inputs()[row];
  record.position = batch.positions()[row];
  record.progress = batch.progresses()[row];
  record.event_time = batch.event_times()[row];
  record.cause = std::move(cause);
  append_json_row(record.value, schema, batch, row);
  return record;
}

void add_dead(FailedRows failed, const Schema& schema, const Batch& batch, std::vector<SideRecord>& dead) {
  for (const auto& [row, cause] : failed) dead.push_back(side_record(schema, batch, row, cause));
}

void count_dead(FailedRows failed, const Batch& batch, NodeCounters& counters) {
  counters.dead += static_cast<std::int64_t>(failed.size());
  for (const auto& [row, cause] : failed) counters.emitted_dead += batch.inputs()[row] == kDueInput ? 1 : 0;
}

Batch without(FailedRows failed, const Batch& batch) {
  if (failed.empty()) return batch;
  std::vector<std::int32_t> rows;
  rows.reserve(static_cast<std::size_t>(batch.rows));
  auto next = failed.begin();
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    if (next != failed.end() && next->first == row)
      ++next;
    else
      rows.push_back(static_cast<std::int32_t>(row));
  }
  return take(batch, rows);
}

}  // namespace kappa
