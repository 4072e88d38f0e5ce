#include "kappa/engine/log/kafka/sender.h"

#include <optional>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"

namespace kappa::detail {

namespace {
constexpr int kQueueFullWaitMs = 100;

const char* data_of(std::string_view text, bool is_null) {
  if (is_null) return nullptr;
  return text.data() ? text.data() : "";
}

using Headers = std::unique_ptr<rd_kafka_headers_t, KafkaDestroy<rd_kafka_headers_destroy>>;

Headers headers_of_record(const OutRecord& record) {
  if (record.headers.empty()) return {};
  Headers headers(rd_kafka_headers_new(record.headers.size()));
  for (const Header& header : record.headers)
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        data_of(header.value, header.value_is_null), static_cast<ssize_t>(header.value.size()));
  return headers;
}
}  // namespace

rd_kafka_topic_t* KafkaSender::topic(const TopicPartition& to) {
  cluster_.check_exists(to);
  KafkaTopic& topic = topics_[to.topic];
  if (topic) return topic.get();
  topic.reset(rd_kafka_topic_new(handle_, to.topic.c_str(), nullptr));
  const struct rd_kafka_metadata* leaders = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(handle_, 0, topic.get(), &leaders, static_cast<int>(kAnswerTimeout.count()));
  const KafkaMetadata owned(leaders);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw LogUnavailable("topic \"" + to.topic + "\" cannot be written: " + error_text(code));
  return topic.get();
}

rd_kafka_resp_err_t KafkaSender::send(rd_kafka_topic_t* topic, std::int32_t partition, const OutRecord& record,
                                      void* opaque) {
  const char* key = data_of(record.key, record.key_is_null);
  const char* value = data_of(record.value, record.value_is_null);
  const std::int64_t timestamp = record.timestamp_ms == 0 ? 1 : record.timestamp_ms;
  Headers headers = headers_of_record(record);
  std::optional<std::chrono::steady_clock::time_point> until;  // set once the queue is full: a clock costs
  for (;;) {
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        handle_, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key ? record.key.size() : 0),
        RD_KAFKA_V_VALUE(const_cast<char*>(value), value ? record.value.size() : 0), RD_KAFKA_V_TIMESTAMP(timestamp),
        RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<void>(headers.release());  // the message's now
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return code;
    const auto now = system_clock().now();
    if (!until) until = now + full_max_;
    if (now >= *until) return code;
    rd_kafka_poll(handle_, kQueueFullWaitMs);
  }
}

bool is_hopeless(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
         code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP || code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

void fail_hopeless(const std::string& where, rd_kafka_resp_err_t code) {
  fail("results for " + where + " are refused by the brokers: " + error_text(code) +
       ". Mend the topic's settings (max.message.bytes, message.timestamp.*), then start the run again");
}

void fail_send(const TopicPartition& to, const OutRecord& record, rd_kafka_resp_err_t code) {
  const std::string what = "a record of " + std::to_string(bytes_of(record)) + " bytes cannot be written to " +
                           to_string(to) + ": " + error_text(code);
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) fail(what);
  throw LogUnavailable(what);
}

}  // namespace kappa::detail
