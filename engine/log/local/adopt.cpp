// Adoption: a broker's segment files become segments of ours, after every batch of them was decoded once.
#include <algorithm>
#include <cstring>
#include <map>

#include <fcntl.h>

#include "kappa/engine/error.h"
#include "kappa/engine/log/local/log_core.h"
#include "kappa/engine/log/record_batch.h"

namespace kappa::detail {
namespace {

constexpr std::int64_t kBatchBytesMax = std::int64_t{1} << 30;

/// A transaction whose marker was not met yet.
struct OpenTransaction {
  std::int64_t first = 0, last = 0;
  std::int64_t records = 0;
};

/// What was learnt from the batches so far, over all files.
class Adoption {
 public:
  explicit Adoption(std::int64_t end) : end_(end) {}

  /// Takes one whole batch, readable kBatchPadding bytes past its end; null if it is right.
  const char* add(const BatchHeader& header, const char* data);
  /// Transactions without a marker are aborted: nobody will ever commit them here.
  void finish();

  [[nodiscard]] std::int64_t end() const { return end_; }
  AdoptReport report;
  std::vector<AbortedRange> aborted;

 private:
  const char* add_control(const BatchHeader& header);
  void abort(std::int64_t producer_id, const OpenTransaction& transaction);

  std::int64_t end_;
  std::map<std::int64_t, OpenTransaction> open_;
  BatchDecoder decoder_;
  std::vector<RecordView> records_;
};

const char* Adoption::add(const BatchHeader& header, const char* data) {
  if (header.base_offset < end_) return "its offsets lie before the end of what the partition holds already";
  if (const char* problem = decoder_.open(header, data)) return problem;
  end_ = header.last_offset() + 1;
  if (header.is_control()) return add_control(header);
  records_.clear();
  if (const char* problem = decoder_.read(records_, header.records, 0, end_)) return problem;
  report.records += header.records;
  if (!header.is_transactional()) return nullptr;
  OpenTransaction& transaction =
      open_.try_emplace(header.producer_id, OpenTransaction{header.base_offset, 0, 0}).first->second;
  transaction.last = header.base_offset;
  transaction.records += header.records;
  return nullptr;
}

const char* Adoption::add_control(const BatchHeader& header) {
  ControlKind kind = ControlKind::other;
  if (const char* problem = read_control(decoder_, kind)) return problem;
  report.control_records += header.records;
  if (kind == ControlKind::other) return nullptr;
  const auto found = open_.find(header.producer_id);
  if (found == open_.end()) return nullptr;
  if (kind == ControlKind::abort) abort(header.producer_id, found->second);
  open_.erase(found);
  return nullptr;
}

void Adoption::abort(std::int64_t producer_id, const OpenTransaction& transaction) {
  aborted.push_back({producer_id, transaction.first, transaction.last});
  report.aborted_records += transaction.records;
  report.records -= transaction.records;
}

void Adoption::finish() {
  report.open_transactions = static_cast<std::int64_t>(open_.size());
  for (const auto& [producer_id, transaction] : open_) abort(producer_id, transaction);
  std::sort(aborted.begin(), aborted.end(), [](const AbortedRange& a, const AbortedRange& b) {
    return std::pair(a.producer_id, a.first) < std::pair(b.producer_id, b.first);
  });
  report.end_offset = end_;
}

[[noreturn]] void refuse_file(const File& file, std::int64_t at, const char* problem) {
  refuse("cannot adopt " + file.path() + ": at byte " + std::to_string(at) + ": " + problem);
}

File open_foreign(const std::filesystem::path& path) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path.string());
  if (!file.is_open()) fail_on("open", path.string());
  return file;
}

/// One file of the broker, batch by batch.
class ForeignSegment {
 public:
  ForeignSegment(const std::filesystem::path& path, bool is_last)
      : file_(open_foreign(path)), stem_(path.stem().string()), size_(file_.size()), is_last_(is_last) {}

