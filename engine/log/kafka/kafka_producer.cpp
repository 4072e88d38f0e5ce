#include "kappa/engine/log/kafka/kafka_producer.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/kill_region.h"
#include "kappa/engine/log/local/file.h"
#include "kappa/engine/random_id.h"

namespace kappa::detail {

namespace {
constexpr std::size_t kMetadataBytesMax = 4096;  // a broker's bound (offset.metadata.max.bytes)
constexpr std::int64_t kTransactionTimeoutMs = 60'000;
constexpr int kQueueFullWaitMs = 100;
constexpr std::chrono::milliseconds kEndTimeout{5'000};  // for the abort of a producer that is let go

const char* bytes_of(std::string_view text, bool is_null) {
  if (is_null) return nullptr;
  return text.data() ? text.data() : "";
}

using Headers = std::unique_ptr<rd_kafka_headers_t, KafkaDestroy<rd_kafka_headers_destroy>>;

Headers headers_of_record(const OutRecord& record) {
  if (record.headers.empty()) return {};
  Headers headers(rd_kafka_headers_new(record.headers.size()));
  for (const Header& header : record.headers)
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        bytes_of(header.value, header.value_is_null), static_cast<ssize_t>(header.value.size()));
  return headers;
}

// A failed delivery makes the transaction abort; here only the offsets matter. Without a callback the messages would be
// freed by librdkafka's thread, two to three times slower.
void on_delivery(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  auto* last = static_cast<std::int64_t*>(message->_private);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) *last = std::max(*last, message->offset);
}
}  // namespace

KafkaProducer::KafkaProducer(KafkaClient& client, KafkaCluster& cluster, std::string transactional_id,
                             const KafkaMembership* member)
    : cluster_(cluster),
      member_(member),
      messages_(client.shared_messages()),
      id_(transactional_id.empty() ? "kappa-" + random_id() : std::move(transactional_id)),
      timeout_(client_number(client, "transaction.timeout.ms", kTransactionTimeoutMs)),
      transactions_(std::make_unique<KafkaTransactions>(make_handle(client), messages_)) {
  const CallResult result = transactions_->call(
      timeout_, [](rd_kafka_t* handle, int timeout_ms) { return rd_kafka_init_transactions(handle, timeout_ms); });
  if (result != CallResult::done)
    throw LogUnavailable("producer \"" + id_ + "\" cannot be opened: " + transactions_->problem() + ". " +
                         messages_->last_error());
}

