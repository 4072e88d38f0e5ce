// kappa/engine/log/local/local_producer.h: collects the records of a commit to the embedded log.
//
// Threads:  belongs to one thread.
// Owns:     the pending batches, and the private file that holds those of a large commit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kappa/engine/log/batch_builder.h"
#include "kappa/engine/log/local/log_core.h"

namespace kappa::detail {

/// The pending records of one partition: in memory, behind those that were moved to the staging file.
class PendingPart : public PartitionAppend {
 public:
  PendingPart(TopicPartition at, std::int64_t batch_bytes) : at_(std::move(at)), builder_(batch_bytes) {}

  [[nodiscard]] BatchBuilder& builder() { return builder_; }
  /// Moves what is in memory to the end of `staging`; its new size.
  std::int64_t stage(const File& staging, std::int64_t size);
  void clear();

  [[nodiscard]] const TopicPartition& at() const override { return at_; }
  [[nodiscard]] std::int64_t records() const override { return staged_records_ + builder_.records(); }
  std::int64_t write(const File& file, std::int64_t byte, std::int64_t base) override;

 private:
  std::int64_t write_staged(const File& file, std::int64_t byte, std::int64_t base);

  struct Extent {
    std::int64_t at = 0, bytes = 0;
  };

  TopicPartition at_;
  BatchBuilder builder_;
  const File* staging_ = nullptr;
  std::vector<Extent> staged_;
  std::int64_t staged_records_ = 0;
};

class LocalProducer : public Producer {
 public:
  LocalProducer(LogCore& core, std::string transactional_id);

  void append(const TopicPartition& to, std::span<const OutRecord> records) override;
  [[nodiscard]] std::int64_t pending_bytes() const override { return memory_bytes_ + staged_bytes_; }
  [[nodiscard]] CommitOutcome commit(const std::string& group, std::span<const Position> positions) override;
  void abort() override;

 private:
  void stage_all();

  LogCore& core_;
  std::string transactional_id_;
  std::int64_t epoch_ = 0;
  std::map<TopicPartition, PendingPart> parts_;
  File staging_;
  std::int64_t memory_bytes_ = 0, staged_bytes_ = 0;
};

}  // namespace kappa::detail
