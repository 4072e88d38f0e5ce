// kappa/engine/log/local/local_log.h: the embedded log: topics in a directory, for one machine, any number of
// processes.
//
// Files are Kafka's segments; one journal says what of them is committed (docs/FORMAT.md has the bytes). Nothing is
// ever deleted. Killing a process at any moment leaves each commit either whole or invisible; so does a power failure,
// while sync_on_commit is true.
//
// Threads:  as Log: the log from any thread, a reader or producer from one.
// Errors:   as Log. A commit that cannot get the lock names the process that holds it. After a failed sync of a file
//           every later write of this object is refused: open the log anew to see what was committed.
// Example:  auto log = kappa::open_local_log({.directory = "kappa-data/log"});
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "kappa/engine/log.h"

namespace kappa {

struct LocalLogOptions {
  std::filesystem::path directory;
  /// Make the directory if there is none; else that is refused.
  bool create = true;
  /// Wait for the disk at every commit (`log.sync = commit`); without it a power failure may lose commits, a kill
  /// cannot.
  bool sync_on_commit = true;
  /// How long a commit waits for others.
  std::chrono::milliseconds lock_wait{30'000};
  /// A segment that has reached this size gets a successor at the next commit.
  std::int64_t segment_bytes = 128 << 20;
  /// A journal that has reached this size is replaced by one that starts with a snapshot.
  std::int64_t journal_bytes = 64 << 20;
  /// A producer with more pending bytes than this moves them to a private file.
  std::int64_t staged_bytes = 64 << 20;
  /// Size of the batches written, and of the pieces read.
  std::int64_t batch_bytes = 128 << 10;
  std::int64_t read_bytes = 1 << 20;
};

/// What an adoption found.
struct AdoptReport {
  std::int64_t start_offset = 0, end_offset = 0;
  std::int64_t bytes = 0;
  std::int64_t records = 0;          // that readers will see
  std::int64_t aborted_records = 0;  // of aborted transactions, and of those still open at the end
  std::int64_t control_records = 0;
  std::int64_t open_transactions = 0;
  std::int64_t cut_bytes = 0;  // of an incomplete batch at the end of the last file
};

class LocalLog : public Log {
 public:
  /// Copies a broker's segment files (`*.log`, format v2) behind what the partition holds; an empty partition starts
  /// where they start. Control records, aborted transactions and gaps are honoured as a read_committed consumer would.
  /// Refused, with file and byte, if a batch is damaged or offsets run backwards.
  virtual AdoptReport adopt_segments(const TopicPartition& at, std::span<const std::filesystem::path> files) = 0;
};

[[nodiscard]] std::unique_ptr<LocalLog> open_local_log(LocalLogOptions options);

}  // namespace kappa