KafkaHandle KafkaProducer::make_handle(KafkaClient& client) {
  return client.make({.type = RD_KAFKA_PRODUCER, .delivered = on_delivery},
                     {{"socket.timeout.ms", std::to_string(std::min<std::int64_t>(timeout_.count(), 30'000))},
                      // A commit sends what is left at once, and nothing is visible before it: so a linger costs little
                      // time. Few, large batches, since librdkafka's thread spins while one is due that may not go yet:
                      // five are on their way in a partition at most.
                      {"linger.ms", "50"},
                      {"compression.type", "lz4"},
                      {"batch.size", std::to_string(kKafkaBatchBytes)},
                      {"message.max.bytes", "10485760"},
                      {"queue.buffering.max.messages", "1000000"},
                      {"queue.buffering.max.kbytes", "131072"},
                      // The brokers finish a transaction after its commit; asked again after the default of 100 ms,
                      // commits back to back would take that long.
                      {"retry.backoff.ms", "5"}},
                     {{"transactional.id", id_},
                      {"enable.idempotence", "true"},
                      {"transaction.timeout.ms", std::to_string(timeout_.count())},
                      {"message.timeout.ms", std::to_string(std::max<std::int64_t>(timeout_.count() / 2, 1))}});
}

KafkaProducer::~KafkaProducer() {
  topics_.clear();
  if (!dead_.empty()) return;
  // Else readers would wait for its transaction until that times out.
  if (open_)
    static_cast<void>(transactions_->call(kEndTimeout, [written = written_](rd_kafka_t* handle, int timeout_ms) {
      return rd_kafka_abort_transaction(handle, timeout_ms);
    }));
  // A run that ends by an error is started again, and must not wait here for brokers that are away.
  if (std::uncaught_exceptions() > 0) return;
  // What the process has committed is there for the next one that looks.
  try {
    for (const TopicPartition& at : unseen_) static_cast<void>(cluster_.offsets(at));
  } catch (const Error& error) {
    messages_->tell(error.what());
  }
}

void KafkaProducer::check_usable() const {
  if (!dead_.empty()) throw LogUnavailable("producer \"" + id_ + "\" is of no use any more: " + dead_);
}

void KafkaProducer::fail_fenced() {
  dead_ = "fenced";
  fail("producer \"" + id_ +
       "\" was fenced: a newer instance of the application has started, and goes on from what is committed. Nothing of "
       "the open transaction is visible");
}

void KafkaProducer::begin() {
  if (open_) return;
  check_usable();
  const CallResult result =
      transactions_->call(timeout_, [](rd_kafka_t* handle, int) { return rd_kafka_begin_transaction(handle); });
  if (result == CallResult::fenced) fail_fenced();
  if (result != CallResult::done) {
    dead_ = transactions_->problem();
    throw LogUnavailable("producer \"" + id_ + "\" cannot begin a transaction: " + dead_);
  }
  open_ = true;
}

// Asks who leads the partitions in front of the first record, which would be sent a second late otherwise.
rd_kafka_topic_t* KafkaProducer::topic(const TopicPartition& to) {
  cluster_.check_exists(to);
  KafkaTopic& topic = topics_[to.topic];
  if (topic) return topic.get();
  topic.reset(rd_kafka_topic_new(transactions_->handle(), to.topic.c_str(), nullptr));
  const struct rd_kafka_metadata* leaders = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(transactions_->handle(), 0, topic.get(), &leaders, static_cast<int>(kAnswerTimeout.count()));
  const KafkaMetadata owned(leaders);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw LogUnavailable("topic \"" + to.topic + "\" cannot be written: " + error_text(code));
  return topic.get();
}

void KafkaProducer::append(const TopicPartition& to, std::span<const OutRecord> records) {
  check_usable();
  rd_kafka_topic_t* topic = this->topic(to);
  begin();
  std::int64_t& last = written_->try_emplace(to, -1).first->second;
  for (const OutRecord& record : records) produce(topic, to, record, last);
  if (KAPPA_FAULT("kafka.outputs-alone")) static_cast<void>(commit("", {}));
  rd_kafka_poll(transactions_->handle(), 0);
}

void KafkaProducer::produce(rd_kafka_topic_t* topic, const TopicPartition& to, const OutRecord& record,
                            std::int64_t& last) {
  const char* key = bytes_of(record.key, record.key_is_null);
  const char* value = bytes_of(record.value, record.value_is_null);
  const std::int64_t timestamp = record.timestamp_ms == 0 ? 1 : record.timestamp_ms;
  Headers headers = headers_of_record(record);
  std::optional<std::chrono::steady_clock::time_point> until;  // set once the queue is full: a clock costs
  for (;;) {
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        transactions_->handle(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(to.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key ? record.key.size() : 0),
        RD_KAFKA_V_VALUE(const_cast<char*>(value), value ? record.value.size() : 0), RD_KAFKA_V_TIMESTAMP(timestamp),
        RD_KAFKA_V_OPAQUE(&last), RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      static_cast<void>(headers.release());  // the message's now
      pending_bytes_ += static_cast<std::int64_t>(record.key.size() + record.value.size());
      return;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      const auto now = system_clock().now();
      if (!until) until = now + timeout_;
      if (now < *until) {
        rd_kafka_poll(transactions_->handle(), kQueueFullWaitMs);
        continue;
      }
    }
    char text[512] = "";
    if (rd_kafka_fatal_error(transactions_->handle(), text, sizeof(text)) == RD_KAFKA_RESP_ERR__FENCED) fail_fenced();
    const std::string what = "a record of " + std::to_string(record.key.size() + record.value.size()) +
                             " bytes cannot be written to " + to_string(to) + ": " + error_text(code);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) fail(what);
    throw LogUnavailable(what);
  }
}

// Without membership in a group there is no generation, and the brokers check none: what fences is transactional.id.
// With it, they refuse what a member commits whose partitions others have got.
CallResult KafkaProducer::send_positions(const std::string& group, std::span<const Position> positions) {
  // Shared with the call, which may outlive this one (transactions.h).
  const std::shared_ptr<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())), rd_kafka_topic_partition_list_destroy);
  for (const Position& position : positions) {
    rd_kafka_topic_partition_t* one =
        rd_kafka_topic_partition_list_add(list.get(), position.at.topic.c_str(), position.at.partition);
    one->offset = position.offset;
    one->metadata_size = position.metadata.size();
    one->metadata = rd_kafka_mem_malloc(nullptr, std::max<std::size_t>(position.metadata.size(), 1));
    std::copy(position.metadata.begin(), position.metadata.end(), static_cast<char*>(one->metadata));
  }
  KafkaMembership::Metadata of;
  if (member_ && !KAPPA_FAULT("group.no-member"))
    of = member_->metadata();
  else
    of.reset(rd_kafka_consumer_group_metadata_new(group.c_str()), rd_kafka_consumer_group_metadata_destroy);
  if (!of) throw LogUnavailable("the partitions of group \"" + group + "\" are another member's now");
  return transactions_->call(timeout_, [list, of](rd_kafka_t* handle, int timeout_ms) {
    return rd_kafka_send_offsets_to_transaction(handle, list.get(), of.get(), timeout_ms);
  });
}

