#include "kappa/engine/log/kafka/kafka_producer.h"

#include <algorithm>
#include <exception>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/engine/kill_region.h"
#include "kappa/engine/log/kafka/rights.h"
#include "kappa/engine/log/local/file.h"
#include "kappa/engine/random_id.h"

namespace kappa::detail {

namespace {
constexpr std::size_t kMetadataBytesMax = 4096;  // a broker's bound (offset.metadata.max.bytes)
constexpr std::int64_t kTransactionTimeoutMs = 60'000;
constexpr std::chrono::milliseconds kEndTimeout{5'000};  // for the abort of a producer that is let go

}  // namespace

// A failed delivery makes the transaction abort. Without a callback the messages would be freed by librdkafka's thread,
// two to three times slower.
void KafkaProducer::on_delivery(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  auto& delivered = *static_cast<Delivered*>(message->_private);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
    delivered.last = std::max(delivered.last, message->offset);
  else if (delivered.failure == RD_KAFKA_RESP_ERR_NO_ERROR || is_hopeless(message->err))
    delivered.failure = message->err;
}

void KafkaProducer::fail_if_hopeless() const {
  for (const auto& [at, delivered] : *written_)
    if (is_hopeless(delivered.failure)) fail_hopeless(to_string(at), delivered.failure);
}

KafkaProducer::KafkaProducer(KafkaClient& client, KafkaCluster& cluster, std::string transactional_id,
                             const KafkaMembership* member)
    : cluster_(cluster),
      member_(member),
      messages_(client.shared_messages()),
      id_(transactional_id.empty() ? "kappa-" + random_id() : std::move(transactional_id)),
      timeout_(client_number(client, "transaction.timeout.ms", kTransactionTimeoutMs)),
      transactions_(std::make_unique<KafkaTransactions>(make_handle(client), messages_)),
      sender_(std::make_unique<KafkaSender>(cluster, transactions_->handle(), timeout_)) {
  const CallResult result = transactions_->call(
      timeout_, [](rd_kafka_t* handle, int timeout_ms) { return rd_kafka_init_transactions(handle, timeout_ms); });
  if (result == CallResult::done) return;
  refuse_if_denied(transactions_->problem_code(), "producer \"" + id_ + "\" cannot be opened",
                   {"WRITE", "transactional id", id_});
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
  sender_.reset();
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

void KafkaProducer::append(const TopicPartition& to, std::span<const OutRecord> records) {
  check_usable();
  rd_kafka_topic_t* topic = sender_->topic(to);
  begin();
  Delivered& delivered = (*written_)[to];
  for (const OutRecord& record : records) {
    const rd_kafka_resp_err_t code = sender_->send(topic, to.partition, record, &delivered);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail_append(to, record, code);
    pending_bytes_ += bytes_of(record);
  }
  if (KAPPA_FAULT("kafka.outputs-alone")) static_cast<void>(commit("", {}));
  rd_kafka_poll(transactions_->handle(), 0);
}

void KafkaProducer::fail_append(const TopicPartition& to, const OutRecord& record, rd_kafka_resp_err_t code) {
  char text[512] = "";
  if (rd_kafka_fatal_error(transactions_->handle(), text, sizeof(text)) == RD_KAFKA_RESP_ERR__FENCED) fail_fenced();
  if (code == RD_KAFKA_RESP_ERR__STATE)
    if (const CallResult failed = ask_cause(); is_denied(transactions_->problem_code()))
      static_cast<void>(give_up(failed));
  fail_send(to, record, code);
}

// Without membership in a group there is no generation, and the brokers check none: what fences is transactional.id.
// With it, they refuse what a member commits whose partitions others have got.
CallResult KafkaProducer::send_positions(const std::string& group, std::span<const Position> positions) {
  // Shared with the call, which may outlive this one (transactions.h).
  const std::shared_ptr<rd_kafka_topic_partition_list_t> list = list_of(positions);
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
    if (const CallResult sent = send_positions(group, positions); sent != CallResult::done)
      return give_up(sent, {group, positions});
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
  for (auto& [at, delivered] : *written_) {
    if (delivered.last < 0) continue;
    cluster_.note_committed(at, delivered.last + 2);  // the transaction's marker lies behind
    unseen_.push_back(at);
    delivered.last = -1;
  }
}

// Of a transaction that had failed before the call: asked for another one, the client says why, and does nothing.
CallResult KafkaProducer::ask_cause() {
  return transactions_->call(timeout_, [](rd_kafka_t* handle, int) { return rd_kafka_begin_transaction(handle); });
}

// After an abort that the brokers have accepted, nothing of the transaction was or will be committed; they refuse it
// where the commit had reached them. In all other cases only the committed positions can tell.
CommitOutcome KafkaProducer::give_up(CallResult result, const Sent& sent) {
  if (result == CallResult::fenced) fail_fenced();
  if (transactions_->problem_code() == RD_KAFKA_RESP_ERR__STATE) static_cast<void>(ask_cause());
  const rd_kafka_resp_err_t code = transactions_->problem_code();
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
  // Also after the abort: librdkafka 2.0 goes on with sequence numbers that the broker has not seen.
  dead_ = why;
  rd_kafka_poll(transactions_->handle(), 0);  // reports of what was not delivered
  fail_if_hopeless();
  refuse_denied(code, sent);
  messages_->tell("the transaction of \"" + id_ + "\" " +
                  (aborted ? "was aborted: " : "has an unknown outcome, which the committed positions tell: ") + why);
  return aborted ? CommitOutcome::aborted : CommitOutcome::unknown;
}

// Topics are those that are written: what is read has been read by now.
void KafkaProducer::refuse_denied(rd_kafka_resp_err_t code, const Sent& sent) const {
  const std::string what = "the transaction of \"" + id_ + "\" was not committed";
  if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) refuse_if_denied(code, what, {"READ", "group", sent.group});
  if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    refuse_if_denied(code, what, {"WRITE", "transactional id", id_});
  std::set<std::string> topics;
  for (const auto& [at, last] : *written_) topics.insert(at.topic);
  const char* operation = topics.empty() ? "READ" : "WRITE";
  if (topics.empty())
    for (const Position& position : sent.positions) topics.insert(position.at.topic);
  refuse_if_denied(code, what, {operation, "topic", one_of(topics)});
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
