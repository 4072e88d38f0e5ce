#include "kappa/engine/log/local/local_log.h"

#include "kappa/engine/error.h"
#include "kappa/engine/log/local/local_producer.h"
#include "kappa/engine/log/local/local_reader.h"
#include "kappa/engine/log/local/log_core.h"
#include "kappa/engine/log/local/waiter.h"

namespace kappa {
namespace {

using detail::File;
using detail::FileLock;
using detail::JournalState;
using detail::LogCore;
using detail::PartitionState;
using detail::Segment;
using detail::SegmentIndex;

class GroupLock : public RunLock {
 public:
  explicit GroupLock(FileLock lock) : lock_(std::move(lock)) {}

 private:
  FileLock lock_;
};

class LocalLogDirectory : public LocalLog {
 public:
  explicit LocalLogDirectory(LocalLogOptions options) : core_(std::move(options)), waiters_(core_) {}

  std::vector<TopicInfo> topics() override;
  std::optional<TopicInfo> topic(const std::string& name) override;
  void create_topic(const std::string& name, std::int32_t partitions) override { core_.create_topic(name, partitions); }
  std::int64_t start_offset(const TopicPartition& at) override { return refreshed(at).start; }
  std::int64_t end_offset(const TopicPartition& at) override { return refreshed(at).end; }
  std::optional<std::int64_t> offset_at(const TopicPartition& at, std::int64_t timestamp_ms) override;
  std::int64_t bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) override;
  std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) override;
  std::unique_ptr<Producer> open_producer(const std::string& transactional_id, const Membership* member) override;
  std::unique_ptr<Membership> join_group(const GroupMember& /*member*/) override { return nullptr; }
  std::map<TopicPartition, Position> committed(const std::string& group) override;
  void forget_group(const std::string& group) override { core_.forget_group(group); }
  std::unique_ptr<RunLock> lock_group(const std::string& group) override;
  void wait(std::chrono::milliseconds timeout) override { waiters_.wait(timeout); }
  void wake() override { waiters_.wake(); }
  AdoptReport adopt_segments(const TopicPartition& at, std::span<const std::filesystem::path> files) override;

 private:
  PartitionState refreshed(const TopicPartition& at) {
    core_.refresh();
    return core_.partition(at);
  }
  std::int64_t bytes_before(const TopicPartition& at, const PartitionState& partition, std::int64_t offset);
  std::optional<std::int64_t> offset_in(const TopicPartition& at, const PartitionState& partition,
                                        const Segment& segment, std::int64_t timestamp_ms);

  LogCore core_;
  detail::Waiters waiters_;
};

std::vector<TopicInfo> LocalLogDirectory::topics() {
  core_.refresh();
  return core_.with_state([](const JournalState& state) {
    std::vector<TopicInfo> topics;
    for (const auto& [name, partitions] : state.topics) {
      topics.push_back({name, static_cast<std::int32_t>(partitions.size())});
    }
    return topics;
  });
}

std::optional<TopicInfo> LocalLogDirectory::topic(const std::string& name) {
  core_.refresh();
  return core_.with_state([&](const JournalState& state) -> std::optional<TopicInfo> {
    const auto found = state.topics.find(name);
    if (found == state.topics.end()) return std::nullopt;
    return TopicInfo{name, static_cast<std::int32_t>(found->second.size())};
  });
}

std::optional<std::int64_t> LocalLogDirectory::offset_at(const TopicPartition& at, std::int64_t timestamp_ms) {
  const PartitionState partition = refreshed(at);
  for (const Segment& segment : partition.segments) {
    if (const auto offset = offset_in(at, partition, segment, timestamp_ms)) return offset;
  }
  return std::nullopt;
}

std::optional<std::int64_t> LocalLogDirectory::offset_in(const TopicPartition& at, const PartitionState& partition,
                                                         const Segment& segment, std::int64_t timestamp_ms) {
  std::int64_t candidate = -1;  // the first batch that may hold such a record
  core_.with_index(at, segment, partition, [&](const SegmentIndex& index, const File& file) {
    const std::int64_t byte = index.byte_before_time(timestamp_ms);
    if (byte < 0) return;
    detail::BatchWalker walker(file, byte, segment.bytes);
    while (walker.step() && candidate < 0) {
      const BatchHeader& batch = walker.header();
      if (batch.max_timestamp_ms >= timestamp_ms && !batch.is_control()) candidate = batch.base_offset;
    }
  });
  if (candidate < 0) return std::nullopt;
  detail::LocalReader reader(core_, at, std::max(candidate, partition.start));
  RecordBlock block;
  do {
    reader.read(block, 1024, partition.end);
    for (const RecordView& record : block.records) {
      if (record.timestamp_ms >= timestamp_ms) return record.offset;
    }
  } while (!block.records.empty());
  return std::nullopt;
}

std::int64_t LocalLogDirectory::bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) {
  const PartitionState partition = refreshed(at);
  if (from >= to) return 0;
  return bytes_before(at, partition, to) - bytes_before(at, partition, from);
}

std::int64_t LocalLogDirectory::bytes_before(const TopicPartition& at, const PartitionState& partition,
                                             std::int64_t offset) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < partition.segments.size(); ++i) {
    const Segment& segment = partition.segments[i];
    const bool is_last = i + 1 == partition.segments.size();
    if (is_last ? offset >= partition.end : offset >= partition.segments[i + 1].base) {
      bytes += segment.bytes;
      continue;
    }
    core_.with_index(at, segment, partition, [&](const SegmentIndex& index, const File& file) {
      detail::BatchWalker walker(file, index.byte_before(offset), segment.bytes);
      while (walker.step() && walker.header().last_offset() < offset) {
      }
      bytes += walker.at();
    });
    break;
  }
  return bytes;
}

std::unique_ptr<Reader> LocalLogDirectory::open_reader(const TopicPartition& at, std::int64_t from) {
  return std::make_unique<detail::LocalReader>(core_, at, from);
}

std::unique_ptr<Producer> LocalLogDirectory::open_producer(const std::string& transactional_id,
                                                           const Membership* /*member*/) {
  return std::make_unique<detail::LocalProducer>(core_, transactional_id);
}

std::map<TopicPartition, Position> LocalLogDirectory::committed(const std::string& group) {
  core_.refresh();
  return core_.with_state([&](const JournalState& state) {
    const auto found = state.groups.find(group);
    return found == state.groups.end() ? detail::GroupPositions() : found->second;
  });
}

std::unique_ptr<RunLock> LocalLogDirectory::lock_group(const std::string& group) {
  detail::check_name("group", group);
  FileLock lock = FileLock::acquire(core_.locks_directory(), group, std::chrono::milliseconds(0));
  if (!lock.is_held()) {
    refuse("'" + group + "' is running already: " + FileLock::holder(core_.locks_directory(), group) +
           " holds its lock; stop that one first");
  }
  return std::make_unique<GroupLock>(std::move(lock));
}

AdoptReport LocalLogDirectory::adopt_segments(const TopicPartition& at, std::span<const std::filesystem::path> files) {
  return core_.adopt(at, files);
}

}  // namespace

std::unique_ptr<LocalLog> open_local_log(LocalLogOptions options) {
  return std::make_unique<LocalLogDirectory>(std::move(options));
}

}  // namespace kappa
