#include "kappa/engine/source_step.h"

#include <fmt/format.h>

#include <algorithm>

namespace kappa {

SourceStep::SourceStep(const Node& node, const TopicPartition& at, int input, std::int64_t batch_rows)
    : node_(node), input_(input), decoder_(node.source.decoder(at)) {
  const auto n = static_cast<std::size_t>(batch_rows);
  constant_input_ = Buffer::allocate(n * 4);
  std::fill_n(constant_input_.as_mutable<std::int32_t>(), n, input);
  zero_index_ = Buffer::allocate(n * 4);
  std::fill_n(zero_index_.as_mutable<std::int32_t>(), n, 0);
}

void SourceStep::bury(const RecordView& record, std::string cause, std::vector<SideRecord>& dead) const {
  SideRecord side;
  side.input = input_;
  side.position = record.offset;
  side.progress = progress_;
  side.event_time = record.timestamp_ms * 1000;
  side.cause = std::move(cause);
  side.key = record.key();
  side.value = record.value();
  side.key_is_null = record.key_is_null();
  side.value_is_null = record.value_is_null();
  dead.push_back(std::move(side));
}

std::string SourceStep::guard(const Column& event_times, std::int64_t row, const RecordView& record) const {
  const std::string& name = node_.schema[node_.source.event_time].name;
  if (event_times.is_null(row)) return fmt::format("event time {} is null", name);
  const std::int64_t t = event_times.i64()[row];
  if (t < kEventTimeMin || t >= kEventTimeMax) return fmt::format("event time {} is outside 1970 to 2262", name);
  if (t > record.timestamp_ms * 1000 + node_.source.max_future_us)
    return fmt::format("event time {} is {} ms after the record's timestamp {}, more than max_future", name,
                       t / 1000 - record.timestamp_ms, record.timestamp_ms);
  return {};
}

bool SourceStep::all_pass(const Column& event_times, const std::vector<RecordView>& records) const {
  if (event_times.may_have_nulls() || !decoded_.records.empty()) return false;
  const std::int64_t* t = event_times.i64();
  bool bad = false;
  for (std::int64_t i = 0; i < event_times.size(); ++i) {
    const RecordView& record = records[static_cast<std::size_t>(i)];
    bad |=
        t[i] < kEventTimeMin || t[i] >= kEventTimeMax || t[i] > record.timestamp_ms * 1000 + node_.source.max_future_us;
  }
  return !bad;
}

// Walks rows and failures in record order, so that each dead letter carries the progress at its place.
void SourceStep::drop_guarded(const RecordBlock& block, std::vector<SideRecord>& dead) {
  const Column event_times = decoded_.columns[static_cast<std::size_t>(node_.source.event_time)];
  const bool dense = decoded_.records.empty() && decoded_.failures.empty();
  const auto rows = static_cast<std::int64_t>(event_times.size());
  std::vector<std::int32_t> kept, kept_records;
  std::size_t failure = 0;
  const std::int64_t progress_before = progress_;
  const auto bury_failures = [&](std::int32_t before) {
    for (; failure < decoded_.failures.size() && decoded_.failures[failure].record < before; ++failure)
      bury(block.records[static_cast<std::size_t>(decoded_.failures[failure].record)], decoded_.failures[failure].cause,
           dead);
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int32_t r = dense ? static_cast<std::int32_t>(row) : decoded_.records[static_cast<std::size_t>(row)];
    bury_failures(r);
    const RecordView& record = block.records[static_cast<std::size_t>(r)];
    if (std::string cause = guard(event_times, row, record); !cause.empty()) {
      bury(record, std::move(cause), dead);
    } else {
      kept.push_back(static_cast<std::int32_t>(row));
      kept_records.push_back(r);
      progress_ = std::max(progress_, event_times.i64()[row]);
    }
  }
  bury_failures(static_cast<std::int32_t>(block.records.size()));
  progress_ = progress_before;  // with_hidden() walks the kept rows again
  if (static_cast<std::int64_t>(kept.size()) < rows)
    for (Column& column : decoded_.columns) column = take(column, kept);
  decoded_.records = std::move(kept_records);
}

Batch SourceStep::with_hidden(const RecordBlock& block) {
  const Column& event_times = decoded_.columns[static_cast<std::size_t>(node_.source.event_time)];
  const std::int64_t rows = event_times.size();
  const auto n = static_cast<std::size_t>(rows);
  Batch batch;
  batch.rows = rows;
  batch.event_time = event_times.values();
  batch.progress = Buffer::allocate(n * 8);
  batch.position = Buffer::allocate(n * 8);
  batch.input = constant_input_;
  batch.index = zero_index_;
  auto* progress = batch.progress.as_mutable<std::int64_t>();
  auto* position = batch.position.as_mutable<std::int64_t>();
  const std::int64_t* t = event_times.i64();
  std::int64_t reached = progress_;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = decoded_.records.empty() ? i : static_cast<std::size_t>(decoded_.records[i]);
    reached = std::max(reached, t[i]);
    progress[i] = reached;
    position[i] = block.records[r].offset;
  }
  progress_ = reached;
  batch.columns = std::move(decoded_.columns);
  return batch;
}

Batch SourceStep::step(const RecordBlock& block, std::vector<SideRecord>& dead) {
  KAPPA_CHECK(block.records.size() * 4 <= constant_input_.size(), "a block holds at most batch_rows records");
  decoded_.columns.clear();
  decoded_.records.clear();
  decoded_.failures.clear();
  decoder_->decode(block.records, decoded_);
  const Column& event_times = decoded_.columns[static_cast<std::size_t>(node_.source.event_time)];
  if (!decoded_.failures.empty() || !all_pass(event_times, block.records)) drop_guarded(block, dead);
  return with_hidden(block);
}

}  // namespace kappa
