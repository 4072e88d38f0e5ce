// kappa/engine/log/local/log_core.h: what the parts of the embedded log share: its directory, the journal and its
// state, the commit.
//
//   DIR/lock                          the commit lock; names its holder
//   DIR/journal/journal               see journal.h
//   DIR/topics/TOPIC/P/BASE.log       segments: RecordBatch v2, BASE in 20 digits
//   DIR/locks/GROUP                   one lock per group that runs
//   DIR/staging/                      large commits before their time; files without a name, but for a moment
//
// Threads:  safe. mutex_ guards state and journal reading; the file lock orders writers of all threads and processes.
//           The mutex is not held while data is written or synced, so a commit does not stop readers.
// Errors:   kappa::Error. After a failed sync everything that writes is refused: what the disk holds is unknown then.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/log/local/file.h"
#include "kappa/engine/log/local/journal.h"
#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/log/local/segment_index.h"

namespace kappa::detail {

/// The records of a commit for one partition: finished batches, that only lack their offsets.
class PartitionAppend {
 public:
  virtual ~PartitionAppend() = default;
  [[nodiscard]] virtual const TopicPartition& at() const = 0;
  [[nodiscard]] virtual std::int64_t records() const = 0;
  /// Writes the batches with offsets from `base` on to `file` at `byte`; how many bytes that was.
  virtual std::int64_t write(const File& file, std::int64_t byte, std::int64_t base) = 0;
};

struct CommitRequest {
  std::vector<PartitionAppend*> parts;
  std::string transactional_id;
  std::int64_t epoch = 0;
  std::string group;
  std::span<const Position> positions;
};

/// One segment as a reader needs it.
struct SegmentView {
  Segment segment;
  bool exists = false;
  bool is_last = false;
  std::int64_t end_offset = 0;  // of the partition
};

class LogCore {
 public:
  explicit LogCore(LocalLogOptions options);

  /// Reads what the journal says now; its last sequence.
  std::uint64_t refresh();
  /// Calls `look` with the state as last refreshed, under the mutex: quick looks only.
  template <typename Look>
  auto with_state(Look&& look) {
    const std::lock_guard lock(mutex_);
    return look(std::as_const(state_));
  }
  /// A copy; refused if there is no such topic or partition.
  [[nodiscard]] PartitionState partition(const TopicPartition& at);
  [[nodiscard]] SegmentView segment(const TopicPartition& at, std::size_t index);
  [[nodiscard]] Directory partition_directory(const TopicPartition& at) const;
  /// Calls `use` with the index of a segment up to its visible end; one call at a time.
  void with_index(const TopicPartition& at, const Segment& segment, const PartitionState& state,
                  const std::function<void(const SegmentIndex&, const File&)>& use);

  void commit(const CommitRequest& request);
  void create_topic(const std::string& name, std::int32_t partitions);
  void forget_group(const std::string& group);
  /// The epoch of a new producer of this id; older ones are fenced by it.
  [[nodiscard]] std::int64_t next_epoch(const std::string& transactional_id);
  [[nodiscard]] AdoptReport adopt(const TopicPartition& at, std::span<const std::filesystem::path> files);

  [[nodiscard]] const LocalLogOptions& options() const { return options_; }
  [[nodiscard]] const Directory& journal_directory() const { return journal_directory_; }
  [[nodiscard]] const Directory& locks_directory() const { return locks_directory_; }
  [[nodiscard]] const Directory& staging_directory() const { return staging_directory_; }

 private:
  struct Touched;

  /// The right to write: the file lock, a journal read to its end, and no remains of a crashed writer in it.
  [[nodiscard]] FileLock begin_writing();
  void create_first_journal();
  void roll_if_large();
  void append_record(JournalKind kind, std::string_view payload);
  CommitPart write_part(PartitionAppend& part, std::vector<Touched>& touched);
  void sync_data(const File& file);
  void sync_names(const Directory& directory);
  [[noreturn]] void poison(const std::string& path);
  void check_not_poisoned() const;

  LocalLogOptions options_;
  Directory root_, journal_directory_, locks_directory_, staging_directory_, topics_directory_;

  std::mutex mutex_;
  Journal journal_;
  JournalState state_;
  std::atomic<bool> poisoned_{false};

  std::mutex index_mutex_;
  std::map<std::pair<TopicPartition, std::int64_t>, SegmentIndex> indexes_;
};

[[nodiscard]] std::string segment_name(std::int64_t base);

}  // namespace kappa::detail
