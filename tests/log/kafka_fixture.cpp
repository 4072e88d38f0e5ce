#include "kappa/tests/log/kafka_fixture.h"

#include <cstdlib>
#include <stdexcept>

#include "kappa/engine/log/kafka/handles.h"

namespace kappa::testkit {

namespace {
using namespace kappa::detail;
constexpr int kTimeoutMs = 15'000;

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  char problem[512] = "";
  if (rd_kafka_conf_set(conf, name, value.c_str(), problem, sizeof(problem)) != RD_KAFKA_CONF_OK)
    throw std::runtime_error(problem);
}

KafkaHandle handle_of(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  set(conf, "bootstrap.servers", broker());
  char problem[512] = "";
  KafkaHandle handle(rd_kafka_new(type, conf, problem, sizeof(problem)));
  if (!handle) throw std::runtime_error(problem);
  return handle;
}

rd_kafka_t* admin() {
  static const KafkaHandle handle = handle_of(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
  return handle.get();
}

void await(rd_kafka_queue_t* queue, const std::string& what) {
  const KafkaEvent event(rd_kafka_queue_poll(queue, kTimeoutMs));
  if (!event) throw std::runtime_error(what + ": no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error(what + ": " + rd_kafka_event_error_string(event.get()));
}

void check(rd_kafka_error_t* raw, const std::string& what) {
  const KafkaError error(raw);
  if (error) throw std::runtime_error(what + ": " + rd_kafka_error_string(error.get()));
}

std::string text_of(rd_kafka_error_t* raw) {
  const KafkaError error(raw);
  return error ? rd_kafka_error_string(error.get()) : "";
}
}  // namespace

std::string broker() {
  const char* found = std::getenv("KAPPA_TEST_BROKER");
  if (!found) throw std::runtime_error("KAPPA_TEST_BROKER is not set: run by ctest, or start tests/kafka/broker");
  // The fixture deletes every topic there.
  if (std::string(found).rfind("127.0.0.1:", 0) != 0)
    throw std::runtime_error("KAPPA_TEST_BROKER must be on 127.0.0.1");
  return found;
}

void delete_topics(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
    const KafkaQueue queue(rd_kafka_queue_new(admin()));
    rd_kafka_DeleteTopics(admin(), &topic, 1, nullptr, queue.get());
    await(queue.get(), "deleting " + name);
    rd_kafka_DeleteTopic_destroy(topic);
  }
}

namespace {
rd_kafka_resp_err_t delete_group(const std::string& name) {
  rd_kafka_DeleteGroup_t* group = rd_kafka_DeleteGroup_new(name.c_str());
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_DeleteGroups(admin(), &group, 1, nullptr, queue.get());
  rd_kafka_DeleteGroup_destroy(group);
  const KafkaEvent event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  if (!event) return RD_KAFKA_RESP_ERR__TIMED_OUT;
  std::size_t count = 0;
  const auto results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event.get()), &count);
  const rd_kafka_error_t* error = count > 0 ? rd_kafka_group_result_error(results[0]) : nullptr;
  return error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
}
}  // namespace

void delete_groups(const std::vector<std::string>& names) {
  // A broker that has just started may leave the first question unanswered.
  constexpr int kTriesMax = 4;
  for (const std::string& name : names) {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    int tries = 0;
    do {
      code = delete_group(name);
      if (code == RD_KAFKA_RESP_ERR__TIMED_OUT && ++tries == kTriesMax)
        throw std::runtime_error("deleting " + name + ": no answer");
    } while (code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP || code == RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
}

void delete_records(const TopicPartition& at, std::int64_t before) {
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = before;
  rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list.get());
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_DeleteRecords(admin(), &records, 1, nullptr, queue.get());
  await(queue.get(), "deleting records of " + to_string(at));
  rd_kafka_DeleteRecords_destroy(records);
}

void reset_position(const std::string& group, const TopicPartition& at, std::int64_t offset) {
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = offset;
  rd_kafka_AlterConsumerGroupOffsets_t* positions = rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get());
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_AlterConsumerGroupOffsets(admin(), &positions, 1, nullptr, queue.get());
  await(queue.get(), "moving a position of " + group);
  rd_kafka_AlterConsumerGroupOffsets_destroy(positions);
}

void delete_position(const std::string& group, const TopicPartition& at) {
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
  rd_kafka_DeleteConsumerGroupOffsets_t* positions = rd_kafka_DeleteConsumerGroupOffsets_new(group.c_str(), list.get());
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_DeleteConsumerGroupOffsets(admin(), &positions, 1, nullptr, queue.get());
  await(queue.get(), "removing a position of " + group);
  rd_kafka_DeleteConsumerGroupOffsets_destroy(positions);
}

void add_partitions(const std::string& topic, int total) {
  char problem[512] = "";
  rd_kafka_NewPartitions_t* partitions =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(total), problem, sizeof(problem));
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_CreatePartitions(admin(), &partitions, 1, nullptr, queue.get());
  await(queue.get(), "adding partitions to " + topic);
  rd_kafka_NewPartitions_destroy(partitions);
}

