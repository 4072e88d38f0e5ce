// Topics that are made, topics' settings, and positions of groups: librdkafka's admin calls.
#include <algorithm>
#include <array>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/cluster.h"
#include "kappa/engine/log/kafka/rights.h"
#include "kappa/engine/log/local/file.h"

namespace kappa::detail {

namespace {
// An open transaction of a dead instance ends after its transaction.timeout.ms (60 s) and the brokers' next look.
constexpr std::chrono::milliseconds kStableTimeout{90'000};
constexpr std::chrono::milliseconds kWorthTelling{2'000};

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDestroy<rd_kafka_NewTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDestroy<rd_kafka_ConfigResource_destroy>>;
using DeleteGroup = std::unique_ptr<rd_kafka_DeleteGroup_t, KafkaDestroy<rd_kafka_DeleteGroup_destroy>>;
using GroupOffsets =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, KafkaDestroy<rd_kafka_ListConsumerGroupOffsets_destroy>>;

std::string text_of(const char* text) { return text ? text : ""; }
}  // namespace

KafkaAdminOptions KafkaCluster::admin_options(rd_kafka_admin_op_t op) {
  KafkaAdminOptions options(rd_kafka_AdminOptions_new(handle_.get(), op));
  char ignored[128];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(kAnswerTimeout.count()), ignored,
                                            sizeof(ignored));
  return options;
}

KafkaEvent KafkaCluster::answer(rd_kafka_queue_t* queue, const std::string& what) {
  KafkaEvent event(rd_kafka_queue_poll(queue, static_cast<int>(2 * kAnswerTimeout.count())));
  if (!event) throw LogUnavailable(what + ": the Kafka brokers do not answer");
  return event;
}

// Kappa's topics keep what is in them, and take results that are stamped in the future.
rd_kafka_resp_err_t KafkaCluster::try_create(const std::string& name, std::int32_t partitions, bool future_timestamps,
                                             std::string& problem) {
  char text[512] = "";
  const NewTopic topic(
      rd_kafka_NewTopic_new(name.c_str(), partitions, client_.options().replication_factor, text, sizeof(text)));
  if (!topic) refuse("topic \"" + name + "\" cannot be created: " + text);
  rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "delete");
  rd_kafka_NewTopic_set_config(topic.get(), "retention.ms", "-1");
  rd_kafka_NewTopic_set_config(topic.get(), "retention.bytes", "-1");
  rd_kafka_NewTopic_set_config(topic.get(), "message.timestamp.type", "CreateTime");
  if (future_timestamps)
    rd_kafka_NewTopic_set_config(topic.get(), "message.timestamp.after.max.ms", "9223372036854775807");
  const KafkaQueue queue(rd_kafka_queue_new(handle_.get()));
  std::array<rd_kafka_NewTopic_t*, 1> topics{topic.get()};
  const KafkaAdminOptions options = admin_options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_CreateTopics(handle_.get(), topics.data(), topics.size(), options.get(), queue.get());
  const KafkaEvent event = answer(queue.get(), "creating topic \"" + name + "\"");
  problem = text_of(rd_kafka_event_error_string(event.get()));
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  std::size_t count = 0;
  const auto results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  problem = text_of(rd_kafka_topic_result_error_string(results[0]));
  return rd_kafka_topic_result_error(results[0]);
}

void KafkaCluster::create_topic(const std::string& name, std::int32_t partitions) {
  check_name("topic", name);
  if (partitions < 1) refuse("topic \"" + name + "\" needs at least one partition");
  std::string problem;
  rd_kafka_resp_err_t code = try_create(name, partitions, true, problem);
  // Brokers before 3.6 do not know the bound on timestamps, and have none.
  if (code == RD_KAFKA_RESP_ERR_INVALID_CONFIG) code = try_create(name, partitions, false, problem);
  if (is_transient(code)) fail("topic \"" + name + "\" was not created: " + error_text(code) + " " + problem);
  refuse_if_denied(code, "topic \"" + name + "\" does not exist and cannot be created", {"CREATE", "topic", name},
                   "create the topic with " + std::to_string(partitions) + " partitions and retention.ms=-1");
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    refuse("topic \"" + name + "\" cannot be created: " + error_text(code) + " " + problem);
  wait_until_led(name, partitions);
}

void KafkaCluster::wait_until_led(const std::string& name, std::int32_t partitions) {
  const auto until = system_clock().now() + kAnswerTimeout;
  for (; system_clock().now() < until; pause()) {
    const KafkaMetadata found = metadata(name.c_str(), kAnswerTimeout);
    if (!found || found->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const auto& topic = found->topics[0];
    if (topic.partition_cnt != partitions)
      refuse("topic \"" + name + "\" exists with " + std::to_string(topic.partition_cnt) + " partitions, not " +
             std::to_string(partitions));
    const bool led = std::all_of(topic.partitions, topic.partitions + topic.partition_cnt,
                                 [](const auto& partition) { return partition.leader >= 0; });
    if (!led) continue;
    const std::lock_guard lock(mutex_);
    partitions_[name] = partitions;
    return;
  }
  fail("topic \"" + name + "\" was created, but no broker leads its partitions");
}

std::optional<std::map<std::string, std::string>> KafkaCluster::topic_settings(const std::string& name) {
  const ConfigResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  const KafkaQueue queue(rd_kafka_queue_new(handle_.get()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources{resource.get()};
  const KafkaAdminOptions options = admin_options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(handle_.get(), resources.data(), resources.size(), options.get(), queue.get());
  const KafkaEvent event = answer(queue.get(), "the settings of topic \"" + name + "\"");
  const auto result = rd_kafka_event_DescribeConfigs_result(event.get());
  std::size_t count = 0;
  const auto described = result ? rd_kafka_DescribeConfigs_result_resources(result, &count) : nullptr;
  const auto code = count == 0 ? rd_kafka_event_error(event.get()) : rd_kafka_ConfigResource_error(described[0]);
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return std::nullopt;
  if (count == 0 || code != RD_KAFKA_RESP_ERR_NO_ERROR)
    fail("the settings of topic \"" + name + "\" cannot be read: " +
         text_of(count == 0 ? rd_kafka_event_error_string(event.get())
                            : rd_kafka_ConfigResource_error_string(described[0])));
  std::map<std::string, std::string> settings;
  const auto entries = rd_kafka_ConfigResource_configs(described[0], &count);
  for (std::size_t i = 0; i < count; ++i)
    settings[rd_kafka_ConfigEntry_name(entries[i])] = text_of(rd_kafka_ConfigEntry_value(entries[i]));
  return settings;
}

KafkaPartitions KafkaCluster::all_partitions() {
  std::map<std::string, std::int32_t> all;
  for (const TopicInfo& topic : topics()) all[topic.name] = topic.partitions;
  {
    const std::lock_guard lock(mutex_);
    all.insert(partitions_.begin(), partitions_.end());  // also those that a listing leaves out
  }
  KafkaPartitions list(rd_kafka_topic_partition_list_new(0));
  for (const auto& [name, partitions] : all)
    for (std::int32_t p = 0; p < partitions; ++p) rd_kafka_topic_partition_list_add(list.get(), name.c_str(), p);
  return list;
}

// librdkafka 2.0.2 reads through a null pointer where the coordinator of a group that is asked about has moved or is
// not ready yet, unless the handle itself belongs to a group (confluentinc/librdkafka#5040). So each group has a
// handle, which never joins it.
std::shared_ptr<rd_kafka_t> KafkaCluster::handle_of(const std::string& group) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<rd_kafka_t>& handle = group_handles_[group];
  if (!handle)
    handle = client_.make(
        {RD_KAFKA_CONSUMER}, {},
        {{"group.id", group}, {"isolation.level", "read_committed"}, {"allow.auto.create.topics", "false"}});
  return handle;
}

// It keeps asking the coordinator that it knows, for as long as it is used.
void KafkaCluster::forget_handle_of(const std::string& group) {
  const std::lock_guard lock(mutex_);
  group_handles_.erase(group);
}

// Asks for stable positions: while a transaction with positions of the group is being decided, the brokers say so
// instead of giving those before it. They do so for partitions that are named only: asked for all that there are, a
// group whose first positions are being decided has none. So all are named.
rd_kafka_resp_err_t KafkaCluster::try_committed(const std::string& group,
                                                std::map<TopicPartition, Position>& positions) {
  positions.clear();
  const KafkaPartitions all = all_partitions();
  if (all->cnt == 0) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const GroupOffsets asked(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), all.get()));
  const std::shared_ptr<rd_kafka_t> handle = handle_of(group);
  const KafkaQueue queue(rd_kafka_queue_new(handle.get()));
  std::array<rd_kafka_ListConsumerGroupOffsets_t*, 1> groups{asked.get()};
  const KafkaAdminOptions options = admin_options(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
  const KafkaError problem(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
  if (problem) fail("positions of group \"" + group + "\": " + rd_kafka_error_string(problem.get()));
  rd_kafka_ListConsumerGroupOffsets(handle.get(), groups.data(), groups.size(), options.get(), queue.get());
  const KafkaEvent event = answer(queue.get(), "positions of group \"" + group + "\"");
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  std::size_t count = 0;
  const auto results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(results[0])) return rd_kafka_error_code(error);
  const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(results[0]);
  for (int i = 0; list && i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& found = list->elems[i];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return found.err;
    if (found.offset < 0) continue;
    const TopicPartition at{found.topic, found.partition};
    // Not NUL-terminated.
    positions[at] = {at, found.offset, std::string(static_cast<const char*>(found.metadata), found.metadata_size)};
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::map<TopicPartition, Position> KafkaCluster::committed(const std::string& group) {
  const auto until = system_clock().now() + kStableTimeout;
  std::map<TopicPartition, Position> positions;
  for (bool told = false;; pause()) {
    const rd_kafka_resp_err_t code = try_committed(group, positions);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return positions;
    if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
      forget_handle_of(group);
    refuse_if_denied(code, "positions of group \"" + group + "\" cannot be seen", {"READ", "group", group});
    if (!is_transient(code) || system_clock().now() >= until)
      throw LogUnavailable("positions of group \"" + group + "\": " + error_text(code));
    // A transaction that has just been committed is written down within milliseconds.
    if (code != RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT || told ||
        system_clock().now() < until - kStableTimeout + kWorthTelling)
      continue;
    told = true;
    client_.messages().tell("a transaction with positions of \"" + group +
                            "\" is open: waiting until it is decided, at most its transaction.timeout.ms");
  }
}

void KafkaCluster::forget_group(const std::string& group) {
  const auto until = system_clock().now() + kAnswerTimeout;
  for (;; pause()) {
    const DeleteGroup asked(rd_kafka_DeleteGroup_new(group.c_str()));
    const KafkaQueue queue(rd_kafka_queue_new(handle_.get()));
    std::array<rd_kafka_DeleteGroup_t*, 1> groups{asked.get()};
    const KafkaAdminOptions options = admin_options(RD_KAFKA_ADMIN_OP_DELETEGROUPS);
    rd_kafka_DeleteGroups(handle_.get(), groups.data(), groups.size(), options.get(), queue.get());
    const KafkaEvent event = answer(queue.get(), "forgetting group \"" + group + "\"");
    rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::size_t count = 0;
      const auto results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event.get()), &count);
      const rd_kafka_error_t* error = rd_kafka_group_result_error(results[0]);
      code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return;
    refuse_if_denied(code, "group \"" + group + "\" cannot be forgotten", {"DELETE", "group", group});
    if (!is_transient(code) || system_clock().now() >= until)
      fail("group \"" + group + "\" cannot be forgotten: " + error_text(code));
  }
}

}  // namespace kappa::detail
