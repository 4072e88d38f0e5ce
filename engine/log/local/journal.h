// kappa/engine/log/local/journal.h: the file that says what the log holds; a commit is real when its record is whole.
//
// `journal/journal` is a header (magic, version), a snapshot, then records: length of the payload (u32), CRC-32C of all
// that follows it (u32), sequence (u64), kind (u8), payload; integers little-endian. Records are only added at the end.
// A journal that grew too large is replaced, by rename, by a new one that starts with a snapshot; whoever has the old
// one open reads it to its end and then sees that the name means another file.
//
// An incomplete record at the end is a commit that never happened: readers stop in front of it, the next writer cuts
// it. A bad record with good ones behind it is damage, and an error.
//
// Threads:  not safe; LogCore guards it. Writing methods need the log's file lock too.
// Errors:   kappa::Error `failed`, naming file and byte.
#pragma once

#include <cstdint>
#include <string>

#include "kappa/engine/log/local/file.h"
#include "kappa/engine/log/local/journal_state.h"

namespace kappa::detail {

class Journal {
 public:
  /// Borrows `directory`, that of the journal.
  explicit Journal(const Directory& directory) : directory_(directory) {}

  /// False if there is none yet.
  [[nodiscard]] bool exists() const { return directory_.inode_of("journal") != 0; }
  /// Applies what was added since the last call; true if anything was.
  bool refresh(JournalState& state);

  // The rest is for the holder of the file lock, after a refresh().

  /// Removes an incomplete record at the end.
  void cut_torn_tail();
  /// Writes one record in one piece. It is real when this returns, and lasts when sync() was true after it.
  void append(const JournalState& state, JournalKind kind, std::string_view payload);
  [[nodiscard]] bool sync() const { return file_.sync(); }
  /// Makes the first journal, or replaces it by one that starts with a snapshot of `state`; false, with errno, if a
  /// sync failed.
  [[nodiscard]] bool roll(const JournalState& state, bool sync);
  /// Bytes of whole records, and how many of them the snapshot at the front takes.
  [[nodiscard]] std::int64_t size() const { return valid_end_; }
  [[nodiscard]] std::int64_t snapshot_size() const { return snapshot_end_; }

 private:
  bool read_added(JournalState& state);
  bool reopen_if_replaced();
  std::size_t apply_whole_records(JournalState& state, std::string_view bytes);
  void check_tail(const JournalState& state, std::int64_t size);
  [[nodiscard]] bool has_good_record_behind(const JournalState& state, std::int64_t size) const;

  const Directory& directory_;
  File file_;
  std::int64_t valid_end_ = 0;
  std::int64_t snapshot_end_ = 0;
  std::int64_t checked_tail_end_ = 0;
  std::string buffer_;
};

}  // namespace kappa::detail
