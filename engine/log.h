// kappa/engine/log.h: the contract between the engine and an immutable, partitioned log (Kafka, the embedded log, a
// simulation).
//
// Offsets are Kafka's: 64-bit, dense but for gaps (control records, aborted or compacted ones). `end` is always the
// offset after the last one that a reader may see now; `start` the first one kept. Record timestamps are milliseconds.
//
// Threads:  a Log may be used from any thread; a Reader and a Producer belong to one thread each.
// Owns:     readers and producers borrow the Log, which outlives them. A RecordBlock keeps the memory of its views.
// Errors:   kappa::Error. `refused` for what does not exist (topic, partition, offset below the start), `failed` for
//           I/O and damage; the message names topic-partition-offset or the file. LogUnavailable (engine/error.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/group.h"

namespace kappa {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};
/// "bids-3".
[[nodiscard]] inline std::string to_string(const TopicPartition& at) {
  return at.topic + "-" + std::to_string(at.partition);
}

/// One record inside a block. A null pointer means a null key or value; an empty one is not null.
struct RecordView {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  const char* key_data = nullptr;
  const char* value_data = nullptr;
  /// The record's headers as RecordBatch v2 lays them out (varint count, then key and value of each); never null.
  const char* headers_data = nullptr;
  std::int32_t key_size = 0, value_size = 0, headers_size = 0;

  [[nodiscard]] std::string_view key() const { return {key_data, static_cast<std::size_t>(key_size)}; }
  [[nodiscard]] std::string_view value() const { return {value_data, static_cast<std::size_t>(value_size)}; }
  [[nodiscard]] bool key_is_null() const { return key_data == nullptr; }
  [[nodiscard]] bool value_is_null() const { return value_data == nullptr; }
};

struct Header {
  std::string_view name;
  std::string_view value;
  bool value_is_null = false;
};
/// Decodes `RecordView::headers_data`; the views live as long as the record's block.
[[nodiscard]] std::vector<Header> headers_of(const RecordView& record);
/// The last header of this name, as Kafka's clients give it.
[[nodiscard]] std::optional<Header> header_of(const RecordView& record, std::string_view name);

/// Records of one partition in offset order, and the memory they point into. Values are readable 64 bytes past their
/// end.
struct RecordBlock {
  std::vector<RecordView> records;
  /// Several blocks and batches may share one piece of read memory; reset when the block is filled anew.
  std::vector<std::shared_ptr<const void>> memory;
};

/// Reads one partition, from an offset on, to the end and beyond (tailing).
class Reader {
 public:
  virtual ~Reader() = default;
  /// Replaces the contents of `block` by up to `records_max` records below offset `before`; leaves it empty when there
  /// is none to read now. Never blocks longer than one read from disk or one request. What was committed after the
  /// reader was opened comes at the latest once wait() has returned for it, or once `before` lies beyond it.
  virtual void read(RecordBlock& block, std::int64_t records_max, std::int64_t before) = 0;
  /// The next offset to be read; passes gaps and control records, so it reaches the end that it is compared with.
  [[nodiscard]] virtual std::int64_t position() const = 0;
  /// Some open transaction has written behind the position, as far as is known without asking anybody.
  [[nodiscard]] virtual bool is_in_front_of_open() const { return false; }
  /// For who has other partitions to read: from now on read() finds nothing where records are still on their way.
  virtual void never_wait() {}
  /// The last read found nothing, but there is more.
  [[nodiscard]] virtual bool is_waiting() const { return false; }
  /// For who does not look at headers: from now on records may come as if they had none. Some logs pay for each.
  virtual void leave_out_headers() {}
};

struct OutRecord {
  std::string_view key, value;
  bool key_is_null = false, value_is_null = false;
  std::int64_t timestamp_ms = 0;
  std::span<const Header> headers;
};

/// Where a reader of `partition` goes on after a restart, and what it wants to remember of that point (ASCII, ≤ 4096
/// bytes).
struct Position {
  TopicPartition at;
  std::int64_t offset = 0;
  std::string metadata;
};

