#include "kappa/engine/log/local/segment_index.h"

#include <algorithm>
#include <limits>

#include "kappa/engine/error.h"

namespace kappa::detail {
namespace {

constexpr std::int64_t kWindowBytes = 4096;  // many headers of a broker's small batches, one of our large ones
constexpr std::int64_t kEntryBytes = 64 << 10;

}  // namespace

void fail_on_batch(const File& file, std::int64_t at, const char* problem) {
  fail("the segment " + file.path() + " is damaged at byte " + std::to_string(at) + ": " + problem +
       "; restore the log's directory from a copy");
}

bool BatchWalker::step() {
  at_ = next_;
  if (at_ >= end_) return false;
  if (end_ - at_ < kBatchHeaderBytes) fail_on_batch(file_, at_, "a batch is cut");
  if (at_ < window_at_ || at_ + kBatchHeaderBytes > window_at_ + window_size_) {
    window_.resize(static_cast<std::size_t>(kWindowBytes));
    window_at_ = at_;
    window_size_ = file_.read_at(window_.data(), kWindowBytes, at_);
    if (window_size_ < kBatchHeaderBytes) fail_on_batch(file_, at_, "the file is shorter than the journal says");
  }
  if (const char* problem = parse_batch_header(window_.data() + (at_ - window_at_), header_)) {
    fail_on_batch(file_, at_, problem);
  }
  if (header_.bytes > end_ - at_) fail_on_batch(file_, at_, "a batch reaches beyond the end");
  next_ = at_ + header_.bytes;
  return true;
}

void SegmentIndex::extend(const File& file, std::int64_t bytes, const std::vector<AbortedRange>* aborted) {
  BatchWalker walker(file, covered_, bytes);
  while (walker.step()) {
    const BatchHeader& batch = walker.header();
    if (entries_.empty() || walker.at() - entries_.back().byte >= kEntryBytes) {
      const auto max = entries_.empty() ? std::numeric_limits<std::int64_t>::min() : entries_.back().max_timestamp_ms;
      entries_.push_back({batch.base_offset, walker.at(), max});
    }
    covered_ = walker.at() + batch.bytes;
    if (batch.is_control() || batch.records == 0) continue;
    if (batch.is_transactional() && is_aborted(aborted, batch.producer_id, batch.base_offset)) continue;
    entries_.back().max_timestamp_ms = std::max(entries_.back().max_timestamp_ms, batch.max_timestamp_ms);
  }
}

std::int64_t SegmentIndex::byte_before(std::int64_t offset) const {
  auto behind = std::upper_bound(entries_.begin(), entries_.end(), offset,
                                 [](std::int64_t wanted, const Entry& entry) { return wanted < entry.offset; });
  return behind == entries_.begin() ? 0 : std::prev(behind)->byte;
}

std::int64_t SegmentIndex::byte_before_time(std::int64_t timestamp_ms) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), timestamp_ms,
                       [](const Entry& entry, std::int64_t wanted) { return entry.max_timestamp_ms < wanted; });
  return found == entries_.end() ? -1 : found->byte;
}

}  // namespace kappa::detail
