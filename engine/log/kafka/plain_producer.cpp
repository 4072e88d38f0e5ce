#include "kappa/engine/log/kafka/plain_producer.h"

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/kill_region.h"
#include "kappa/engine/log/kafka/rights.h"

namespace kappa::detail {

namespace {
constexpr std::int64_t kDeliveryTimeoutMs = 60'000;

void note_delivery(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  auto* failure = static_cast<DeliveryFailure*>(message->_private);
  if (failure->code == RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
    *failure = {message->err, rd_kafka_topic_name(message->rkt)};
}

// Of a refusal that would leave a gap the client tells the cause in words alone.
rd_kafka_resp_err_t cause_of_gap(const std::string& text) {
  for (const auto code : {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                          RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP})
    if (text.find(rd_kafka_err2str(code)) != std::string::npos) return code;
  return RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE;
}
}  // namespace

KafkaPlainProducer::KafkaPlainProducer(KafkaClient& client, KafkaCluster& cluster, const KafkaMembership& member)
    : member_(member),
      timeout_(client_number(client, "transaction.timeout.ms", kDeliveryTimeoutMs)),
      handle_(client.make(
          {.type = RD_KAFKA_PRODUCER, .delivered = note_delivery},
          // Nothing else holds a record back.
          {{"linger.ms", "2"},
           {"compression.type", "lz4"},
           {"batch.size", std::to_string(kKafkaBatchBytes)},
           {"message.max.bytes", "10485760"},
           {"queue.buffering.max.messages", "1000000"},
           {"queue.buffering.max.kbytes", "131072"}},
          // No record may be given up while later ones are sent: the reader of a repartition takes what
          // lies in front of the last one as seen. So none times out; settle() has the deadline.
          {{"enable.idempotence", "true"}, {"enable.gapless.guarantee", "true"}, {"message.timeout.ms", "0"}})),
      sender_(cluster, handle_.get(), timeout_) {}

void KafkaPlainProducer::append(const TopicPartition& to, std::span<const OutRecord> records) {
  rd_kafka_topic_t* topic = sender_.topic(to);
  for (const OutRecord& record : records) {
    const rd_kafka_resp_err_t code = sender_.send(topic, to.partition, record, &failure_);
    if (code == RD_KAFKA_RESP_ERR__FATAL) settle();  // which knows why
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail_send(to, record, code);
    pending_bytes_ += bytes_of(record);
  }
  rd_kafka_poll(handle_.get(), 0);
}

void KafkaPlainProducer::settle() {
  rd_kafka_resp_err_t code = rd_kafka_flush(handle_.get(), static_cast<int>(timeout_.count()));
  if (failure_.code != RD_KAFKA_RESP_ERR_NO_ERROR) code = failure_.code;
  char text[512] = "";
  if (const auto fatal = rd_kafka_fatal_error(handle_.get(), text, sizeof(text)); fatal != RD_KAFKA_RESP_ERR_NO_ERROR)
    code = fatal;  // such as that it may write nowhere
  if (code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE) code = cause_of_gap(text);
  refuse_if_denied(code, "results were not taken", {"WRITE", "topic", failure_.topic});
  if (is_hopeless(code)) fail_hopeless("topic \"" + failure_.topic + "\"", code);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw LogUnavailable("results were not taken: " + error_text(code));
}

CommitOutcome KafkaPlainProducer::commit(const std::string& /*group*/, std::span<const Position> positions) {
  KAPPA_INSIDE(commit);
  KAPPA_KILL_POINT("kafka.plain-commit.begun");
  settle();
  pending_bytes_ = 0;
  KAPPA_KILL_POINT("kafka.plain-commit.settled");
  if (!positions.empty()) member_.commit(positions);
  return CommitOutcome::committed;
}

}  // namespace kappa::detail
