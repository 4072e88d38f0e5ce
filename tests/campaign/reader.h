// tests/campaign/reader.h: a plain read_committed consumer that writes down everything it sees, in order.
//
// Threads:  one of its own from the constructor on; the rest of the class is for any thread.
// Errors:   std::runtime_error, also for an offset that does not follow the one before.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "kappa/tests/campaign/client.h"
#include "kappa/tests/identity/arena.h"

namespace kappa::campaign {

struct SeenRecord {
  std::int64_t offset = 0;
  testkit::PublishedRecord record;  // headers in their order
};
/// By partition.
using Seen = std::map<TopicPartition, std::vector<SeenRecord>>;

class CommittedReader {
 public:
  /// Reads all partitions from offset 0 on.
  CommittedReader(const std::string& address, const std::map<std::string, int>& topics);
  ~CommittedReader();
  CommittedReader(const CommittedReader&) = delete;
  CommittedReader& operator=(const CommittedReader&) = delete;

  /// How many records came so far.
  [[nodiscard]] std::int64_t count() const;
  /// Waits until there are `records`, or for a while; how many there are.
  std::int64_t wait_for(std::int64_t records, std::chrono::milliseconds most);
  /// What it has seen, once it has reached these ends.
  [[nodiscard]] Seen up_to(const std::map<TopicPartition, std::int64_t>& ends);

 private:
  void work(std::stop_token stop);
  void note(const rd_kafka_message_t& message);

  detail::KafkaHandle consumer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;                                       // guarded by mutex_
  std::map<TopicPartition, std::int64_t> reached_;  // guarded by mutex_
  std::int64_t count_ = 0;                          // guarded by mutex_
  std::string problem_;                             // guarded by mutex_
  std::jthread thread_;
};

/// The ends of all partitions: of what is committed, or of everything.
[[nodiscard]] std::map<TopicPartition, std::int64_t> ends_of(const std::string& address,
                                                             const std::map<std::string, int>& topics,
                                                             const std::string& isolation);

}  // namespace kappa::campaign
