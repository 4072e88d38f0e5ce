#include "kappa/engine/log/kafka/cluster.h"

#include <algorithm>
#include <limits>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/rights.h"

namespace kappa::detail {

namespace {
constexpr std::chrono::milliseconds kConnectSlice{200};
constexpr std::chrono::milliseconds kPause{2};
constexpr int kScramOnKafka4 = 0x020601ff;  // the first version of librdkafka that can
// Markers come within milliseconds; after so long it is another producer's open transaction that hides the commit.
constexpr std::chrono::milliseconds kVisibleTimeout{3'000};

int ms(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

bool is_unknown(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}
}  // namespace

class KafkaCluster::Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds timeout) : at_(system_clock().now() + timeout) {}
  [[nodiscard]] bool passed() const { return system_clock().now() >= at_; }

 private:
  std::chrono::steady_clock::time_point at_;
};

KafkaCluster::KafkaCluster(KafkaClient& client)
    : client_(client),
      handle_(client.make({RD_KAFKA_CONSUMER}, {},
                          // Brokers that expect TLS hang up, which nothing else tells.
                          {{"log.connection.close", "true"},
                           {"isolation.level", "read_committed"},
                           {"allow.auto.create.topics", "false"}})) {
  connect();
}

void KafkaCluster::connect() {
  const Deadline deadline(client_.options().connect_timeout);
  while (!metadata(nullptr, std::min(kConnectSlice, client_.options().connect_timeout))) {
    rd_kafka_poll(handle_.get(), 0);
    if (!deadline.passed() && !client_.messages().is_hopeless()) continue;
    const std::string cause = client_.messages().last_error();
    const std::string why = (cause.empty() ? "" : ": " + cause) + ". bootstrap.servers says where they are";
    std::string how = ", kafka.security.protocol, kafka.sasl.* and kafka.ssl.* how they are spoken to";
    // Older ones send a nonce twice, and Kafka 4 says that the credentials are wrong (confluentinc/librdkafka#4895).
    if (rd_kafka_version() < kScramOnKafka4 && cause.find("SCRAM") != std::string::npos)
      how += std::string(". SCRAM on Kafka 4 needs librdkafka 2.6.1; this is ") + rd_kafka_version_str();
    const std::string none = "no Kafka broker answers at " + client_.options().bootstrap_servers;
    if (client_.messages().is_hopeless() || client_.messages().speaks_otherwise()) refuse(none + why + how);
    // A supervisor tries again: they may be starting, too.
    fail(none + " within " + std::to_string(client_.options().connect_timeout.count()) + " ms" + why);
  }
}

// Null where no answer came. All topics if `topic` is null.
KafkaMetadata KafkaCluster::metadata(const char* topic, std::chrono::milliseconds timeout) {
  const KafkaTopic of(topic ? rd_kafka_topic_new(handle_.get(), topic, nullptr) : nullptr);
  const struct rd_kafka_metadata* found = nullptr;
  if (topic && !of) return {};
  if (rd_kafka_metadata(handle_.get(), topic ? 0 : 1, of.get(), &found, ms(timeout)) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return KafkaMetadata(found);
}

// Gives the cluster a moment, and librdkafka's callbacks the thread.
void KafkaCluster::pause() { rd_kafka_poll(handle_.get(), ms(kPause)); }

std::vector<TopicInfo> KafkaCluster::topics() {
  const KafkaMetadata all = metadata(nullptr, kAnswerTimeout);
  if (!all) throw LogUnavailable("the Kafka brokers do not list their topics: " + client_.messages().last_error());
  std::vector<TopicInfo> topics;
  for (int i = 0; i < all->topic_cnt; ++i) {
    const auto& topic = all->topics[i];
    const std::string name = topic.topic;
    if (name.rfind("__", 0) != 0 && topic.partition_cnt > 0) topics.push_back({name, topic.partition_cnt});
  }
  std::sort(topics.begin(), topics.end(), [](const TopicInfo& a, const TopicInfo& b) { return a.name < b.name; });
  return topics;
}

std::optional<TopicInfo> KafkaCluster::topic(const std::string& name) {
  if (name.empty() || name.size() > 249) return std::nullopt;
  for (const Deadline deadline(kAnswerTimeout);; pause()) {
    const KafkaMetadata found = metadata(name.c_str(), kAnswerTimeout);
    const auto code = found ? found->topics[0].err : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (is_unknown(code)) {
      const std::lock_guard lock(mutex_);
      partitions_.erase(name);
      return std::nullopt;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const std::lock_guard lock(mutex_);
      return TopicInfo{name, partitions_[name] = found->topics[0].partition_cnt};
    }
    refuse_if_denied(code, "topic \"" + name + "\" cannot be seen",
                     {"DESCRIBE (READ and WRITE include it)", "topic", name});
    if (!is_transient(code)) refuse("topic \"" + name + "\": " + error_text(code));
    if (deadline.passed())
      throw LogUnavailable("topic \"" + name + "\": no answer of the brokers: " + error_text(code));
  }
}

void KafkaCluster::check_exists(const TopicPartition& at) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = partitions_.find(at.topic);
    if (found != partitions_.end() && at.partition >= 0 && at.partition < found->second) return;
  }
  const std::optional<TopicInfo> info = topic(at.topic);
  if (!info) refuse("topic \"" + at.topic + "\" does not exist");
  if (at.partition < 0 || at.partition >= info->partitions)
    refuse(to_string(at) + " does not exist: the topic has partitions 0 to " + std::to_string(info->partitions - 1));
}

