#include "kappa/engine/log/kafka/kafka_log.h"

#include <algorithm>
#include <mutex>

#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/group_lock.h"
#include "kappa/engine/log/kafka/kafka_producer.h"
#include "kappa/engine/log/kafka/kafka_reader.h"
#include "kappa/engine/log/kafka/plain_producer.h"

namespace kappa {

namespace {
using detail::KafkaClient;
using detail::KafkaCluster;
using detail::KafkaFetchers;
using detail::KafkaNews;
using detail::KafkaReader;

class KafkaBrokers : public KafkaLog {
 public:
  explicit KafkaBrokers(KafkaLogOptions options)
      : client_(std::move(options)), cluster_(client_), fetchers_(client_, cluster_, news_) {}

  std::vector<TopicInfo> topics() override { return cluster_.topics(); }
  std::optional<TopicInfo> topic(const std::string& name) override { return cluster_.topic(name); }
  void create_topic(const std::string& name, std::int32_t partitions) override {
    cluster_.create_topic(name, partitions);
  }
  std::optional<std::map<std::string, std::string>> topic_settings(const std::string& name) override {
    return cluster_.topic_settings(name);
  }

  std::int64_t start_offset(const TopicPartition& at) override { return cluster_.offsets(at).start; }
  std::int64_t end_offset(const TopicPartition& at) override { return cluster_.offsets(at).end; }
  std::optional<std::int64_t> offset_at(const TopicPartition& at, std::int64_t timestamp_ms) override;
  std::int64_t bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) override;

  std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) override {
    return std::make_unique<KafkaReader>(KafkaReader::Shared{client_, cluster_, fetchers_, news_, *memory_}, at, from);
  }
  std::unique_ptr<Producer> open_producer(const std::string& transactional_id, const Membership* member) override {
    const auto* kafka_member = dynamic_cast<const detail::KafkaMembership*>(member);
    if (kafka_member && kafka_member->is_at_least_once())
      return std::make_unique<detail::KafkaPlainProducer>(client_, cluster_, *kafka_member);
    return std::make_unique<detail::KafkaProducer>(client_, cluster_, transactional_id, kafka_member);
  }
  std::unique_ptr<Membership> join_group(const GroupMember& member) override {
    return std::make_unique<detail::KafkaMembership>(client_, news_, member);
  }

  std::map<TopicPartition, Position> committed(const std::string& group) override { return cluster_.committed(group); }
  void forget_group(const std::string& group) override { cluster_.forget_group(group); }
  std::unique_ptr<RunLock> lock_group(const std::string& group) override {
    return detail::lock_kafka_group(client_.options().bootstrap_servers, group, client_.options().lock_directory);
  }

  bool lock_is_exclusive() const override { return false; }  // other machines

  void wait(std::chrono::milliseconds timeout) override { news_.wait(timeout); }
  void wake() override { news_.wake(); }

 private:
  struct Sample {
    std::int64_t bytes = 0, offsets = 0;
  };
  Sample sample(const TopicPartition& at);

  KafkaClient client_;
  KafkaNews news_;
  KafkaCluster cluster_;
  KafkaFetchers fetchers_;
  std::shared_ptr<detail::ChunkPool> memory_ = std::make_shared<detail::ChunkPool>(1 << 20, 16);
  std::mutex mutex_;
  std::map<TopicPartition, Sample> samples_;  // guarded by mutex_
};

// The brokers' answer may be a marker, long before the first such record where old records were written by
// transactions: from there on the records themselves are looked at.
std::optional<std::int64_t> KafkaBrokers::offset_at(const TopicPartition& at, std::int64_t timestamp_ms) {
  const std::optional<std::int64_t> first = cluster_.offset_at(at, timestamp_ms);
  if (!first) return std::nullopt;
  constexpr std::int64_t kRecords = 4096;
  const std::int64_t end = cluster_.offsets(at).end;
  if (*first >= end) return std::nullopt;
  const std::unique_ptr<Reader> reader = open_reader(at, *first);
  for (RecordBlock block; reader->position() < end;) {
    reader->read(block, kRecords, end);
    for (const RecordView& record : block.records)
      if (record.timestamp_ms >= timestamp_ms) return record.offset;
    if (block.records.empty() && reader->position() < end) fail("stopped while looking for a time in " + to_string(at));
  }
  return std::nullopt;
}

// The first records of the partition; the brokers say nothing of bytes by offset.
KafkaBrokers::Sample KafkaBrokers::sample(const TopicPartition& at) {
  constexpr std::int64_t kRecords = 1000;
  constexpr std::int64_t kOverhead = 8;  // of a record in its batch: lengths, deltas, attributes
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = samples_.find(at); found != samples_.end()) return found->second;
  }
  const KafkaCluster::Offsets offsets = cluster_.offsets(at);
  const std::unique_ptr<Reader> reader = open_reader(at, offsets.start);
  RecordBlock block;
  Sample sample;
  while (reader->position() < offsets.end && sample.offsets < kRecords) {
    reader->read(block, kRecords, offsets.end);
    for (const RecordView& record : block.records)
      sample.bytes += record.key_size + record.value_size + record.headers_size + kOverhead;
    sample.offsets = reader->position() - offsets.start;
    if (block.records.empty() && reader->position() < offsets.end) break;  // woken
  }
  const std::lock_guard lock(mutex_);
  if (sample.offsets > 0) samples_[at] = sample;
  return sample;
}

std::int64_t KafkaBrokers::bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) {
  cluster_.check_exists(at);
  if (from >= to) return 0;
  const Sample found = sample(at);
  if (found.offsets == 0) return 0;
  const auto before = [&](std::int64_t offset) {
    return static_cast<std::int64_t>(static_cast<double>(offset) * static_cast<double>(found.bytes) /
                                     static_cast<double>(found.offsets));
  };
  return before(to) - before(from);  // so that adjacent ranges add up
}
}  // namespace

std::unique_ptr<KafkaLog> open_kafka_log(KafkaLogOptions options) {
  for (const auto& [name, value] : options.client) check_kafka_setting(name, "KafkaLogOptions");
  return std::make_unique<KafkaBrokers>(std::move(options));
}

}  // namespace kappa
