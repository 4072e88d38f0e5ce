#include "kappa/engine/log/kafka/membership.h"

#include <algorithm>
#include <map>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/rights.h"
#include "kappa/engine/log/local/file.h"

namespace kappa::detail {

namespace {
constexpr std::chrono::seconds kCloseTimeout{5};
constexpr int kCloseSliceMs = 50;
constexpr std::int64_t kSessionMs = 15'000;

KafkaPartitions subscription_of(const GroupMember& member) {
  KafkaPartitions topics(rd_kafka_topic_partition_list_new(0));
  for (const std::string& topic : member.topics)
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  return topics;
}

KafkaClient::Settings settings_of(const GroupMember& member) {
  check_name("group", member.group);
  KafkaClient::Settings settings{{"group.id", member.group},
                                 {"partition.assignment.strategy", "range"},
                                 {"enable.auto.commit", "false"},
                                 {"auto.offset.reset", "error"},
                                 {"allow.auto.create.topics", "false"}};
  if (!member.static_name.empty()) settings.emplace_back("group.instance.id", member.static_name);
  return settings;
}

// Brokers do not check the member of a commit that names none (generation −1, no member id), so it must name one.
bool names_a_member(const rd_kafka_consumer_group_metadata_t& metadata) {
  void* bytes = nullptr;
  std::size_t size = 0;
  const KafkaError problem(rd_kafka_consumer_group_metadata_write(&metadata, &bytes, &size));
  if (problem) return false;
  const std::string text(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(nullptr, bytes);
  constexpr std::string_view kMagic =
      "CGMDv2:";  // then the generation in 4 bytes, group and member id, each with a NUL
  if (text.rfind(kMagic, 0) != 0 || size < kMagic.size() + 4) return false;
  std::int32_t generation = -1;
  text.copy(reinterpret_cast<char*>(&generation), sizeof(generation), kMagic.size());
  const std::size_t member = text.find('\0', kMagic.size() + sizeof(generation));
  return generation >= 0 && member != std::string::npos && member + 1 < size && text[member + 1] != '\0';
}
}  // namespace

KafkaMembership::KafkaMembership(KafkaClient& client, KafkaNews& news, const GroupMember& member)
    : messages_(client.messages()),
      group_(member.group),
      topics_(member.topics.begin(), member.topics.end()),
      at_least_once_(member.at_least_once),
      session_(client_number(client, "session.timeout.ms", kSessionMs)),
      handle_(
          client.make({.type = RD_KAFKA_CONSUMER, .events = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT},
                      {{"session.timeout.ms", std::to_string(kSessionMs)}, {"heartbeat.interval.ms", "2000"}},
                      settings_of(member))) {
  rd_kafka_poll_set_consumer(handle_.get());
  queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  rd_kafka_queue_cb_event_enable(
      queue_.get(), [](rd_kafka_t*, void* opaque) { static_cast<KafkaNews*>(opaque)->arrived(); }, &news);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(handle_.get(), subscription_of(member).get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail("group \"" + group_ + "\" cannot be joined: " + error_text(code));
}

// Not by rd_kafka_consumer_close(), which waits for ever where the coordinator is gone.
KafkaMembership::~KafkaMembership() {
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  const auto until = system_clock().now() + kCloseTimeout;
  const KafkaError problem(rd_kafka_consumer_close_queue(handle_.get(), queue_.get()));
  while (!problem && !rd_kafka_consumer_closed(handle_.get()) && system_clock().now() < until) {
    const KafkaEvent event(rd_kafka_queue_poll(queue_.get(), kCloseSliceMs));
    if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) answer(nullptr);
  }
  queue_.reset();
  rd_kafka_destroy_flags(handle_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaMembership::set_metadata(Metadata metadata) {
  const std::lock_guard lock(mutex_);
  metadata_ = std::move(metadata);
}

KafkaMembership::Metadata KafkaMembership::metadata() const {
  const std::lock_guard lock(mutex_);
  return metadata_;
}

GroupChange KafkaMembership::poll() {
  for (;;) {
    const KafkaEvent event(rd_kafka_queue_poll(queue_.get(), 0));
    char text[512] = "";
    if (const auto fatal = rd_kafka_fatal_error(handle_.get(), text, sizeof(text)); fatal != RD_KAFKA_RESP_ERR_NO_ERROR)
      fail("this member of group \"" + group_ + "\" was put out: " + error_text(fatal) + ": " + text +
           (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ? ". Another process uses the same instance.id" : ""));
    if (!event) return {};
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) return on_rebalance(*event);
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_FETCH)
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get()))
        on_error(message->err, rd_kafka_message_errstr(message));
    else if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      on_error(code, rd_kafka_event_error_string(event.get()));
  }
}

