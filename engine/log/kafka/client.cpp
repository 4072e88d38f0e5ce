#include "kappa/engine/log/kafka/client.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"

namespace kappa::detail {

namespace {
constexpr std::chrono::seconds kRarely{30};

using Conf = std::unique_ptr<rd_kafka_conf_t, KafkaDestroy<rd_kafka_conf_destroy>>;

KafkaMessages* messages_of(const rd_kafka_t* handle) { return static_cast<KafkaMessages*>(rd_kafka_opaque(handle)); }

// Called by librdkafka's threads. What it will try again by itself is no news.
void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  constexpr int kWarning = 4;
  // A producer warns of the user's settings for consumers, and the other way round.
  if (level > kWarning || std::string_view(text).ends_with(": retrying") || std::string_view(facility) == "CONFWARN")
    return;
  KafkaMessages* messages = messages_of(handle);
  if (!messages) return;
  // "FAIL" is of connections.
  if (std::string_view(facility) == "FAIL")
    messages->tell_rarely(facility, std::string("kafka: ") + text);
  else
    messages->tell(std::string("kafka: ") + text);
}

void on_error(rd_kafka_t* /*handle*/, int code, const char* reason, void* opaque) {
  static_cast<KafkaMessages*>(opaque)->note_error(static_cast<rd_kafka_resp_err_t>(code), reason);
}

void set(const Conf& conf, const std::string& name, const std::string& value) {
  char problem[512] = "";
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem, sizeof(problem)) != RD_KAFKA_CONF_OK)
    usage_error("setting kafka." + name + ": " + problem);
}
}  // namespace

void KafkaMessages::tell(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (!message_ || line == last_line_) return;
  last_line_ = line;
  message_(line);
}

void KafkaMessages::tell_rarely(const std::string& kind, const std::string& line) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = system_clock().now();
    const auto told = told_.find(kind);
    if (told != told_.end() && now - told->second < kRarely) return;
    told_[kind] = now;
  }
  tell(line);
}

void KafkaMessages::note_error(rd_kafka_resp_err_t code, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  const auto says = [&](const char* words) { return reason.find(words) != std::string::npos; };
  // A broker that is stopped hangs up in the middle of a handshake, too. An alert is what it thinks of the client.
  const bool hopeless = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || says("SSL alert number") ||
                        (code == RD_KAFKA_RESP_ERR__SSL && !says("unexpected eof"));
  // "all brokers are down" follows the reason why, and would hide it.
  if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && (hopeless || !hopeless_)) last_error_ = reason;
  hopeless_ |= hopeless;
}

std::string KafkaMessages::last_error() {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

bool KafkaMessages::is_hopeless() {
  const std::lock_guard lock(mutex_);
  return hopeless_;
}

bool KafkaMessages::speaks_otherwise() {
  const std::string error = last_error();
  return error.find("incorrect security.protocol") != std::string::npos ||
         error.find("SSL handshake failed") != std::string::npos;
}

KafkaClient::KafkaClient(KafkaLogOptions options)
    : options_(std::move(options)), messages_(std::make_shared<KafkaMessages>(options_.message)) {}

KafkaHandle KafkaClient::make(const Kind& kind, const Settings& defaults, const Settings& musts) {
  Conf conf(rd_kafka_conf_new());
  set(conf, "bootstrap.servers", options_.bootstrap_servers);
  set(conf, "client.id", "kappa");
  set(conf, "socket.nagle.disable", "true");
  set(conf, "socket.timeout.ms", "30000");
  set(conf, "log.connection.close", "false");
  for (const auto& [name, value] : defaults) set(conf, name, value);
  for (const auto& [name, value] : options_.client) set(conf, name, value);
  for (const auto& [name, value] : musts) set(conf, name, value);
  rd_kafka_conf_set_opaque(conf.get(), messages_.get());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (kind.delivered) rd_kafka_conf_set_dr_msg_cb(conf.get(), kind.delivered);
  if (kind.events != 0) rd_kafka_conf_set_events(conf.get(), kind.events);
  char problem[512] = "";
  KafkaHandle handle(rd_kafka_new(kind.type, conf.get(), problem, sizeof(problem)));
  if (!handle) usage_error(std::string("the Kafka client cannot start: ") + problem);
  static_cast<void>(conf.release());  // the handle's now
  return handle;
}

std::int64_t client_number(const KafkaClient& client, const std::string& name, std::int64_t fallback) {
  const auto found = client.options().client.find(name);
  if (found == client.options().client.end()) return fallback;
  std::int64_t number = fallback;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

std::string error_text(rd_kafka_resp_err_t code) {
  return std::string(rd_kafka_err2name(code)) + ": " + rd_kafka_err2str(code);
}

bool is_transient(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT: return true;
    default: break;
  }
  return false;
}

}  // namespace kappa::detail
