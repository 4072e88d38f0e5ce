#include "kappa/tests/campaign/feeder.h"

#include <algorithm>

namespace kappa::campaign {

namespace {
constexpr int kDeliveryMs = 30'000;

detail::KafkaHandle producer(const std::string& address, const std::string& id) {
  std::map<std::string, std::string> settings{
      {"enable.idempotence", "true"}, {"linger.ms", "0"}, {"retry.backoff.ms", "5"}};
  if (!id.empty()) settings["transactional.id"] = id;
  return client(RD_KAFKA_PRODUCER, address, settings);
}
}  // namespace

Feeder::Feeder(const std::string& address, const std::string& id, std::vector<testkit::InputRecord> input,
               std::uint64_t seed)
    : input_(std::move(input)), random_(seed), plain_(producer(address, "")), transactional_(producer(address, id)) {
  check(rd_kafka_init_transactions(transactional_.get(), kDeliveryMs), "init");
}

void Feeder::produce(rd_kafka_t* producer, const testkit::InputRecord& record) {
  std::string value = record.value.value_or(""), key = record.key.value_or("");
  char* const value_data = record.value ? value.data() : nullptr;
  char* const key_data = record.key ? key.data() : nullptr;
  const auto code = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(record.topic.c_str()),
                                      RD_KAFKA_V_PARTITION(record.partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                      RD_KAFKA_V_KEY(key_data, key.size()), RD_KAFKA_V_VALUE(value_data, value.size()),
                                      RD_KAFKA_V_TIMESTAMP(record.timestamp_ms), RD_KAFKA_V_END);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(std::string("feeding: ") + rd_kafka_err2str(code));
}

void Feeder::flush(rd_kafka_t* producer) {
  if (rd_kafka_flush(producer, kDeliveryMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("feeding: records are not delivered");
}

// A transaction that will be aborted holds records that would change the results: those that come next, and altered.
void Feeder::feed_some(std::size_t most) {
  const std::size_t to = std::min(fed_ + 1 + random_() % most, input_.size());
  const std::uint64_t manner = random_() % 5;
  if (manner == 0) {
    check(rd_kafka_begin_transaction(transactional_.get()), "begin");
    for (std::size_t i = fed_; i < to; ++i) {
      testkit::InputRecord altered = input_[i];
      if (i % 2 == 0 && altered.value) altered.value->insert(0, i % 4 == 0 ? " " : "x");
      produce(transactional_.get(), altered);
    }
    flush(transactional_.get());
    check(rd_kafka_abort_transaction(transactional_.get(), kDeliveryMs), "abort");
    ++aborted;
  }
  const bool in_transaction = manner % 2 == 0;
  rd_kafka_t* writer = in_transaction ? transactional_.get() : plain_.get();
  if (in_transaction) check(rd_kafka_begin_transaction(writer), "begin");
  for (; fed_ < to; ++fed_) produce(writer, input_[fed_]);
  flush(writer);
  if (in_transaction) check(rd_kafka_commit_transaction(writer, kDeliveryMs), "commit");
  ++(in_transaction ? committed : plain);
}

void Feeder::feed_to(std::size_t to) {
  while (fed_ < std::min(to, input_.size())) feed_some(std::min<std::size_t>(60, std::min(to, input_.size()) - fed_));
}

}  // namespace kappa::campaign