void create_topic(const std::string& name, const std::map<std::string, std::string>& settings) {
  char problem[512] = "";
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), 1, 1, problem, sizeof(problem));
  for (const auto& [setting, value] : settings) rd_kafka_NewTopic_set_config(topic, setting.c_str(), value.c_str());
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_CreateTopics(admin(), &topic, 1, nullptr, queue.get());
  await(queue.get(), "creating " + name);
  rd_kafka_NewTopic_destroy(topic);
  KafkaLogOptions options;
  options.bootstrap_servers = broker();
  const auto log = open_kafka_log(options);
  while (!log->topic(name)) {  // decided, but a broker learns of it a moment later
  }
}

HiddenSettings::HiddenSettings(const std::string& prefix) {
  char problem[512] = "";
  for (const auto operation : {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_CREATE,
                               RD_KAFKA_ACL_OPERATION_DELETE, RD_KAFKA_ACL_OPERATION_DESCRIBE}) {
    rd_kafka_AclBinding_t* binding = rd_kafka_AclBinding_new(
        RD_KAFKA_RESOURCE_TOPIC, prefix.c_str(), RD_KAFKA_RESOURCE_PATTERN_PREFIXED, "User:ANONYMOUS", "*", operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, problem, sizeof(problem));
    const KafkaQueue queue(rd_kafka_queue_new(admin()));
    rd_kafka_CreateAcls(admin(), &binding, 1, nullptr, queue.get());
    await(queue.get(), "allowing " + prefix);
    rd_kafka_AclBinding_destroy(binding);
  }
}

HiddenSettings::~HiddenSettings() {
  char problem[512] = "";
  rd_kafka_AclBindingFilter_t* all = rd_kafka_AclBindingFilter_new(
      RD_KAFKA_RESOURCE_TOPIC, nullptr, RD_KAFKA_RESOURCE_PATTERN_ANY, nullptr, nullptr, RD_KAFKA_ACL_OPERATION_ANY,
      RD_KAFKA_ACL_PERMISSION_TYPE_ANY, problem, sizeof(problem));
  const KafkaQueue queue(rd_kafka_queue_new(admin()));
  rd_kafka_DeleteAcls(admin(), &all, 1, nullptr, queue.get());
  const KafkaEvent answer(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  rd_kafka_AclBinding_destroy(all);
}

struct BareProducer::Handle {
  KafkaHandle producer;
};

BareProducer::BareProducer(const std::string& transactional_id, int transaction_timeout_ms)
    : handle_(std::make_unique<Handle>()) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "transactional.id", transactional_id);
  set(conf, "transaction.timeout.ms", std::to_string(transaction_timeout_ms));
  set(conf, "retry.backoff.ms", "5");
  handle_->producer = handle_of(RD_KAFKA_PRODUCER, conf);
  check(rd_kafka_init_transactions(handle_->producer.get(), kTimeoutMs), "init");
}

BareProducer::~BareProducer() = default;

void BareProducer::begin() { check(rd_kafka_begin_transaction(handle_->producer.get()), "begin"); }

void BareProducer::produce(const TopicPartition& at, const std::string& value, std::int64_t timestamp_ms) {
  std::string copy = value;
  const auto code =
      rd_kafka_producev(handle_->producer.get(), RD_KAFKA_V_TOPIC(at.topic.c_str()), RD_KAFKA_V_PARTITION(at.partition),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(copy.data(), copy.size()),
                        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_flush(handle_->producer.get(), kTimeoutMs) != 0)
    throw std::runtime_error("produce: " + std::string(rd_kafka_err2str(code)));
}

void BareProducer::send_position(const std::string& group, const Position& position) {
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), position.at.topic.c_str(), position.at.partition)->offset =
      position.offset;
  const KafkaGroupMetadata of(rd_kafka_consumer_group_metadata_new(group.c_str()));
  check(rd_kafka_send_offsets_to_transaction(handle_->producer.get(), list.get(), of.get(), kTimeoutMs), "positions");
}

std::string BareProducer::commit() { return text_of(rd_kafka_commit_transaction(handle_->producer.get(), kTimeoutMs)); }
std::string BareProducer::abort() { return text_of(rd_kafka_abort_transaction(handle_->producer.get(), kTimeoutMs)); }

// No topic is left of the tests before. A deletion is seen late, so it is asked for again.
KafkaFixture::KafkaFixture() {
  const std::unique_ptr<KafkaLog> log = open();
  for (int tries = 0;; ++tries) {
    std::vector<std::string> names;
    for (const TopicInfo& topic : log->topics()) names.push_back(topic.name);
    if (names.empty()) return;
    if (tries == 200) throw std::runtime_error("topics are not deleted: " + names.front());
    delete_topics(names);
    log->wait(std::chrono::milliseconds(20));
  }
}

std::unique_ptr<KafkaLog> KafkaFixture::open(std::function<void(const std::string&)> message) const {
  KafkaLogOptions options;
  options.bootstrap_servers = broker();
  options.message = std::move(message);
  return open_kafka_log(std::move(options));
}

}  // namespace kappa::testkit
