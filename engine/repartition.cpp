#include "kappa/engine/repartition.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/engine/bytes.h"
#include "kappa/engine/murmur2.h"
#include "kappa/engine/order_key.h"
#include "kappa/engine/value_text.h"

namespace kappa {

namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kRow = 0, kMarker = 1;
}  // namespace

RepartitionWriter::RepartitionWriter(const Node& node, std::string topic, std::int32_t partitions, std::int32_t task)
    : node_(node), topic_(std::move(topic)), task_(task), told_(static_cast<std::size_t>(partitions), kNever) {}

void RepartitionWriter::append_head(std::string& out, bool marker, std::int64_t progress) const {
  append_u8(out, kVersion);
  append_u8(out, marker ? kMarker : kRow);
  append_u32_be(out, static_cast<std::uint32_t>(task_));
  append_i64_be(out, progress);
}

void RepartitionWriter::write(const Batch& batch, Producer& producer, bool muted) {
  rows_ += batch.rows;
  if (batch.rows > 0) reach(batch.progresses()[batch.rows - 1]);
  std::vector<const Column*> keys;
  for (const int k : node_.repartition.key_columns) keys.push_back(&batch.columns[static_cast<std::size_t>(k)]);
  std::string key, value, order;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    key.clear();
    const bool has_key = append_key(key, keys, row);
    const std::int32_t partition = has_key ? partition_of(key, static_cast<std::int32_t>(told_.size())) : 0;
    const std::int64_t progress = batch.progresses()[row];
    told_[static_cast<std::size_t>(partition)] = progress;
    if (muted) continue;
    value.clear();
    append_head(value, false, progress);
    order.clear();
    append_order_key(order, batch, row);
    append_sized(value, order);
    append_i64_be(value, batch.event_times()[row]);
    append_row(value, batch.columns, row);
    const OutRecord record{key, value, !has_key, false, std::max<std::int64_t>(0, floor_ms(progress)), {}};
    producer.append({topic_, partition}, std::span(&record, 1));
  }
}

int RepartitionWriter::write_markers(Producer& producer, bool muted) {
  int written = 0;
  if (muted) return 0;  // whether the run before wrote them is not known; the first unmuted commit does
  for (std::size_t p = 0; p < told_.size(); ++p) {
    if (told_[p] >= progress_) continue;
    told_[p] = progress_;
    std::string value;
    append_head(value, true, progress_);
    const OutRecord record{{}, value, true, false, std::max<std::int64_t>(0, floor_ms(progress_)), {}};
    producer.append({topic_, static_cast<std::int32_t>(p)}, std::span(&record, 1));
    ++written;
  }
  return written;
}

RepartitionReader::RepartitionReader(const Node& node, std::string topic, int first_input, int upstream_tasks)
    : node_(node),
      topic_(std::move(topic)),
      first_input_(first_input),
      upstreams_(static_cast<std::size_t>(upstream_tasks)) {}

void RepartitionReader::restore(int upstream, std::int64_t progress, std::string last_order_key) {
  Upstream& u = upstreams_.at(static_cast<std::size_t>(upstream));
  u.progress = progress;
  u.last_key = std::move(last_order_key);
}

void RepartitionReader::take(const RecordView& record, std::vector<RowReader>& rows) {
  ByteReader bytes(record.value(), "a repartition record");
  if (bytes.u8() != kVersion) fail("a repartition record has an unknown version");
  const std::uint8_t kind = bytes.u8();
  const std::uint32_t task = bytes.u32_be();
  if (task >= upstreams_.size())
    fail(fmt::format("a repartition record names upstream task {} of {}", task, upstreams_.size()));
  Upstream& upstream = upstreams_[task];
  const std::int64_t progress = bytes.i64_be();
  if (kind == kMarker) {
    ++markers_;
    upstream.progress = std::max(upstream.progress, progress);
    return;
  }
  ++rows_;
  const std::string_view key = bytes.sized();
  if (!upstream.last_key.empty() && key <= upstream.last_key) {
    ++duplicates_;
    return;
  }
  upstream.last_key = key;
  upstream.progress = std::max(upstream.progress, progress);
  upstream.row_progress.push_back(progress);
  upstream.row_event_time.push_back(bytes.i64_be());
  upstream.keys.append_bytes(key);
  rows[task].add(bytes.rest());
}

Batch RepartitionReader::finish(Upstream& upstream, int input, RowReader& rows) {
  Batch batch = make_batch(rows.rows());
  std::copy(upstream.row_progress.begin(), upstream.row_progress.end(), batch.progress.as_mutable<std::int64_t>());
  std::copy(upstream.row_event_time.begin(), upstream.row_event_time.end(),
            batch.event_time.as_mutable<std::int64_t>());
  std::fill_n(batch.input.as_mutable<std::int32_t>(), batch.rows, input);
  std::fill_n(batch.position.as_mutable<std::int64_t>(), batch.rows, 0);
  std::fill_n(batch.index.as_mutable<std::int32_t>(), batch.rows, 0);
  upstream.row_progress.clear();
  upstream.row_event_time.clear();
  batch.upstream_keys = upstream.keys.finish();
  batch.columns = rows.finish();
  return batch;
}

std::vector<RepartitionReader::Piece> RepartitionReader::read(const RecordBlock& block, std::int32_t partition) {
  std::vector<RowReader> rows(upstreams_.size(), RowReader(node_.schema));
  for (const RecordView& record : block.records) {
    try {
      take(record, rows);
    } catch (const Error& error) {
      fail(fmt::format(
          "{}-{} offset {}: {}. Only kappa writes this topic: if something else wrote to it, use `kappa run --rebuild`",
          topic_, partition, record.offset, error.what()));
    }
  }
  std::vector<Piece> pieces;
  for (std::size_t u = 0; u < upstreams_.size(); ++u) {
    const int input = first_input_ + static_cast<int>(u);
    pieces.push_back({input, finish(upstreams_[u], input, rows[u])});
  }
  return pieces;
}

}  // namespace kappa
