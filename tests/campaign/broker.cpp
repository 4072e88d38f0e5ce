#include "kappa/tests/campaign/broker.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "kappa/tests/campaign/client.h"

namespace kappa::campaign {

namespace {
constexpr int kAdminMs = 30'000;

int port_of_environment() {
  const char* port = std::getenv("KAPPA_CAMPAIGN_PORT");
  if (port == nullptr || std::getenv("KAFKA_HOME") == nullptr)
    throw std::runtime_error("KAPPA_CAMPAIGN_PORT and KAFKA_HOME must be set: run by ctest (tests/campaign/README.md)");
  return std::atoi(port);
}

// Transactions that time out are ended within a second, not ten.
std::string properties(int port) {
  return fmt::format(
      "listeners=PLAINTEXT://127.0.0.1:{0},PROXIED://127.0.0.1:{1},CONTROLLER://127.0.0.1:{3}\n"
      "controller.quorum.voters=1@127.0.0.1:{3}\n"
      "advertised.listeners=PLAINTEXT://127.0.0.1:{0},PROXIED://127.0.0.1:{2}\n"
      "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n"
      "inter.broker.listener.name=PLAINTEXT\n"
      "transaction.abort.timed.out.transaction.cleanup.interval.ms=500\n"
      "group.min.session.timeout.ms=1000\n",
      port, port + 1, port + 2, port + 3);
}

std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  char bytes[4096];
  for (std::size_t n = 0; (n = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;) text.append(bytes, n);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed:\n" + text);
  return text;
}

std::string script(const std::string& verb, int port) {
  return fmt::format("'{}/tests/kafka/broker' {} {} 2>&1", KAPPA_SOURCE_DIR, verb, port);
}

void await(rd_kafka_queue_t* queue, const std::string& what) {
  const detail::KafkaEvent event(rd_kafka_queue_poll(queue, kAdminMs));
  if (!event) throw std::runtime_error(what + ": no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error(what + ": " + rd_kafka_event_error_string(event.get()));
}
}  // namespace

Broker& the_broker() {
  static Broker broker;
  return broker;
}

Broker::Broker() : port_(port_of_environment()) {
  ::setenv("KAFKA_PROPS", properties(port_).c_str(), 1);
  call("down");  // what an interrupted test has left
  call("up");
}

Broker::~Broker() {
  try {
    go_on();
    call("down");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the broker of the campaign: %s\n", error.what());
  }
}

void Broker::call(const std::string& verb) const { static_cast<void>(output_of(script(verb, port_))); }
pid_t Broker::pid() const { return std::atoi(output_of(script("pid", port_)).c_str()); }
void Broker::hold() const { ::kill(pid(), SIGSTOP); }
void Broker::go_on() const { ::kill(pid(), SIGCONT); }

std::vector<std::string> Broker::topics() const {
  const detail::KafkaHandle admin = client(RD_KAFKA_PRODUCER, address(), {});
  const struct rd_kafka_metadata* found = nullptr;
  if (rd_kafka_metadata(admin.get(), 1, nullptr, &found, kAdminMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the broker does not list its topics");
  const detail::KafkaMetadata owned(found);
  std::vector<std::string> names;
  for (int i = 0; i < owned->topic_cnt; ++i) names.emplace_back(owned->topics[i].topic);
  return names;
}

void Broker::create_topics(const std::map<std::string, int>& partitions) const {
  const detail::KafkaHandle admin = client(RD_KAFKA_PRODUCER, address(), {});
  for (const auto& [name, count] : partitions) {
    char problem[512] = "";
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), count, 1, problem, sizeof problem);
    const detail::KafkaQueue queue(rd_kafka_queue_new(admin.get()));
    rd_kafka_CreateTopics(admin.get(), &topic, 1, nullptr, queue.get());
    await(queue.get(), "creating " + name);
    rd_kafka_NewTopic_destroy(topic);
  }
  for (int tries = 0; tries < 1000; ++tries) {
    std::size_t there = 0;
    for (const std::string& name : topics()) there += partitions.count(name);
    if (there == partitions.size()) return;
    rd_kafka_poll(admin.get(), 10);
  }
  throw std::runtime_error("topics are not there after their creation");
}

void Broker::delete_topics(const std::vector<std::string>& names) const {
  const detail::KafkaHandle admin = client(RD_KAFKA_PRODUCER, address(), {});
  for (const std::string& name : names) {
    rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
    const detail::KafkaQueue queue(rd_kafka_queue_new(admin.get()));
    rd_kafka_DeleteTopics(admin.get(), &topic, 1, nullptr, queue.get());
    await(queue.get(), "deleting " + name);
    rd_kafka_DeleteTopic_destroy(topic);
  }
}

}  // namespace kappa::campaign
