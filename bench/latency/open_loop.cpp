#include "kappa/bench/latency/open_loop.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "kappa/engine/log/kafka/handles.h"
#include "kappa/engine/murmur2.h"

namespace kappa::bench {

namespace {
using namespace kappa::detail;
using Settings = std::map<std::string, std::string>;
constexpr int kAnswerMs = 10'000;

KafkaHandle client(rd_kafka_type_t type, const std::string& brokers, const Settings& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char problem[512] = "";
  const auto set = [&](const std::string& name, const std::string& value) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem, sizeof(problem)) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(problem);
  };
  set("bootstrap.servers", brokers);
  set("socket.nagle.disable", "true");
  for (const auto& [name, value] : settings) set(name, value);
  KafkaHandle handle(rd_kafka_new(type, conf, problem, sizeof(problem)));
  if (!handle) throw std::runtime_error(problem);
  return handle;
}

rd_kafka_event_t* answer(rd_kafka_queue_t* queue) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kAnswerMs);
  if (event == nullptr) throw std::runtime_error("the brokers do not answer");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error(rd_kafka_event_error_string(event));
  return event;
}

// The topic's leaders are asked for first, or the first record or fetch is a second late.
KafkaTopic known_topic(rd_kafka_t* handle, const std::string& name) {
  KafkaTopic topic(rd_kafka_topic_new(handle, name.c_str(), nullptr));
  for (int tries = 100; tries > 0; --tries) {
    const struct rd_kafka_metadata* answer = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic.get(), &answer, kAnswerMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(code));
    const KafkaMetadata owned(answer);
    if (answer->topic_cnt == 1 && answer->topics[0].partition_cnt == kPartitions) return topic;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error("topic " + name + " is not there");
}

std::int64_t number_behind(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) throw std::runtime_error("a result has no " + std::string(name));
  return std::strtoll(text.data() + at + name.size(), nullptr, 10);  // ends at the comma or brace
}

Result result_of(const rd_kafka_message_t& message) {
  const std::string_view text(static_cast<const char*>(message.payload), message.len);
  return {number_behind(text, "\"key\":"), number_behind(text, "\"due\":")};
}

// The bytes around the numbers make it about 200 of JSON.
void write_value(std::string& to, std::int64_t record, std::int64_t key, std::int64_t due) {
  static const std::string kPadding(100, 'x');
  to.clear();
  fmt::format_to(std::back_inserter(to), R"({{"id":{},"key":{},"at":{},"due":{},"padding":"{}"}})", record, key, due,
                 due, kPadding);
}
}  // namespace

std::int64_t Schedule::now_us() const {
  const auto elapsed = std::chrono::steady_clock::now() - start;
  return start_us + std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
}

std::int32_t partition_of_key(std::int64_t key) { return partition_of(std::to_string(key), kPartitions); }

RunTopics::RunTopics(std::string brokers, const std::string& name)
    : input(name + "-in"), output(name + "-out"), brokers_(std::move(brokers)) {
  const KafkaHandle handle = client(RD_KAFKA_PRODUCER, brokers_, {});
  const KafkaQueue queue(rd_kafka_queue_new(handle.get()));
  for (const std::string& topic : {input, output}) {
    char problem[512] = "";
    rd_kafka_NewTopic_t* made = rd_kafka_NewTopic_new(topic.c_str(), kPartitions, -1, problem, sizeof(problem));
    // A long run must not fill the disk.
    rd_kafka_NewTopic_set_config(made, "retention.bytes", "134217728");
    rd_kafka_NewTopic_set_config(made, "segment.bytes", "33554432");
    rd_kafka_CreateTopics(handle.get(), &made, 1, nullptr, queue.get());
    rd_kafka_NewTopic_destroy(made);
    const KafkaEvent event(answer(queue.get()));
  }
}