void KafkaMembership::refuse_denied(rd_kafka_resp_err_t code, const std::string& what) const {
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    refuse_if_denied(code, what, {"READ", "topic", one_of(topics_)});
  refuse_if_denied(code, what, {"READ", "group", group_});
}

void KafkaMembership::on_error(rd_kafka_resp_err_t code, const std::string& reason) {
  refuse_denied(code, "group \"" + group_ + "\" cannot be joined");
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;  // its log tells
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTITION_EOF)
    messages_.tell("group \"" + group_ + "\": " + error_text(code) + ": " + reason);
}

GroupChange KafkaMembership::on_rebalance(rd_kafka_event_t& event) {
  const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(&event);
  if (rd_kafka_event_error(&event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && list) return on_assigned(*list);
  return {.kind = rd_kafka_assignment_lost(handle_.get()) ? GroupChange::Kind::lost : GroupChange::Kind::revoked,
          .partitions = {}};
}

GroupChange KafkaMembership::on_assigned(const rd_kafka_topic_partition_list_t& list) {
  Metadata metadata(rd_kafka_consumer_group_metadata(handle_.get()), [](const rd_kafka_consumer_group_metadata_t* of) {
    rd_kafka_consumer_group_metadata_destroy(const_cast<rd_kafka_consumer_group_metadata_t*>(of));
  });
  const KafkaPartitions none(rd_kafka_topic_partition_list_new(0));
  answer(none.get());
  if (!metadata || !names_a_member(*metadata))
    fail("group \"" + group_ + "\" has assigned partitions, but the Kafka client names no member of it");
  std::map<std::int32_t, std::size_t> partitions;  // how many topics give it
  for (int i = 0; i < list.cnt; ++i) ++partitions[list.elems[i].partition];
  GroupChange change{.kind = GroupChange::Kind::assigned, .partitions = {}};
  for (const auto& [partition, topics] : partitions) {
    if (topics != topics_.size())
      refuse("group \"" + group_ + "\" was assigned partition " + std::to_string(partition) + " of " +
             std::to_string(topics) + " of its " + std::to_string(topics_.size()) +
             " topics: partitions were added to one of them, or another pipeline has joined the group. Stop all "
             "instances; use another application.id for the topics as they are now");
    change.partitions.push_back(partition);
  }
  set_metadata(std::move(metadata));
  return change;
}

void KafkaMembership::commit(std::span<const Position> positions) const {
  if (!metadata()) throw LogUnavailable("the partitions of group \"" + group_ + "\" are another member's now");
  const KafkaPartitions list = list_of(positions);
  const KafkaQueue answers(rd_kafka_queue_new(handle_.get()));
  rd_kafka_resp_err_t code =
      rd_kafka_commit_queue(handle_.get(), list.get(), answers.get(), nullptr, const_cast<KafkaMembership*>(this));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const KafkaEvent answer(rd_kafka_queue_poll(answers.get(), static_cast<int>(kAnswerTimeout.count())));
    code = answer ? rd_kafka_event_error(answer.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const rd_kafka_topic_partition_list_t* each = answer ? rd_kafka_event_topic_partition_list(answer.get()) : nullptr;
    for (int i = 0; each && i < each->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) code = each->elems[i].err;
  }
  refuse_denied(code, "the positions of group \"" + group_ + "\" cannot be committed");
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw LogUnavailable("the positions of group \"" + group_ + "\" were not committed: " + error_text(code));
}

void KafkaMembership::release() {
  set_metadata(nullptr);
  answer(nullptr);
}

// Null for what was revoked. An empty list takes an assignment without fetching any of it.
void KafkaMembership::answer(const rd_kafka_topic_partition_list_t* partitions) {
  const rd_kafka_resp_err_t code = rd_kafka_assign(handle_.get(), partitions);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) messages_.tell("group \"" + group_ + "\": " + error_text(code));
}

}  // namespace kappa::detail
