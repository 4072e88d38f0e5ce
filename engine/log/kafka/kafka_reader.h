// kappa/engine/log/kafka/kafka_reader.h: reads one partition of a Kafka topic.
//
// Records are copied out of librdkafka's messages into the block's memory: a value must be readable 64 bytes past its
// end, and the client's buffers end where they end.
//
// Threads:  belongs to one thread; blocks may be let go on any.
// Owns:     the fetch, and messages that were taken from it and not yet read.
// Errors:   kappa::Error `failed` where the partition cannot be read any more, naming the offset.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "kappa/engine/log/chunk_pool.h"
#include "kappa/engine/log/kafka/cluster.h"
#include "kappa/engine/log/kafka/fetcher.h"

namespace kappa::detail {

class KafkaReader : public Reader {
 public:
  struct Shared {
    KafkaClient& client;
    KafkaCluster& cluster;
    KafkaFetchers& fetchers;
    KafkaNews& news;
    ChunkPool& memory;  // of all readers: of many partitions few are read at a time
  };
  KafkaReader(const Shared& shared, TopicPartition at, std::int64_t from);
  ~KafkaReader() override;

  void read(RecordBlock& block, std::int64_t records_max, std::int64_t before) override;
  [[nodiscard]] std::int64_t position() const override { return position_; }
  [[nodiscard]] bool is_in_front_of_open() const override { return position_ < fetch_->high_watermark(); }
  void never_wait() override { waits_ = false; }
  [[nodiscard]] bool is_waiting() const override { return waiting_since_.has_value(); }
  void leave_out_headers() override { wants_headers_ = false; }

 private:
  bool is_there_more(std::int64_t before);
  void fetch(std::int64_t before);
  void check_patience();
  void drop_to(std::size_t to);
  std::size_t choose(std::int64_t records_max, std::int64_t before);
  void pass(const rd_kafka_message_t& event);
  [[noreturn]] void fail_at(const rd_kafka_message_t& event);
  void copy(RecordBlock& block);

  Shared shared_;
  TopicPartition at_;
  std::int64_t position_;
  std::int64_t known_end_ = 0;  // the partition's end when it was last asked for
  std::unique_ptr<KafkaFetch> fetch_;
  std::vector<rd_kafka_message_t*> messages_;
  std::size_t next_ = 0;  // of messages_, not yet read
  std::vector<std::size_t> chosen_, header_sizes_;
  std::string headers_;
  bool told_of_repeats_ = false, wants_headers_ = true, waits_ = true;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_;
};

}  // namespace kappa::detail