RunTopics::~RunTopics() {
  try {
    const KafkaHandle handle = client(RD_KAFKA_PRODUCER, brokers_, {});
    const KafkaQueue queue(rd_kafka_queue_new(handle.get()));
    for (const std::string& topic : {input, output}) {
      rd_kafka_DeleteTopic_t* gone = rd_kafka_DeleteTopic_new(topic.c_str());
      rd_kafka_DeleteTopics(handle.get(), &gone, 1, nullptr, queue.get());
      rd_kafka_DeleteTopic_destroy(gone);
      const KafkaEvent event(answer(queue.get()));
    }
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "the topics of this run are left: {}\n", error.what());
  }
}

std::vector<std::int64_t> feed(const std::string& brokers, const std::string& topic, const Schedule& schedule) {
  // Each tick costs the broker a request per partition.
  constexpr std::chrono::milliseconds kTick{2};
  const KafkaHandle handle = client(RD_KAFKA_PRODUCER, brokers, {{"linger.ms", "0"}, {"acks", "all"}});
  const KafkaTopic to = known_topic(handle.get(), topic);
  std::vector<std::int64_t> late;
  late.reserve(static_cast<std::size_t>(schedule.records()));
  std::string value;
  auto tick = schedule.start;
  for (std::int64_t i = 0; i < schedule.records();) {
    std::this_thread::sleep_until(tick += kTick);
    const std::int64_t now = schedule.now_us();
    for (; i < schedule.records() && schedule.due_us(i) <= now; ++i) {
      const std::int64_t key = i % schedule.keys, due = schedule.due_us(i);
      write_value(value, i, key, due);
      const std::string key_text = std::to_string(key);
      if (rd_kafka_produce(to.get(), partition_of_key(key), RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK, value.data(),
                           value.size(), key_text.data(), key_text.size(), nullptr) != 0)
        throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
      late.push_back(schedule.now_us() - due);
    }
    rd_kafka_poll(handle.get(), 0);
  }
  if (rd_kafka_flush(handle.get(), kAnswerMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the brokers did not take all records");
  return late;
}

std::vector<std::int64_t> collect(const Collecting& what, const Schedule& schedule) {
  constexpr int kWaitMs = 100;
  const KafkaHandle handle = client(RD_KAFKA_CONSUMER, what.brokers,
                                    {{"isolation.level", "read_committed"},
                                     {"fetch.wait.max.ms", "10"},
                                     {"enable.auto.commit", "false"},
                                     {"queued.min.messages", "1000000"}});
  const KafkaTopic from = known_topic(handle.get(), what.topic);
  const KafkaQueue queue(rd_kafka_queue_new(handle.get()));
  for (std::int32_t partition = 0; partition < kPartitions; ++partition)
    rd_kafka_consume_start_queue(from.get(), partition, RD_KAFKA_OFFSET_BEGINNING, queue.get());
  std::vector<std::int64_t> latencies;
  latencies.reserve(static_cast<std::size_t>(what.expected));
  std::array<rd_kafka_message_t*, 4096> messages{};
  const auto until = schedule.start + std::chrono::microseconds(schedule.total_us) + what.patience;
  while (static_cast<std::int64_t>(latencies.size()) < what.expected && std::chrono::steady_clock::now() < until) {
    messages[0] = rd_kafka_consume_queue(queue.get(), kWaitMs);
    if (messages[0] == nullptr) continue;
    const auto more = rd_kafka_consume_batch_queue(queue.get(), 0, messages.data() + 1, messages.size() - 1);
    const std::int64_t now = schedule.now_us();
    for (std::size_t i = 0; i < static_cast<std::size_t>(more) + 1; ++i) {
      if (messages[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        throw std::runtime_error(rd_kafka_message_errstr(messages[i]));
      const std::int64_t cause = what.cause_us(result_of(*messages[i]));
      if (schedule.is_measured(cause)) latencies.push_back(now - cause);
      rd_kafka_message_destroy(messages[i]);
    }
  }
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) rd_kafka_consume_stop(from.get(), partition);
  return latencies;
}

}  // namespace kappa::bench
