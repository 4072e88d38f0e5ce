// kappa/engine/log/kafka/client.h: makes librdkafka's handles with the settings that kappa needs, and takes what they
// log.
//
// Threads:  safe from any thread.
// Owns:     the settings; a handle holds on to the place where its lines go.
// Errors:   kappa::Error `usage` for a setting that librdkafka does not take.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kappa/engine/log/kafka/handles.h"
#include "kappa/engine/log/kafka/kafka_log.h"

namespace kappa::detail {

/// How long one question to the brokers may take.
inline constexpr std::chrono::milliseconds kAnswerTimeout{30'000};

/// Where librdkafka's threads leave their lines.
class KafkaMessages {
 public:
  explicit KafkaMessages(std::function<void(const std::string&)> message) : message_(std::move(message)) {}
  void tell(const std::string& line);
  /// Tells one line of its kind in half a minute: brokers that are away are told of by every connection, again and
  /// again.
  void tell_rarely(const std::string& kind, const std::string& line);
  /// An error that no call returned: brokers that cannot be reached, wrong credentials.
  void note_error(rd_kafka_resp_err_t code, const std::string& reason);
  [[nodiscard]] std::string last_error();
  /// Waiting longer will not help: credentials or certificates are wrong.
  [[nodiscard]] bool is_hopeless();
  /// Brokers hang up at the first words: they expect TLS, or do not know it. One that is being stopped does so, too.
  [[nodiscard]] bool speaks_otherwise();

 private:
  std::mutex mutex_;
  std::function<void(const std::string&)> message_;
  std::string last_line_, last_error_;
  std::map<std::string, std::chrono::steady_clock::time_point> told_;  // by kind
  bool hopeless_ = false;
};

class KafkaClient {
 public:
  using Settings = std::vector<std::pair<const char*, std::string>>;

  using DeliveryReport = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

  struct Kind {
    rd_kafka_type_t type = RD_KAFKA_CONSUMER;
    DeliveryReport delivered = nullptr;
    int events = 0;  // RD_KAFKA_EVENT_…, for its queue instead of callbacks
  };

  explicit KafkaClient(KafkaLogOptions options);
  /// The user's settings come behind kappa's defaults and in front of what must hold.
  [[nodiscard]] KafkaHandle make(const Kind& kind, const Settings& defaults, const Settings& musts);
  [[nodiscard]] const KafkaLogOptions& options() const { return options_; }
  [[nodiscard]] KafkaMessages& messages() { return *messages_; }
  /// Shared, since a producer whose call never returned is left behind with its handle, which may log after the log
  /// has gone.
  [[nodiscard]] const std::shared_ptr<KafkaMessages>& shared_messages() const { return messages_; }

 private:
  KafkaLogOptions options_;
  std::shared_ptr<KafkaMessages> messages_;
};

/// The value of a client setting as given by the user, or `fallback`.
[[nodiscard]] std::int64_t client_number(const KafkaClient& client, const std::string& name, std::int64_t fallback);

/// "name: text" of an error code.
[[nodiscard]] std::string error_text(rd_kafka_resp_err_t code);
/// Worth asking again: the cluster is moving, or a connection went.
[[nodiscard]] bool is_transient(rd_kafka_resp_err_t code);

}  // namespace kappa::detail