  /// Loads the next batch; false at the end. An incomplete batch, or zeros that the broker reserved, end the last file.
  bool next() {
    at_ += header_.bytes;
    header_ = {};
    if (at_ >= size_) return false;
    bytes_.resize(static_cast<std::size_t>(kBatchHeaderBytes));
    if (file_.read_at(bytes_.data(), kBatchHeaderBytes, at_) < kBatchHeaderBytes || is_zero_header()) return cut();
    if (const char* problem = parse_batch_header(bytes_.data(), header_)) refuse_file(file_, at_, problem);
    if (header_.bytes > size_ - at_) return cut();
    if (header_.bytes > kBatchBytesMax) refuse_file(file_, at_, "a batch of more than 1 GB");
    bytes_.resize(static_cast<std::size_t>(header_.bytes + kBatchPadding));
    return file_.read_at(bytes_.data(), header_.bytes, at_) == header_.bytes || cut();
  }
  /// The base offset that the file's name says, if it is one that its first batch allows.
  [[nodiscard]] std::int64_t base(std::int64_t first_offset) const {
    const bool is_number =
        stem_.size() == 20 && std::all_of(stem_.begin(), stem_.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number ||
        stem_ > std::string(20 - std::to_string(first_offset).size(), '0') + std::to_string(first_offset)) {
      return first_offset;
    }
    return std::stoll(stem_);
  }
  [[nodiscard]] const File& file() const { return file_; }
  [[nodiscard]] std::int64_t at() const { return at_; }
  [[nodiscard]] std::int64_t cut_bytes() const { return cut_; }
  [[nodiscard]] const BatchHeader& header() const { return header_; }
  [[nodiscard]] const char* data() const { return bytes_.data(); }

 private:
  [[nodiscard]] bool is_zero_header() const {
    return std::all_of(bytes_.begin(), bytes_.end(), [](char c) { return c == 0; });
  }
  bool cut() {
    if (!is_last_) refuse_file(file_, at_, "an incomplete batch, and more files behind it");
    cut_ = size_ - at_;
    header_ = {};
    return false;
  }

  File file_;
  std::string stem_;
  std::int64_t size_ = 0, at_ = 0, cut_ = 0;
  bool is_last_ = false;
  BatchHeader header_;
  std::string bytes_;
};

/// Copies one file into `directory`; a segment without bytes if the file has no batch.
Segment adopt_file(ForeignSegment& source, Adoption& adoption, const Directory& directory, File& target) {
  Segment segment{0, 0, true};
  while (source.next()) {
    const std::int64_t end_before = adoption.end();
    if (const char* problem = adoption.add(source.header(), source.data())) {
      refuse_file(source.file(), source.at(), problem);
    }
    if (segment.bytes == 0) {
      segment.base = std::max(end_before, source.base(source.header().base_offset));
      target = directory.open(segment_name(segment.base), OpenMode::create_empty);
    }
    const auto bytes = static_cast<std::size_t>(source.header().bytes);
    target.write_at({source.data(), bytes}, segment.bytes);
    segment.bytes += source.header().bytes;
  }
  return segment;
}

}  // namespace

AdoptReport LogCore::adopt(const TopicPartition& at, std::span<const std::filesystem::path> files) {
  const PartitionState before_lock = partition(at);  // refused early if there is none
  const auto writing = begin_writing();
  const PartitionState existing = partition(at);
  std::vector<std::filesystem::path> sorted(files.begin(), files.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.filename() < b.filename(); });
  const Directory directory = partition_directory(at);
  Adoption adoption(existing.end);
  PartitionState added;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    ForeignSegment source(sorted[i], i + 1 == sorted.size());
    File target;
    const Segment segment = adopt_file(source, adoption, directory, target);
    adoption.report.cut_bytes += source.cut_bytes();
    if (segment.bytes == 0) continue;
    sync_data(target);
    added.segments.push_back(segment);
    adoption.report.bytes += segment.bytes;
  }
  adoption.finish();
  const bool was_empty = existing.segments.empty();
  added.end = adoption.end();
  added.start = was_empty && !added.segments.empty() ? added.segments.front().base : existing.start;
  adoption.report.start_offset = added.start;
  if (added.segments.empty()) return adoption.report;
  if (!adoption.aborted.empty()) {
    added.aborted = std::make_shared<const std::vector<AbortedRange>>(std::move(adoption.aborted));
  }
  sync_names(directory);
  append_record(JournalKind::adopt, adopt_payload(at, added));
  return adoption.report;
}

}  // namespace kappa::detail
