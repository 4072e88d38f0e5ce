#include "kappa/tests/campaign/reader.h"

#include <algorithm>

namespace kappa::campaign {

namespace {
constexpr std::chrono::seconds kReadPatience{60};
constexpr int kAnswerMs = 30'000;

testkit::PublishedRecord record_of(const rd_kafka_message_t& message) {
  testkit::PublishedRecord record;
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_timestamp_type_t type{};
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
  return record;
}
}  // namespace

CommittedReader::CommittedReader(const std::string& address, const std::map<std::string, int>& topics)
    : consumer_(client(RD_KAFKA_CONSUMER, address,
                       {{"group.id", "campaign"},
                        {"isolation.level", "read_committed"},
                        {"enable.auto.commit", "false"},
                        {"enable.partition.eof", "true"},
                        {"auto.offset.reset", "error"},
                        {"fetch.wait.max.ms", "20"}})) {
  const detail::KafkaPartitions all(rd_kafka_topic_partition_list_new(8));
  for (const auto& [topic, partitions] : topics)
    for (int p = 0; p < partitions; ++p) {
      rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), p)->offset = 0;
      seen_[{topic, p}];
      reached_[{topic, p}] = 0;
    }
  rd_kafka_poll_set_consumer(consumer_.get());
  if (rd_kafka_assign(consumer_.get(), all.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the reader cannot be assigned its partitions");
  thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
}

CommittedReader::~CommittedReader() {
  thread_.request_stop();
  thread_.join();
  rd_kafka_assign(consumer_.get(), nullptr);  // else librdkafka 2.0 may wait forever for what it fetches
  rd_kafka_consumer_close(consumer_.get());
}

void CommittedReader::work(std::stop_token stop) {
  constexpr int kSliceMs = 50;
  while (!stop.stop_requested()) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer_.get(), kSliceMs);
    if (message == nullptr) continue;
    note(*message);
    rd_kafka_message_destroy(message);
  }
}

// Errors of the connection pass; the broker is killed all the time.
void CommittedReader::note(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return;
  const TopicPartition at{rd_kafka_topic_name(message.rkt), message.partition};
  const std::lock_guard lock(mutex_);
  std::int64_t& reached = reached_[at];
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    reached = std::max(reached, message.offset);
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    auto& records = seen_[at];
    if (!records.empty() && message.offset <= records.back().offset)
      problem_ = to_string(at) + ": offset " + std::to_string(message.offset) + " after a greater one";
    records.push_back({message.offset, record_of(message)});
    reached = std::max(reached, message.offset + 1);
    ++count_;
  } else if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    problem_ = to_string(at) + " lost its offsets: " + rd_kafka_message_errstr(&message);
  }
  changed_.notify_all();
}

std::int64_t CommittedReader::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::int64_t CommittedReader::wait_for(std::int64_t records, std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] { return count_ >= records; });
  return count_;
}

Seen CommittedReader::up_to(const std::map<TopicPartition, std::int64_t>& ends) {
  std::unique_lock lock(mutex_);
  const auto is_there = [&] {
    return std::all_of(ends.begin(), ends.end(), [&](const auto& end) { return reached_[end.first] >= end.second; });
  };
  if (!changed_.wait_for(lock, kReadPatience, [&] { return is_there() || !problem_.empty(); })) {
    for (const auto& [at, end] : ends)
      if (reached_[at] < end)
        problem_ += to_string(at) + ": the reader is at " + std::to_string(reached_[at]) + " of " + std::to_string(end);
  }
  if (!problem_.empty()) throw std::runtime_error(problem_);
  return seen_;
}

std::map<TopicPartition, std::int64_t> ends_of(const std::string& address, const std::map<std::string, int>& topics,
                                               const std::string& isolation) {
  const detail::KafkaHandle consumer = client(RD_KAFKA_CONSUMER, address, {{"isolation.level", isolation}});
  std::map<TopicPartition, std::int64_t> ends;
  for (const auto& [topic, partitions] : topics)
    for (int p = 0; p < partitions; ++p) {
      std::int64_t start = 0, end = 0;
      const auto code = rd_kafka_query_watermark_offsets(consumer.get(), topic.c_str(), p, &start, &end, kAnswerMs);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        throw std::runtime_error("the end of " + topic + ": " + rd_kafka_err2str(code));
      ends[{topic, p}] = end;
    }
  return ends;
}

}  // namespace kappa::campaign
