#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/kafka_log.h"
#include "kappa/engine/schema.h"

namespace kappa {

namespace {
constexpr std::array kAllowed{"security.protocol",
                              "sasl.mechanism",
                              "sasl.mechanisms",
                              "sasl.username",
                              "sasl.password",
                              "ssl.ca.location",
                              "ssl.certificate.location",
                              "ssl.key.location",
                              "ssl.key.password",
                              "ssl.cipher.suites",
                              "ssl.curves.list",
                              "ssl.sigalgs.list",
                              "ssl.crl.location",
                              "ssl.keystore.location",
                              "ssl.keystore.password",
                              "client.id",
                              "client.rack",
                              "broker.address.family",
                              "socket.timeout.ms",
                              "socket.keepalive.enable",
                              "socket.send.buffer.bytes",
                              "socket.receive.buffer.bytes",
                              "socket.connection.setup.timeout.ms",
                              "connections.max.idle.ms",
                              "reconnect.backoff.ms",
                              "reconnect.backoff.max.ms",
                              "metadata.max.age.ms",
                              "retry.backoff.ms",
                              "fetch.wait.max.ms",
                              "fetch.min.bytes",
                              "fetch.message.max.bytes",
                              "max.partition.fetch.bytes",
                              "fetch.max.bytes",
                              "queued.max.messages.kbytes",
                              "receive.message.max.bytes",
                              "message.max.bytes",
                              "linger.ms",
                              "batch.size",
                              "batch.num.messages",
                              "compression.type",
                              "compression.level",
                              "queue.buffering.max.kbytes",
                              "queue.buffering.max.messages",
                              "session.timeout.ms",
                              "heartbeat.interval.ms",
                              "max.poll.interval.ms",
                              "transaction.timeout.ms"};

struct Denied {
  std::string_view prefix, why;
};
constexpr std::array kDenied{
    Denied{"plugin.", "it loads code into the process"},
    Denied{"sasl.kerberos.", "it runs commands; Kerberos is not supported"},
    Denied{"sasl.oauthbearer.", "this build of librdkafka cannot do it"},
    Denied{"enable.sasl.oauthbearer.", "it accepts tokens that nobody signed"},
    Denied{"ssl.engine.", "it loads code into the process"},
    Denied{"ssl.providers", "it loads code into the process"},
    Denied{"enable.ssl.certificate.verification", "without it anybody can be the broker; give ssl.ca.location"},
    Denied{"ssl.endpoint.identification.algorithm", "without it anybody can be the broker; give ssl.ca.location"},
    Denied{"test.", "it is for librdkafka's own tests"},
    Denied{"debug", "its lines may hold secrets"},
    Denied{"log", "kappa decides what is told"},
    Denied{"bootstrap.servers", "it is a setting of its own, without \"kafka.\""},
    Denied{"metadata.broker.list", "bootstrap.servers is the setting"},
    Denied{"group.", "kappa keeps positions itself: by application.id"},
    Denied{"transactional.id", "kappa names its producers by application.id"},
    Denied{"isolation.level", "kappa reads committed records only"},
    Denied{"enable.", "exactly once depends on it"},
    Denied{"auto.", "exactly once depends on it"},
    Denied{"acks", "exactly once depends on it"},
    Denied{"request.required.acks", "exactly once depends on it"},
    Denied{"max.in.flight", "the order of results depends on it"},
    Denied{"message.timeout.ms", "kappa derives it from transaction.timeout.ms"},
    Denied{"delivery.timeout.ms", "kappa derives it from transaction.timeout.ms"},
    Denied{"allow.auto.create.topics", "a topic is made by kappa or by you, never by a typing error"},
    Denied{"partitioner", "kappa places records as Java producers do"},
    Denied{"check.crcs", "damage must not pass"},
};
}  // namespace

void check_kafka_setting(const std::string& name, const std::string& where) {
  if (std::find(kAllowed.begin(), kAllowed.end(), name) != kAllowed.end()) return;
  for (const Denied& denied : kDenied)
    if (name.rfind(denied.prefix, 0) == 0)
      usage_error("setting \"kafka." + name + "\" (" + where + ") cannot be given: " + std::string(denied.why));
  const std::string nearest = nearest_word(name, std::vector<std::string>(kAllowed.begin(), kAllowed.end()));
  usage_error("unknown setting \"kafka." + name + "\" (" + where + ")" +
              (nearest.empty() ? "" : "; did you mean \"kafka." + nearest + "\"?"));
}

bool is_kafka_secret(const std::string& name) {
  return name.find("password") != std::string::npos || name.find("secret") != std::string::npos;
}

}  // namespace kappa
