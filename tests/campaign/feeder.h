// tests/campaign/feeder.h: writes a fixed input as a careless world would: in batches with and without transactions,
// and between them transactions that are aborted. Who reads what is committed reads the input and nothing else.
//
// Threads:  one.
// Errors:   std::runtime_error. Not to be used while the broker is away: a commit must not have an unknown outcome.
#pragma once

#include <random>

#include "kappa/tests/campaign/client.h"
#include "kappa/tests/identity/arena.h"

namespace kappa::campaign {

class Feeder {
 public:
  Feeder(const std::string& address, const std::string& id, std::vector<testkit::InputRecord> input,
         std::uint64_t seed);

  /// Appends the next batch, of at most `records`.
  void feed_some(std::size_t most);
  void feed_to(std::size_t to);
  [[nodiscard]] std::size_t fed() const { return fed_; }
  [[nodiscard]] std::size_t size() const { return input_.size(); }
  [[nodiscard]] bool is_done() const { return fed_ == input_.size(); }
  [[nodiscard]] const std::vector<testkit::InputRecord>& input() const { return input_; }

  int aborted = 0, committed = 0, plain = 0;  // batches

 private:
  void produce(rd_kafka_t* producer, const testkit::InputRecord& record);
  void flush(rd_kafka_t* producer);

  std::vector<testkit::InputRecord> input_;
  std::mt19937_64 random_;
  detail::KafkaHandle plain_, transactional_;
  std::size_t fed_ = 0;
};

}  // namespace kappa::campaign
