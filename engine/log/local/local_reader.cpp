#include "kappa/engine/log/local/local_reader.h"

#include <algorithm>
#include <limits>
#include <string>

#include "kappa/engine/error.h"

namespace kappa::detail {
namespace {

constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::min() / 2;
constexpr std::size_t kChunksKept = 4;

}  // namespace

LocalReader::LocalReader(LogCore& core, TopicPartition at, std::int64_t from)
    : core_(core),
      at_(std::move(at)),
      position_(from),
      pool_(std::make_shared<ChunkPool>(core.options().read_bytes, kChunksKept)) {
  PartitionState partition = core_.partition(at_);
  if (from > partition.end) {
    core_.refresh();
    partition = core_.partition(at_);
  }
  if (from < partition.start || from > partition.end) {
    refuse(to_string(at_) + " has no offset " + std::to_string(from) + ": it holds " + std::to_string(partition.start) +
           " to " + std::to_string(partition.end));
  }
  aborted_ = partition.aborted;
  find_start(partition);
}

LocalReader::~LocalReader() = default;

void LocalReader::find_start(const PartitionState& partition) {
  const auto& segments = partition.segments;
  auto behind = std::upper_bound(segments.begin(), segments.end(), position_,
                                 [](std::int64_t wanted, const Segment& segment) { return wanted < segment.base; });
  if (behind != segments.begin()) --behind;
  segment_index_ = static_cast<std::size_t>(behind - segments.begin());
  if (behind == segments.end()) return;
  if (position_ == partition.end && segment_index_ + 1 == segments.size()) {
    byte_ = behind->bytes;  // the usual start of a tail needs no index
    return;
  }
  core_.with_index(at_, *behind, partition,
                   [&](const SegmentIndex& index, const File&) { byte_ = index.byte_before(position_); });
}

void LocalReader::read(RecordBlock& block, std::int64_t records_max, std::int64_t before) {
  block.records.clear();
  block.memory.clear();
  while (static_cast<std::int64_t>(block.records.size()) < records_max) {
    if (decoder_.is_done() && !open_next_batch(before)) return;
    const std::size_t had = block.records.size();
    const char* problem = decoder_.read(block.records, records_max - static_cast<std::int64_t>(had), position_, before);
    if (problem != nullptr) fail_on_batch(file_, byte_ - decoder_.header().bytes, problem);
    if (block.records.size() > had) {
      position_ = block.records.back().offset + 1;
      const std::shared_ptr<const void>& memory =
          decoder_.memory() != nullptr ? decoder_.memory() : std::shared_ptr<const void>(chunk_);
      if (block.memory.empty() || block.memory.back() != memory) block.memory.push_back(memory);
    }
    if (decoder_.is_held()) {
      advance(before, before);
      return;
    }
    if (decoder_.is_done()) advance(decoder_.header().last_offset() + 1, before);
  }
}

void LocalReader::advance(std::int64_t next_offset, std::int64_t before) {
  position_ = std::max(position_, std::min(next_offset, before));
}

// Leaves decoder_ at a batch with records, byte_ behind it; false if there is none below `before` now.
bool LocalReader::open_next_batch(std::int64_t before) {
  while (has_bytes(before)) {
    BatchHeader header;
    const char* data = load_batch(header);
    if (header.base_offset >= before) {
      advance(before, before);
      return false;
    }
    byte_ += header.bytes;
    if (!is_wanted(header)) {
      advance(header.last_offset() + 1, before);
      continue;
    }
    if (const char* problem = decoder_.open(header, data)) fail_on_batch(file_, byte_ - header.bytes, problem);
    if (!decoder_.is_done()) return true;
    advance(header.last_offset() + 1, before);
  }
  return false;
}

bool LocalReader::is_wanted(const BatchHeader& header) const {
  if (header.last_offset() < position_ || header.is_control()) return false;
  return !header.is_transactional() || !is_aborted(aborted_.get(), header.producer_id, header.base_offset);
}

// Are there bytes behind byte_ that the journal says are visible? Goes on to the next segment, and asks the journal
// anew when all is read.
bool LocalReader::has_bytes(std::int64_t before) {
  if (view_.exists && byte_ < view_.segment.bytes) return true;
  for (bool is_fresh = false;;) {
    view_ = core_.segment(at_, segment_index_);
    if (view_.exists && byte_ < view_.segment.bytes) break;
    if (view_.exists && !view_.is_last) {
      ++segment_index_;
      byte_ = 0;
      file_ = File();
      chunk_at_ = kNowhere;  // the bytes stay where they are: blocks may point at them
      continue;
    }
    if (is_fresh) {
      advance(view_.end_offset, before);
      return false;
    }
    core_.refresh();
    is_fresh = true;
  }
  if (view_.segment.is_adopted) aborted_ = core_.partition(at_).aborted;  // it may have come after this reader
  if (!file_.is_open()) file_ = core_.partition_directory(at_).open(segment_name(view_.segment.base), OpenMode::read);
  return true;
}

const char* LocalReader::load_batch(BatchHeader& header) {
  const std::int64_t left = view_.segment.bytes - byte_;
  if (left < kBatchHeaderBytes) fail_on_batch(file_, byte_, "a batch is cut");
  const char* data = fill(kBatchHeaderBytes);
  if (const char* problem = parse_batch_header(data, header)) fail_on_batch(file_, byte_, problem);
  if (header.bytes > left) fail_on_batch(file_, byte_, "a batch reaches beyond the end");
  return fill(header.bytes);
}

// The memory of `bytes` bytes of the segment from byte_ on: what was read already, or a new piece, behind the old one
// in the same chunk where that has room (a tail reads many small pieces). Bytes once handed out are never written
// again.
const char* LocalReader::fill(std::int64_t bytes) {
  const std::int64_t have_to = chunk_at_ + (chunk_to_ - chunk_from_);
  if (chunk_ != nullptr && byte_ >= chunk_at_ && byte_ + bytes <= have_to) {
    return chunk_->data.get() + chunk_from_ + (byte_ - chunk_at_);
  }
  const std::int64_t wanted = std::max(bytes, std::min(core_.options().read_bytes, view_.segment.bytes - byte_));
  const std::int64_t from = chunk_to_ + kBatchPadding;
  if (chunk_ != nullptr && from + wanted <= chunk_->size) {
    chunk_from_ = from;
  } else {
    chunk_.reset();
    chunk_ = pool_->take(wanted);
    chunk_from_ = 0;
  }
  chunk_at_ = byte_;
  const std::int64_t got = file_.read_at(chunk_->data.get() + chunk_from_, wanted, byte_);
  chunk_to_ = chunk_from_ + got;
  if (got < bytes) fail_on_batch(file_, byte_ + got, "the file is shorter than the journal says");
  return chunk_->data.get() + chunk_from_;
}

}  // namespace kappa::detail