CommitOutcome KafkaProducer::commit(const std::string& group, std::span<const Position> positions) {
  check_usable();
  for (const Position& position : positions)
    if (position.metadata.size() > kMetadataBytesMax)
      refuse("the metadata of the position in " + to_string(position.at) + " has " +
             std::to_string(position.metadata.size()) + " bytes; 4096 are possible");
  if (!positions.empty()) check_name("group", group);
  if (!open_ && positions.empty()) return CommitOutcome::committed;
  begin();
  KAPPA_INSIDE(commit);
  KAPPA_KILL_POINT("kafka.commit.begun");
  if (!positions.empty())
    if (const CallResult sent = send_positions(group, positions); sent != CallResult::done) return give_up(sent);
  KAPPA_KILL_POINT("kafka.commit.positions-sent");
  const CallResult ended = transactions_->call(timeout_, [written = written_](rd_kafka_t* handle, int timeout_ms) {
    return rd_kafka_commit_transaction(handle, timeout_ms);
  });
  if (ended != CallResult::done) return give_up(ended);
  KAPPA_KILL_POINT("kafka.commit.decided");
  note_committed();
  open_ = false;
  pending_bytes_ = 0;
  return CommitOutcome::committed;
}

void KafkaProducer::note_committed() {
  unseen_.clear();
  for (auto& [at, last] : *written_) {
    if (last < 0) continue;
    cluster_.note_committed(at, last + 2);  // the transaction's marker lies behind
    unseen_.push_back(at);
    last = -1;
  }
}

// After an abort that the brokers have accepted, nothing of the transaction was or will be committed; they refuse it
// where the commit had reached them. In all other cases only the committed positions can tell.
CommitOutcome KafkaProducer::give_up(CallResult result) {
  if (result == CallResult::fenced) fail_fenced();
  const std::string why = transactions_->problem();
  if (result == CallResult::abort) {
    result = transactions_->call(timeout_, [written = written_](rd_kafka_t* handle, int timeout_ms) {
      return rd_kafka_abort_transaction(handle, timeout_ms);
    });
    if (result == CallResult::fenced) fail_fenced();
  }
  pending_bytes_ = 0;
  open_ = false;
  const bool aborted = result == CallResult::done;
  if (aborted && KAPPA_FAULT("kafka.goes-on-after-abort")) return CommitOutcome::committed;
  // Also after the abort: librdkafka 2.0 goes on with sequence numbers that the broker has not seen.
  dead_ = why;
  messages_->tell("the transaction of \"" + id_ + "\" " +
                  (aborted ? "was aborted: " : "has an unknown outcome, which the committed positions tell: ") + why);
  return aborted ? CommitOutcome::aborted : CommitOutcome::unknown;
}

void KafkaProducer::abort() {
  pending_bytes_ = 0;
  if (!open_) return;
  const CallResult result = transactions_->call(timeout_, [written = written_](rd_kafka_t* handle, int timeout_ms) {
    return rd_kafka_abort_transaction(handle, timeout_ms);
  });
  open_ = false;
  if (result == CallResult::done) return;
  if (result == CallResult::fenced) fail_fenced();
  dead_ = transactions_->problem();
  throw LogUnavailable("the transaction of \"" + id_ + "\" cannot be aborted: " + dead_);
}

}  // namespace kappa::detail
