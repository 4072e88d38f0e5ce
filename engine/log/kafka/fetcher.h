// kappa/engine/log/kafka/fetcher.h: librdkafka consumers that fetch partitions, each into a queue of its own.
//
// No group, no subscription, no pause, no seek: a partition is started at an offset and stopped
// (docs/decisions/0007-how-kafka-is-read.md). A consumer reads a partition once at a time; for a second reader of it
// there is a second consumer.
//
// Threads:  KafkaFetchers from any thread; a KafkaFetch belongs to one. KafkaFetchers has a thread, which only asks.
// Owns:     the consumers; a fetch borrows its own, and must end before the fetchers do.
// Errors:   kappa::Error failed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "kappa/engine/log/kafka/cluster.h"
#include "kappa/engine/log/kafka/news.h"

namespace kappa::detail {

class KafkaFetchers;

struct KafkaConsumer {
  KafkaHandle handle;
  std::int64_t queue_bytes = 0;  // librdkafka's bound for each partition
  std::set<TopicPartition> reading;
  std::map<std::string, std::chrono::steady_clock::time_point> leaders_asked;  // by topic
};

/// One partition being fetched.
class KafkaFetch {
 public:
  KafkaFetch(KafkaFetchers& fetchers, TopicPartition at, std::int64_t from);
  ~KafkaFetch();
  KafkaFetch(const KafkaFetch&) = delete;
  KafkaFetch& operator=(const KafkaFetch&) = delete;

  /// Appends what lies in the queue, at most `most` messages; the caller destroys them. Waits up to `wait` for the
  /// first.
  void take(std::vector<rd_kafka_message_t*>& out, std::size_t most, std::chrono::milliseconds wait);
  /// The partition's end, open transactions included, as the last fetch told; negative before the first.
  [[nodiscard]] std::int64_t high_watermark() const;

 private:
  void stir_once_low(const std::vector<rd_kafka_message_t*>& out, std::size_t had);

  KafkaFetchers& fetchers_;
  TopicPartition at_;
  KafkaConsumer& consumer_;
  KafkaTopic topic_;
  KafkaQueue queue_;
  bool was_full_ = false;
};

class KafkaFetchers {
 public:
  KafkaFetchers(KafkaClient& client, KafkaCluster& cluster, KafkaNews& news);

 private:
  friend class KafkaFetch;
  KafkaConsumer& reserve(const TopicPartition& at);
  void add_consumer(const TopicPartition& at);
  void find_leaders(KafkaConsumer& consumer, rd_kafka_topic_t* topic);
  void release(KafkaConsumer& consumer, const TopicPartition& at);
  /// Makes the thread that fetches the partition look at its queues again. Returns at once.
  void stir(KafkaConsumer& consumer, const TopicPartition& at);
  void ask(std::stop_token stop);

  KafkaClient& client_;
  KafkaCluster& cluster_;
  KafkaNews& news_;
  std::mutex mutex_;
  std::list<KafkaConsumer> consumers_;                         // guarded by mutex_
  std::set<std::pair<KafkaConsumer*, TopicPartition>> asked_;  // guarded by mutex_
  std::condition_variable_any to_ask_;
  std::jthread asker_;  // last: ends before what it uses
};

}  // namespace kappa::detail
