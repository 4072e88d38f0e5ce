#include "kappa/engine/log/local/log_core.h"

#include <algorithm>
#include <set>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/kill_region.h"

namespace kappa::detail {

std::string segment_name(std::int64_t base) {
  std::string digits = std::to_string(base);
  return std::string(20 - digits.size(), '0') + digits + ".log";
}

struct LogCore::Touched {
  Directory directory;
  File file;
  bool is_new = false;
};

LogCore::LogCore(LocalLogOptions options)
    : options_(std::move(options)),
      root_(Directory::open_root(options_.directory, options_.create)),
      journal_directory_(root_.create_subdirectory("journal")),
      locks_directory_(root_.create_subdirectory("locks")),
      staging_directory_(root_.create_subdirectory("staging")),
      topics_directory_(root_.create_subdirectory("topics")),
      journal_(journal_directory_) {
  if (!journal_.exists()) create_first_journal();
  refresh();
}

void LogCore::create_first_journal() {
  const FileLock lock = FileLock::acquire(root_, "lock", options_.lock_wait);
  if (!lock.is_held()) fail("the log " + root_.path() + " is locked by " + FileLock::holder(root_, "lock"));
  if (journal_.exists()) return;
  if (!topics_directory_.names().empty()) {
    refuse("the log " + root_.path() + " has topics but no journal; restore it from a copy, or name another directory");
  }
  sync_names(root_);
  if (!journal_.roll({}, options_.sync_on_commit)) poison(journal_directory_.path());
}

FileLock LogCore::begin_writing() {
  check_not_poisoned();
  FileLock lock = FileLock::acquire(root_, "lock", options_.lock_wait);
  if (!lock.is_held()) {
    fail("the log " + root_.path() + " has been locked by " + FileLock::holder(root_, "lock") + " for " +
         std::to_string(options_.lock_wait.count()) + " ms; end that process, or try again");
  }
  KAPPA_KILL_POINT("log.commit.locked");
  {
    const std::lock_guard guard(mutex_);
    journal_.refresh(state_);
    journal_.cut_torn_tail();
  }
  roll_if_large();
  return lock;
}

std::uint64_t LogCore::refresh() {
  const std::lock_guard lock(mutex_);
  journal_.refresh(state_);
  return state_.sequence;
}

PartitionState LogCore::partition(const TopicPartition& at) {
  const auto find = [&] {
    return with_state([&](const JournalState& state) {
      const PartitionState* found = state.find(at);
      return found == nullptr ? std::optional<PartitionState>() : std::optional<PartitionState>(*found);
    });
  };
  std::optional<PartitionState> found = find();
  if (!found) {
    refresh();
    found = find();
  }
  if (found) return *found;
  const bool has_topic = with_state([&](const JournalState& state) { return state.topics.count(at.topic) > 0; });
  refuse(has_topic ? "topic " + at.topic + " has no partition " + std::to_string(at.partition)
                   : "there is no topic " + at.topic + " in the log " + root_.path() + "; create it first");
}

SegmentView LogCore::segment(const TopicPartition& at, std::size_t index) {
  const std::lock_guard lock(mutex_);
  const PartitionState* partition = state_.find(at);
  KAPPA_CHECK(partition != nullptr, "topics are never deleted");
  SegmentView view;
  view.end_offset = partition->end;
  view.exists = index < partition->segments.size();
  if (view.exists) view.segment = partition->segments[index];
  view.is_last = index + 1 >= partition->segments.size();
  return view;
}

Directory LogCore::partition_directory(const TopicPartition& at) const {
  return topics_directory_.subdirectory(at.topic).subdirectory(std::to_string(at.partition));
}

void LogCore::with_index(const TopicPartition& at, const Segment& segment, const PartitionState& state,
                         const std::function<void(const SegmentIndex&, const File&)>& use) {
  const File file = partition_directory(at).open(segment_name(segment.base), OpenMode::read);
  const std::lock_guard lock(index_mutex_);
  SegmentIndex& index = indexes_[{at, segment.base}];
  index.extend(file, segment.bytes, state.aborted.get());
  use(index, file);
}

void LogCore::commit(const CommitRequest& request) {
  KAPPA_INSIDE(commit);
  const FileLock writing = begin_writing();
  const std::int64_t epoch = with_state([&](const JournalState& state) {
    const auto found = state.producer_epochs.find(request.transactional_id);
    return found == state.producer_epochs.end() ? 0 : found->second;
  });
  if (epoch != request.epoch) {
    fail("the producer " + request.transactional_id + " is fenced: another one of this id was opened after it");
  }
  std::vector<Touched> touched;
  std::vector<CommitPart> parts;
  for (PartitionAppend* part : request.parts) parts.push_back(write_part(*part, touched));
  KAPPA_KILL_POINT("log.commit.segments-written");
  for (const Touched& one : touched) {
    sync_data(one.file);
    if (one.is_new) sync_names(one.directory);
  }
  KAPPA_KILL_POINT("log.commit.segments-synced");
  append_record(JournalKind::commit, commit_payload(parts, request.group, request.positions));
}

CommitPart LogCore::write_part(PartitionAppend& part, std::vector<Touched>& touched) {
  std::int64_t end = 0;
  std::set<std::string> known;
  Segment tail;
  bool is_new = true;
  with_state([&](const JournalState& state) {
    const PartitionState* partition = state.find(part.at());
    KAPPA_CHECK(partition != nullptr, "a producer accepts records of existing partitions only");
    end = partition->end;
    if (!partition->segments.empty()) tail = partition->segments.back();
    is_new = partition->segments.empty() || tail.is_adopted || tail.bytes >= options_.segment_bytes;
    if (!is_new) return;
    for (const Segment& segment : partition->segments) known.insert(segment_name(segment.base));
  });
  Touched& now = touched.emplace_back();
  now.directory = partition_directory(part.at());
  now.is_new = is_new;
  if (is_new) {
    // What a crashed writer began and no commit names.
    for (const std::string& name : now.directory.names()) {
      if (known.count(name) == 0) now.directory.remove(name);
    }
    tail = {end, 0, false};
    now.file = now.directory.open(segment_name(end), OpenMode::create_empty);
  } else {
    now.file = now.directory.open(segment_name(tail.base), OpenMode::write);
    const std::int64_t size = now.file.size();
    if (size < tail.bytes) fail_on_batch(now.file, size, "the file is shorter than the journal says");
    if (size > tail.bytes) now.file.truncate(tail.bytes);
  }
  const std::int64_t written = part.write(now.file, tail.bytes, end);
  return {part.at(), end + part.records(), tail.base, tail.bytes + written};
}

void LogCore::append_record(JournalKind kind, std::string_view payload) {
  {
    const std::lock_guard lock(mutex_);
    journal_.append(state_, kind, payload);
  }
  KAPPA_KILL_POINT("log.commit.journal-written");
  if (options_.sync_on_commit && !journal_.sync()) poison(journal_directory_.path());
  refresh();
}

void LogCore::roll_if_large() {
  const std::lock_guard lock(mutex_);
  if (journal_.size() - journal_.snapshot_size() < options_.journal_bytes) return;
  if (!journal_.roll(state_, options_.sync_on_commit)) poison(journal_directory_.path());
  journal_.refresh(state_);
}

void LogCore::create_topic(const std::string& name, std::int32_t partitions) {
  check_name("topic", name);
  if (partitions < 1 || partitions > 100'000) {
    refuse("topic " + name + " cannot have " + std::to_string(partitions) + " partitions: 1 to 100000 are possible");
  }
  const FileLock writing = begin_writing();
  const std::size_t existing = with_state([&](const JournalState& state) {
    const auto found = state.topics.find(name);
    return found == state.topics.end() ? 0 : found->second.size();
  });
  if (existing == static_cast<std::size_t>(partitions)) return;
  if (existing != 0) {
    refuse("topic " + name + " exists with " + std::to_string(existing) + " partitions, not " +
           std::to_string(partitions) + "; the number is fixed at creation");
  }
  const Directory topic = topics_directory_.create_subdirectory(name);
  for (std::int32_t i = 0; i < partitions; ++i) {
    static_cast<void>(topic.create_subdirectory(std::to_string(i)));
  }
  sync_names(topic);
  sync_names(topics_directory_);
  append_record(JournalKind::topic, topic_payload(name, partitions));
}

void LogCore::forget_group(const std::string& group) {
  const FileLock writing = begin_writing();
  if (with_state([&](const JournalState& state) { return state.groups.count(group) == 0; })) return;
  append_record(JournalKind::forget, forget_payload(group));
}

std::int64_t LogCore::next_epoch(const std::string& transactional_id) {
  const FileLock writing = begin_writing();
  const std::int64_t epoch = 1 + with_state([&](const JournalState& state) {
                               const auto found = state.producer_epochs.find(transactional_id);
                               return found == state.producer_epochs.end() ? 0 : found->second;
                             });
  append_record(JournalKind::producer, producer_payload(transactional_id, epoch));
  return epoch;
}

void LogCore::sync_data(const File& file) {
  if (options_.sync_on_commit && !file.sync()) poison(file.path());
}

void LogCore::sync_names(const Directory& directory) {
  if (options_.sync_on_commit && !directory.sync()) poison(directory.path());
}

void LogCore::poison(const std::string& path) {
  poisoned_ = true;
  fail_on("sync", path);
}

void LogCore::check_not_poisoned() const {
  if (poisoned_) {
    fail("a sync of the log " + root_.path() +
         " has failed before, so nothing more is written; examine the disk, then " + "start again");
  }
}

}  // namespace kappa::detail
