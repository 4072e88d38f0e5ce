// kappa/engine/log/local/journal_state.h: what the journal's records say, and how they are laid out in bytes.
//
// Payloads are made of zigzag varints and of texts (length, bytes); a record's frame is journal.h's.
//   topic     name, partitions
//   commit    n × (topic, partition, end offset, segment, segment's visible bytes), group, n × position
//   forget    group
//   producer  transactional id, epoch
//   adopt     topic, partition, start, end, n × (segment, bytes), n × aborted range
//   snapshot  everything: topics with their partitions, groups, producers
//
// Threads:  values; share nothing.
// Errors:   apply() is false for a payload that makes no sense.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa::detail {

/// A file of a partition and how much of it may be read; its name is its base offset.
struct Segment {
  std::int64_t base = 0;
  std::int64_t bytes = 0;
  bool is_adopted = false;  // a broker's: never written again
};

/// Batches of this producer with base offsets in [first, last] were aborted.
struct AbortedRange {
  std::int64_t producer_id = 0, first = 0, last = 0;
};

struct PartitionState {
  std::int64_t start = 0, end = 0;
  std::vector<Segment> segments;  // by base; only the last one grows
  /// Shared with the readers that are open; by producer, then first. Null if there is none.
  std::shared_ptr<const std::vector<AbortedRange>> aborted;
};

using GroupPositions = std::map<TopicPartition, Position>;

enum class JournalKind : std::uint8_t { snapshot = 1, topic = 2, commit = 3, forget = 4, producer = 5, adopt = 6 };

struct CommitPart {
  TopicPartition at;
  std::int64_t end = 0;
  std::int64_t segment = 0;
  std::int64_t bytes = 0;
};

struct JournalState {
  std::uint64_t sequence = 0;  // of the last record applied
  std::map<std::string, std::vector<PartitionState>> topics;
  std::map<std::string, GroupPositions> groups;
  std::map<std::string, std::int64_t> producer_epochs;

  [[nodiscard]] bool apply(JournalKind kind, std::string_view payload);
  /// Null if there is no such partition.
  [[nodiscard]] const PartitionState* find(const TopicPartition& at) const;
};

[[nodiscard]] std::string snapshot_payload(const JournalState& state);
[[nodiscard]] std::string topic_payload(const std::string& name, std::int32_t partitions);
[[nodiscard]] std::string commit_payload(const std::vector<CommitPart>& parts, const std::string& group,
                                         std::span<const Position> positions);
[[nodiscard]] std::string forget_payload(const std::string& group);
[[nodiscard]] std::string producer_payload(const std::string& transactional_id, std::int64_t epoch);
/// `added` holds the new segments and aborted ranges only.
[[nodiscard]] std::string adopt_payload(const TopicPartition& at, const PartitionState& added);

/// Is a transactional batch of this producer, at this base offset, part of an aborted transaction?
[[nodiscard]] bool is_aborted(const std::vector<AbortedRange>* ranges, std::int64_t producer_id, std::int64_t base);

}  // namespace kappa::detail