enum class CommitOutcome : std::uint8_t {
  committed,
  aborted,  // nothing of it will ever be seen; make a new producer
  unknown,  // destroy the producer, make a new one, read the committed positions, recover
};

/// Collects outputs and makes them visible together with positions, atomically: all of a commit or nothing.
class Producer {
 public:
  virtual ~Producer() = default;
  /// Copies the records. They become visible, in the order of the calls per partition, by the next commit().
  virtual void append(const TopicPartition& to, std::span<const OutRecord> records) = 0;
  /// Bytes appended since the last commit; the caller commits before this exceeds its bound.
  [[nodiscard]] virtual std::int64_t pending_bytes() const = 0;
  /// `positions` are those of `group`. With nothing appended and no position given, does nothing.
  [[nodiscard]] virtual CommitOutcome commit(const std::string& group, std::span<const Position> positions) = 0;
  /// Forgets what was appended since the last commit.
  virtual void abort() = 0;
  /// Where records are visible before commit(): returns once they cannot be lost any more.
  virtual void settle() {}
};

struct TopicInfo {
  std::string name;
  std::int32_t partitions = 0;
};

/// Held while a run of an application may commit; released by the destructor or the end of the process.
class RunLock {
 public:
  virtual ~RunLock() = default;
};

class Log {
 public:
  virtual ~Log() = default;

  [[nodiscard]] virtual std::vector<TopicInfo> topics() = 0;
  [[nodiscard]] virtual std::optional<TopicInfo> topic(const std::string& name) = 0;
  /// Creates it for good. Refused if it exists with another number of partitions; does nothing if it exists with this
  /// one. Names are Kafka's: 1–249 of [A-Za-z0-9._-], not "." or "..".
  virtual void create_topic(const std::string& name, std::int32_t partitions) = 0;

  [[nodiscard]] virtual std::int64_t start_offset(const TopicPartition& at) = 0;
  [[nodiscard]] virtual std::int64_t end_offset(const TopicPartition& at) = 0;
  /// The first offset whose record timestamp is ≥ `timestamp_ms` (later ones may be smaller); none if there is no such
  /// record.
  [[nodiscard]] virtual std::optional<std::int64_t> offset_at(const TopicPartition& at, std::int64_t timestamp_ms) = 0;
  /// Bytes of the log between two offsets, rounded to what the storage knows; for plans and progress.
  [[nodiscard]] virtual std::int64_t bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) = 0;

  /// `from` must lie in [start, end].
  [[nodiscard]] virtual std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) = 0;
  /// `transactional_id` names the producer in the log; a newer producer of the same id fences the older one. It commits
  /// positions as `member`, which outlives it, so long as that has not lost its partitions; null: as no member.
  [[nodiscard]] virtual std::unique_ptr<Producer> open_producer(const std::string& transactional_id,
                                                                const Membership* member = nullptr) = 0;
  /// Null where the log has no groups: then lock_is_exclusive().
  [[nodiscard]] virtual std::unique_ptr<Membership> join_group(const GroupMember& member) = 0;

  /// What the last commits of `group` said, per partition.
  [[nodiscard]] virtual std::map<TopicPartition, Position> committed(const std::string& group) = 0;
  /// Forgets the positions of a group (a finished or discarded replay).
  virtual void forget_group(const std::string& group) = 0;
  /// Refused, naming the holder, while another process (or another lock of this one) holds the group.
  [[nodiscard]] virtual std::unique_ptr<RunLock> lock_group(const std::string& group) = 0;
  /// Whether lock_group() keeps out every other run. If not, only a newer producer stops the commits of an older one,
  /// so producers are opened before committed() is read.
  [[nodiscard]] virtual bool lock_is_exclusive() const { return true; }

  /// Returns when something may have been committed since the last call of this thread, when wake() is called, or after
  /// `timeout`, whichever is first. Spurious returns are allowed.
  virtual void wait(std::chrono::milliseconds timeout) = 0;
  /// Ends all current wait() calls, and the next one of each thread that waits; a read() that waits for the network
  /// returns with what it has.
  virtual void wake() = 0;
};

}  // namespace kappa
