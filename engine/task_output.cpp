#include "kappa/engine/task_output.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "kappa/engine/kill_point.h"
#include "kappa/engine/murmur2.h"
#include "kappa/engine/value_text.h"

namespace kappa {

namespace {
struct Place {
  std::size_t sink, entry;
};

// The entries of several sinks on one topic by (origin of their row, sink, entry): two sinks are two branches.
std::vector<Place> merged(std::span<const TaskOutput::SinkRows> sinks) {
  std::vector<Place> places;
  for (std::size_t s = 0; s < sinks.size(); ++s)
    for (std::size_t e = 0; e < sinks[s].rows.entries.size(); ++e) places.push_back({s, e});
  const auto is_first = [&](const TaskOutput::SinkRows& rows) { return rows.sink == sinks.front().sink; };
  if (!std::all_of(sinks.begin(), sinks.end(), is_first))
    std::stable_sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
      return compare_origin(sinks[a.sink].batch, sinks[a.sink].rows.entries[a.entry].row, sinks[b.sink].batch,
                            sinks[b.sink].rows.entries[b.entry].row) < 0;
    });
  return places;
}
}  // namespace

TaskOutput::TaskOutput(Producer& producer, const OutputPolicy& policy, const OutputNames& names, std::int32_t partition)
    : producer_(producer), policy_(policy), names_(names), partition_(partition) {
  if (!policy_.run.empty()) run_headers_.push_back({"kappa-run", policy_.run, false});
}

void TaskOutput::add(const SinkRows& sink, const EncodedRows::Entry& entry, SinkTotals& totals) {
  const std::int64_t event_time = sink.batch.event_times()[entry.row];
  if (!in_range(event_time)) return;
  const char* bytes = sink.rows.bytes.data();
  const std::string_view key{bytes + entry.key_begin, entry.key_end - entry.key_begin};
  const std::string_view value{bytes + entry.key_end, entry.value_end - entry.key_end};
  const OutRecord record{key, value, entry.key_is_null, entry.value_is_null, event_time / 1000, run_headers_};
  ++totals.records;
  if (policy_.digest) {
    const std::uint64_t seed =
        totals.digest ^ static_cast<std::uint64_t>(record.timestamp_ms) ^ (entry.key_is_null ? 1U : 0U);
    totals.digest =
        XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits_withSeed(key.data(), key.size(), seed));
  }
  if (policy_.publish) pending_.push_back(record);
}

void TaskOutput::publish(std::span<const SinkRows> sinks) {
  const std::string topic = target(sinks.front().sink->sink.topic);
  SinkTotals& totals = totals_[topic];
  if (muted_) return;
  const Node& first = *sinks.front().sink;
  for (const Place& place : merged(sinks)) {
    const SinkRows& sink = sinks[place.sink];
    const EncodedRows::Entry& entry = sink.rows.entries[place.entry];
    add(sink, entry, totals);
    if (first.sink.partition_by >= 0) flush(topic, partition_of_row(*sink.sink, sink.batch, entry.row));
  }
  flush(topic, partition_);
}

// A null goes to partition 0, as a null key of a repartition does.
std::int32_t TaskOutput::partition_of_row(const Node& sink, const Batch& batch, std::int32_t row) const {
  const Column* column = &batch.columns[static_cast<std::size_t>(sink.sink.partition_by)];
  std::string key;
  if (!append_key(key, std::span(&column, 1), row)) return 0;
  return partition_of(key, names_.sink_partitions.at(sink.sink.topic));
}

void TaskOutput::flush(const std::string& topic, std::int32_t partition) {
  if (pending_.empty()) return;
  producer_.append({topic, partition}, pending_);
  wrote_ = true;
  pending_.clear();
}

void TaskOutput::write_side(const std::string& topic, const std::string& node, const SideRecord& record,
                            const std::string& source_topic) {
  if (topic.empty() || muted_ || !policy_.publish || !in_range(record.progress)) return;
  const std::string partition = std::to_string(partition_), offset = std::to_string(record.position);
  std::vector<Header> headers{{"kappa-node", node, false}, {"kappa-cause", record.cause, false}};
  if (!source_topic.empty()) {
    headers.push_back({"kappa-topic", source_topic, false});
    headers.push_back({"kappa-partition", partition, false});
    headers.push_back({"kappa-offset", offset, false});
  }
  headers.insert(headers.end(), run_headers_.begin(), run_headers_.end());
  const OutRecord out{record.key,
                      record.value,
                      record.key_is_null,
                      record.value_is_null,
                      std::max<std::int64_t>(0, record.event_time / 1000),
                      headers};
  producer_.append({target(topic), partition_}, std::span(&out, 1));
  if (KAPPA_FAULT("side-records.alone")) static_cast<void>(producer_.commit("", {}));
}

void TaskOutput::late(const std::string& node, const SideRecord& record, const std::string& source_topic) {
  write_side(names_.late_topic, node, record, source_topic);
}

void TaskOutput::dead(const std::string& node, const SideRecord& record, const std::string& source_topic) {
  if (names_.errors == ErrorsPolicy::fail && !muted_)
    fail(fmt::format(
        "node \"{}\", {}-{} offset {}: {}. errors.policy = fail stops here; dead_letter would keep the record aside",
        node, source_topic, partition_, record.position, record.cause));
  if (names_.errors == ErrorsPolicy::skip)
    ++skipped_;
  else
    write_side(names_.dead_letter_topic, node, record, source_topic);
}

}  // namespace kappa