// As the brokers say: librdkafka takes a partition for unknown, too, while a broker that has just started leads none.
bool KafkaCluster::is_there(const TopicPartition& at) {
  const std::optional<TopicInfo> info = topic(at.topic);
  return info && at.partition < info->partitions;
}

KafkaCluster::Offsets KafkaCluster::offsets(const TopicPartition& at) {
  check_exists(at);
  const Deadline visible(kVisibleTimeout);
  for (const Deadline deadline(kAnswerTimeout);; pause()) {
    Offsets offsets;
    const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(handle_.get(), at.topic.c_str(), at.partition,
                                                                      &offsets.start, &offsets.end, ms(kAnswerTimeout));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (!is_behind(at, visible.passed() ? std::numeric_limits<std::int64_t>::max() : offsets.end)) return offsets;
      continue;
    }
    if (is_unknown(code) && !is_there(at)) refuse(to_string(at) + " does not exist any more: " + error_text(code));
    refuse_if_denied(code, "offsets of " + to_string(at) + " cannot be seen", {"DESCRIBE", "topic", at.topic});
    if (!(is_transient(code) || is_unknown(code)) || deadline.passed())
      throw LogUnavailable("offsets of " + to_string(at) + ": " + error_text(code));
    static_cast<void>(topic(at.topic));  // librdkafka 2.0 looks for a new leader only when it is asked to
  }
}

void KafkaCluster::note_committed(const TopicPartition& at, std::int64_t end) {
  const std::lock_guard lock(mutex_);
  std::int64_t& noted = committed_to_[at];
  noted = std::max(noted, end);
}

bool KafkaCluster::is_behind(const TopicPartition& at, std::int64_t end) {
  const std::lock_guard lock(mutex_);
  const auto noted = committed_to_.find(at);
  if (noted == committed_to_.end()) return false;
  if (end < noted->second) return true;
  committed_to_.erase(noted);
  return false;
}

// Traps: no such record is offset −1, which elsewhere means "the end"; on an error the list still holds the timestamp;
// negative timestamps are questions of other kinds (−1 the end, −2 the start, −3 the greatest timestamp).
std::optional<std::int64_t> KafkaCluster::offset_at(const TopicPartition& at, std::int64_t timestamp_ms) {
  check_exists(at);
  for (const Deadline deadline(kAnswerTimeout);; pause()) {
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_t* asked = rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
    asked->offset = std::max<std::int64_t>(timestamp_ms, 0);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle_.get(), list.get(), ms(kAnswerTimeout));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = asked->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      return asked->offset < 0 ? std::nullopt : std::optional<std::int64_t>(asked->offset);
    if (is_unknown(code) && !is_there(at)) refuse(to_string(at) + " does not exist any more: " + error_text(code));
    refuse_if_denied(code, "offsets of " + to_string(at) + " cannot be seen", {"DESCRIBE", "topic", at.topic});
    if (!(is_transient(code) || is_unknown(code)) || deadline.passed())
      throw LogUnavailable("the offset at a time in " + to_string(at) + ": " + error_text(code));
    static_cast<void>(topic(at.topic));
  }
}

}  // namespace kappa::detail
