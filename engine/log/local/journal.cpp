#include "kappa/engine/log/local/journal.h"

#include <algorithm>
#include <cstring>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/log/crc32c.h"

namespace kappa::detail {
namespace {

constexpr std::string_view kMagic("kappalog\1\0\0\0\0\0\0\0", 16);  // the byte behind the letters is the version
constexpr std::size_t kFrameBytes = 17;
constexpr std::uint32_t kPayloadBytesMax = std::uint32_t{1} << 30;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr const char* kName = "journal";
constexpr const char* kNewName = "journal.new";

template <typename T>
T load(const char* p) {
  T value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

std::string frame(std::uint64_t sequence, JournalKind kind, std::string_view payload) {
  if (payload.size() > kPayloadBytesMax) fail("a journal record of more than 1 GB: too many partitions or groups");
  std::string out(kFrameBytes, '\0');
  out.append(payload);
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::memcpy(out.data(), &size, 4);
  std::memcpy(out.data() + 8, &sequence, 8);
  out[16] = static_cast<char>(kind);
  const std::uint32_t crc = crc32c(out.data() + 8, out.size() - 8, size);
  std::memcpy(out.data() + 4, &crc, 4);
  return out;
}

enum class Whole : std::uint8_t { yes, cut, bad };

/// Is there a whole record at the front of `bytes`? Sequences go up by one, but for the snapshot of a new journal.
Whole examine(std::string_view bytes) {
  if (bytes.size() < kFrameBytes) return Whole::cut;
  const auto size = load<std::uint32_t>(bytes.data());
  if (size > kPayloadBytesMax) return Whole::bad;
  if (bytes.size() < kFrameBytes + size) return Whole::cut;
  const auto crc = load<std::uint32_t>(bytes.data() + 4);
  return crc32c(bytes.data() + 8, kFrameBytes - 8 + size, size) == crc ? Whole::yes : Whole::bad;
}

}  // namespace

bool Journal::refresh(JournalState& state) {
  bool changed = false;
  do {
    if (file_.is_open()) changed |= read_added(state);
  } while (reopen_if_replaced());
  return changed;
}

bool Journal::reopen_if_replaced() {
  const std::uint64_t inode = directory_.inode_of(kName);
  if (file_.is_open() && inode == file_.inode()) return false;
  if (inode == 0) fail("the journal " + directory_.path() + "/" + kName + " is gone; restore the log's directory");
  File fresh = directory_.open(kName, OpenMode::write);
  std::string magic(kMagic.size(), '\0');
  if (fresh.read_at(magic.data(), static_cast<std::int64_t>(magic.size()), 0) != 16 || magic != kMagic) {
    fail(fresh.path() + " is no journal of this version of kappa (byte 0)");
  }
  file_ = std::move(fresh);
  valid_end_ = static_cast<std::int64_t>(kMagic.size());
  snapshot_end_ = 0;
  checked_tail_end_ = 0;
  return true;
}

bool Journal::read_added(JournalState& state) {
  const std::uint64_t sequence = state.sequence;
  if (buffer_.size() < kReadBytes) buffer_.resize(kReadBytes);
  for (;;) {
    const auto room = static_cast<std::int64_t>(buffer_.size());
    const std::int64_t got = file_.read_at(buffer_.data(), room, valid_end_);
    if (got == 0) break;
    const std::size_t used = apply_whole_records(state, {buffer_.data(), static_cast<std::size_t>(got)});
    if (got < room) {
      if (used < static_cast<std::size_t>(got)) check_tail(state, valid_end_ - static_cast<std::int64_t>(used) + got);
      break;
    }
    if (used > 0) continue;
    const std::size_t needed = kFrameBytes + load<std::uint32_t>(buffer_.data());
    if (needed <= buffer_.size() || needed > kPayloadBytesMax) {
      check_tail(state, file_.size());
      break;
    }
    buffer_.resize(std::min(needed, static_cast<std::size_t>(file_.size())));
    if (needed > buffer_.size()) {
      check_tail(state, file_.size());
      break;
    }
  }
  if (buffer_.size() > kReadBytes * 64) std::string().swap(buffer_);
  return state.sequence != sequence;
}

std::size_t Journal::apply_whole_records(JournalState& state, std::string_view bytes) {
  std::size_t used = 0;
  while (examine(bytes.substr(used)) == Whole::yes) {
    const std::string_view record = bytes.substr(used);
    const auto size = load<std::uint32_t>(record.data());
    const auto sequence = load<std::uint64_t>(record.data() + 8);
    const auto kind = static_cast<JournalKind>(record[16]);
    const std::string where = file_.path() + " (byte " + std::to_string(valid_end_) + ")";
    const bool is_first = snapshot_end_ == 0;
    if (is_first ? kind != JournalKind::snapshot || sequence <= state.sequence : sequence != state.sequence + 1) {
      fail("the journal " + where +
           " does not go on from what was read before: was the directory replaced while in use?");
    }
    if (!state.apply(kind, record.substr(kFrameBytes, size))) {
      fail("the journal " + where + " holds a record that makes no sense; restore the log's directory from a copy");
    }
    state.sequence = sequence;
    used += kFrameBytes + size;
    valid_end_ += static_cast<std::int64_t>(kFrameBytes + size);
    if (is_first) snapshot_end_ = valid_end_;
  }
  return used;
}

// What follows the last whole record up to `size`. Another process may be writing it now, or cutting it, so that a
// first look may mix two states of the file: only what looks damaged repeatedly is.
void Journal::check_tail(const JournalState& state, std::int64_t size) {
  if (size == checked_tail_end_) return;
  bool is_damaged = snapshot_end_ == 0;  // a journal is published whole, so its snapshot is never torn
  for (int look = 0; !is_damaged && look < 3; ++look) {
    if (!has_good_record_behind(state, size)) {
      checked_tail_end_ = size;
      return;
    }
    is_damaged = look == 2;
  }
  fail("the journal " + file_.path() + " is damaged at byte " + std::to_string(valid_end_) +
       ": a bad record, and good ones behind it; restore the log's directory from a copy");
}

bool Journal::has_good_record_behind(const JournalState& state, std::int64_t size) const {
  constexpr std::uint64_t kAheadMax = 1 << 20;
  std::string tail(static_cast<std::size_t>(std::max<std::int64_t>(size - valid_end_, 0)), '\0');
  tail.resize(static_cast<std::size_t>(file_.read_at(tail.data(), static_cast<std::int64_t>(tail.size()), valid_end_)));
  // A whole record at the very front is no damage: it was finished meanwhile.
  if (examine(tail) == Whole::yes) return false;
  for (std::size_t at = 1; at + kFrameBytes <= tail.size(); ++at) {
    const auto sequence = load<std::uint64_t>(tail.data() + at + 8);
    if (sequence <= state.sequence || sequence - state.sequence > kAheadMax) continue;
    if (examine(std::string_view(tail).substr(at)) == Whole::yes) return true;
  }
  return false;
}

void Journal::cut_torn_tail() {
  if (file_.size() > valid_end_) file_.truncate(valid_end_);
  checked_tail_end_ = 0;
}

void Journal::append(const JournalState& state, JournalKind kind, std::string_view payload) {
  const std::string record = frame(state.sequence + 1, kind, payload);
  if (KAPPA_KILL_REACHED("log.commit.half-journal")) {
    file_.write_at(std::string_view(record).substr(0, record.size() / 2), valid_end_);
    KAPPA_KILL_NOW();
  }
  try {
    if (KAPPA_FAULT("log.journal.write")) fail("cannot write " + file_.path() + ": a fault was asked for");
    file_.write_at(record, valid_end_);
  } catch (const Error&) {
    cut_torn_tail();  // a full disk: nothing of the record may stay
    throw;
  }
}

bool Journal::roll(const JournalState& state, bool sync) {
  const std::string record = frame(state.sequence + 1, JournalKind::snapshot, snapshot_payload(state));
  const File fresh = directory_.open(kNewName, OpenMode::create_empty);
  fresh.write_at(std::string(kMagic) + record, 0);
  if (sync && !fresh.sync()) return false;
  KAPPA_KILL_POINT("log.journal.roll");
  directory_.rename(kNewName, kName);
  KAPPA_KILL_POINT("log.journal.roll");
  return !sync || directory_.sync();
}

}  // namespace kappa::detail
