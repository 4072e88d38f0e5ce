#include "kappa/engine/log/kafka/fetcher.h"

#include <algorithm>
#include <optional>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"

namespace kappa::detail {

namespace {
// What lies in the queues is memory that two threads walk through: small enough for the processor's cache, the same
// work costs a tenth less than with 8 MB each. Of many partitions each has less, so that all stay within a bound: of
// records of 200 bytes the client holds three times the bytes, and one fetch more than the bound.
constexpr std::int64_t kQueueKilobytes = 2048, kQueueKilobytesMin = 128, kAllQueuesKilobytes = 16'384;
constexpr std::int64_t kFetchKilobytes = 1024;
constexpr std::chrono::seconds kLeadersKept{10};
const char* isolation() { return KAPPA_FAULT("kafka.read-uncommitted") ? "read_uncommitted" : "read_committed"; }
}  // namespace

KafkaFetchers::KafkaFetchers(KafkaClient& client, KafkaCluster& cluster, KafkaNews& news)
    : client_(client), cluster_(cluster), news_(news) {}

KafkaConsumer& KafkaFetchers::reserve(const TopicPartition& at) {
  const std::lock_guard lock(mutex_);
  for (KafkaConsumer& consumer : consumers_)
    if (consumer.reading.insert(at).second) return consumer;
  add_consumer(at);
  return consumers_.back();
}

// The topic that is read first stands for all: a graph reads all partitions of its topics, mostly of one.
void KafkaFetchers::add_consumer(const TopicPartition& at) {
  const std::optional<TopicInfo> topic = cluster_.topic(at.topic);
  const std::int64_t partitions = topic ? std::max(topic->partitions, 1) : 1;
  const std::int64_t kilobytes = std::clamp(kAllQueuesKilobytes / partitions, kQueueKilobytesMin, kQueueKilobytes);
  consumers_.push_back(
      {client_.make({RD_KAFKA_CONSUMER},
                    {{"fetch.wait.max.ms", "50"},
                     {"fetch.message.max.bytes", std::to_string(std::min(kilobytes, kFetchKilobytes) * 1024)},
                     {"queued.max.messages.kbytes", std::to_string(kilobytes)}},
                    {{"isolation.level", isolation()},
                     {"enable.partition.eof", "true"},
                     {"check.crcs", "true"},
                     {"auto.offset.reset", "error"},
                     {"enable.auto.commit", "false"},
                     {"enable.auto.offset.store", "false"},
                     {"allow.auto.create.topics", "false"},
                     // The bound is bytes: a bound of messages would only stall a fetch earlier.
                     {"queued.min.messages", "10000000"}}),
       client_number(client_, "queued.max.messages.kbytes", kilobytes) * 1024,
       {at},
       {}});
}

// Asked now, or the first fetch begins up to a second late. The client keeps what it was told of all partitions.
void KafkaFetchers::find_leaders(KafkaConsumer& consumer, rd_kafka_topic_t* topic) {
  const auto now = system_clock().now();
  {
    const std::lock_guard lock(mutex_);
    const auto asked = consumer.leaders_asked.find(rd_kafka_topic_name(topic));
    if (asked != consumer.leaders_asked.end() && now - asked->second < kLeadersKept) return;
  }
  const struct rd_kafka_metadata* leaders = nullptr;
  if (rd_kafka_metadata(consumer.handle.get(), 0, topic, &leaders, static_cast<int>(kAnswerTimeout.count())) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  rd_kafka_metadata_destroy(leaders);
  const std::lock_guard lock(mutex_);
  consumer.leaders_asked[rd_kafka_topic_name(topic)] = now;
}

void KafkaFetchers::release(KafkaConsumer& consumer, const TopicPartition& at) {
  const std::lock_guard lock(mutex_);
  consumer.reading.erase(at);
}

void KafkaFetchers::stir(KafkaConsumer& consumer, const TopicPartition& at) {
  {
    const std::lock_guard lock(mutex_);
    if (!asked_.emplace(&consumer, at).second) return;
    if (!asker_.joinable()) asker_ = std::jthread([this](std::stop_token stop) { ask(std::move(stop)); });
  }
  to_ask_.notify_one();
}

// On a thread of its own, since the answer takes as long as the brokers like.
void KafkaFetchers::ask(std::stop_token stop) {
  constexpr int kTimeoutMs = 1000;
  std::unique_lock lock(mutex_);
  while (to_ask_.wait(lock, stop, [this] { return !asked_.empty(); })) {
    const auto [consumer, at] = asked_.extract(asked_.begin()).value();
    lock.unlock();
    std::int64_t start = 0, end = 0;
    rd_kafka_query_watermark_offsets(consumer->handle.get(), at.topic.c_str(), at.partition, &start, &end, kTimeoutMs);
    lock.lock();
  }
}

KafkaFetch::KafkaFetch(KafkaFetchers& fetchers, TopicPartition at, std::int64_t from)
    : fetchers_(fetchers), at_(std::move(at)), consumer_(fetchers.reserve(at_)) {
  rd_kafka_t* handle = consumer_.handle.get();
  topic_.reset(rd_kafka_topic_new(handle, at_.topic.c_str(), nullptr));
  queue_.reset(rd_kafka_queue_new(handle));
  rd_kafka_queue_cb_event_enable(
      queue_.get(), [](rd_kafka_t*, void* news) { static_cast<KafkaNews*>(news)->arrived(); }, &fetchers_.news_);
  if (topic_) fetchers.find_leaders(consumer_, topic_.get());
  if (topic_ && rd_kafka_consume_start_queue(topic_.get(), at_.partition, from, queue_.get()) == 0) return;
  fetchers_.release(consumer_, at_);
  throw LogUnavailable(to_string(at_) + " cannot be read from offset " + std::to_string(from) + ": " +
                       error_text(rd_kafka_last_error()));
}

KafkaFetch::~KafkaFetch() {
  rd_kafka_consume_stop(topic_.get(), at_.partition);
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  queue_.reset();
  topic_.reset();
  fetchers_.release(consumer_, at_);
}

void KafkaFetch::take(std::vector<rd_kafka_message_t*>& out, std::size_t most, std::chrono::milliseconds wait) {
  const std::size_t had = out.size();
  if (wait.count() > 0)
    if (rd_kafka_message_t* first = rd_kafka_consume_queue(queue_.get(), static_cast<int>(wait.count())))
      out.push_back(first);
  const std::size_t filled = out.size();
  out.resize(had + most);
  const auto n = rd_kafka_consume_batch_queue(queue_.get(), 0, out.data() + filled, had + most - filled);
  out.resize(filled + static_cast<std::size_t>(n > 0 ? n : 0));
  stir_once_low(out, had);
}

std::int64_t KafkaFetch::high_watermark() const {
  std::int64_t start = -1, end = -1;
  rd_kafka_get_watermark_offsets(consumer_.handle.get(), at_.topic.c_str(), at_.partition, &start, &end);
  return end;
}

// librdkafka 2.0 stops fetching a partition whose queue is full, and does not look at it again when the queue has been
// emptied, but up to a second later, or when something else wakes its thread. So once a queue that was full is down to
// a half, a small question goes to the partition's leader, by the same thread. The queue's bytes are estimated from the
// messages taken just now: it was full before they were.
void KafkaFetch::stir_once_low(const std::vector<rd_kafka_message_t*>& out, std::size_t had) {
  const auto taken = static_cast<std::int64_t>(out.size() - had);
  if (taken == 0) return;
  std::int64_t bytes = 0;
  for (std::size_t i = had; i < out.size(); ++i) bytes += static_cast<std::int64_t>(out[i]->len);
  const std::int64_t left = static_cast<std::int64_t>(rd_kafka_queue_length(queue_.get())) * bytes / taken;
  was_full_ |= left + bytes > consumer_.queue_bytes * 3 / 4;
  if (!was_full_ || left > consumer_.queue_bytes / 2) return;
  was_full_ = false;
  fetchers_.stir(consumer_, at_);
}

}  // namespace kappa::detail
