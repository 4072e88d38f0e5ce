#include "kappa/engine/log/local/local_producer.h"

#include <algorithm>
#include <atomic>

#include <unistd.h>

#include "kappa/engine/error.h"
#include "kappa/engine/log/record_batch.h"
#include "kappa/engine/log/varint.h"

namespace kappa::detail {
namespace {

constexpr std::size_t kMetadataBytesMax = 4096;  // a broker's bound (offset.metadata.max.bytes)

/// A file without a name: it goes with its descriptor, whatever happens to the process.
File open_private_file(const Directory& directory) {
  static std::atomic<std::uint64_t> count{0};
  const std::string name = std::to_string(::getpid()) + "-" + std::to_string(++count);
  File file = directory.open(name, OpenMode::create_empty);
  directory.remove(name);
  return file;
}

}  // namespace

std::int64_t PendingPart::stage(const File& staging, std::int64_t size) {
  builder_.finish();
  const auto bytes = static_cast<std::int64_t>(builder_.bytes().size());
  if (bytes == 0) return size;
  staging.write_at(builder_.bytes(), size);
  staging_ = &staging;
  staged_.push_back({size, bytes});
  staged_records_ += builder_.records();
  builder_.clear();
  return size + bytes;
}

void PendingPart::clear() {
  builder_.clear();
  staged_.clear();
  staged_records_ = 0;
}

std::int64_t PendingPart::write(const File& file, std::int64_t byte, std::int64_t base) {
  const std::int64_t staged = write_staged(file, byte, base);
  builder_.finish();
  builder_.rebase(base + staged_records_);
  file.write_at(builder_.bytes(), byte + staged);
  return staged + static_cast<std::int64_t>(builder_.bytes().size());
}

std::int64_t PendingPart::write_staged(const File& file, std::int64_t byte, std::int64_t base) {
  std::int64_t written = 0;
  std::string piece;
  for (const Extent& extent : staged_) {
    piece.resize(static_cast<std::size_t>(extent.bytes));
    if (staging_->read_at(piece.data(), extent.bytes, extent.at) != extent.bytes) {
      fail("the staged commit " + staging_->path() + " is cut");
    }
    for (std::size_t at = 0; at < piece.size();) {
      BatchHeader header;
      const char* problem = parse_batch_header(piece.data() + at, header);
      if (problem != nullptr) fail("the staged commit " + staging_->path() + " is damaged: " + problem);
      store_big_endian<std::int64_t>(piece.data() + at, base);
      base += header.records;
      at += static_cast<std::size_t>(header.bytes);
    }
    file.write_at(piece, byte + written);
    written += extent.bytes;
  }
  return written;
}

LocalProducer::LocalProducer(LogCore& core, std::string transactional_id)
    : core_(core), transactional_id_(std::move(transactional_id)) {
  if (!transactional_id_.empty()) epoch_ = core_.next_epoch(transactional_id_);
}

void LocalProducer::append(const TopicPartition& to, std::span<const OutRecord> records) {
  auto part = parts_.find(to);
  if (part == parts_.end()) {
    static_cast<void>(core_.partition(to));  // refused if there is none
    part = parts_.try_emplace(to, to, core_.options().batch_bytes).first;
  }
  BatchBuilder& builder = part->second.builder();
  const std::size_t before = builder.bytes().size();
  for (const OutRecord& record : records) builder.add(record);
  memory_bytes_ += static_cast<std::int64_t>(builder.bytes().size() - before);
  if (memory_bytes_ > core_.options().staged_bytes) stage_all();
}

void LocalProducer::stage_all() {
  if (!staging_.is_open()) staging_ = open_private_file(core_.staging_directory());
  for (auto& [at, part] : parts_) staged_bytes_ = part.stage(staging_, staged_bytes_);
  memory_bytes_ = 0;
}

CommitOutcome LocalProducer::commit(const std::string& group, std::span<const Position> positions) {
  for (const Position& position : positions) {
    if (position.metadata.size() <= kMetadataBytesMax) continue;
    refuse("the metadata of the position in " + to_string(position.at) + " has " +
           std::to_string(position.metadata.size()) + " bytes; 4096 are possible");
  }
  if (!positions.empty()) check_name("group", group);
  CommitRequest request{{}, transactional_id_, epoch_, group, positions};
  for (auto& [at, part] : parts_) {
    part.builder().finish();
    if (part.records() > 0) request.parts.push_back(&part);
  }
  if (request.parts.empty() && positions.empty()) return CommitOutcome::committed;
  core_.commit(request);
  abort();
  return CommitOutcome::committed;
}

void LocalProducer::abort() {
  for (auto& [at, part] : parts_) part.clear();
  memory_bytes_ = staged_bytes_ = 0;
  if (staging_.is_open()) staging_ = File();
}

}  // namespace kappa::detail
