// tests/campaign/broker.h: a Kafka broker of the campaign's own, to be killed, stopped and held (tests/kafka/broker).
//
// It has two listeners: one that is advertised as it is, for the harness, and one that is advertised where the proxy
// listens, for a `kappa` whose replies shall be dropped or delayed.
//
// Threads:  one.
// Owns:     the process; it is stopped, and its data removed, at the end.
// Errors:   std::runtime_error where the broker does not do what it is asked to.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace kappa::campaign {

class Broker {
 public:
  /// On the port that KAPPA_CAMPAIGN_PORT names; the three behind it are taken too.
  Broker();
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int proxied_port() const { return port_ + 1; }  // where the broker listens for the proxy
  [[nodiscard]] int proxy_port() const { return port_ + 2; }    // where clients are sent to

  void kill() const { call("kill"); }
  void stop() const { call("stop"); }
  /// Returns once it answers; its coordinators may still be loading.
  void restart() const { call("restart"); }
  void hold() const;
  void go_on() const;

  /// Waits until all of them are there.
  void create_topics(const std::map<std::string, int>& partitions) const;
  void delete_topics(const std::vector<std::string>& names) const;
  [[nodiscard]] std::vector<std::string> topics() const;

 private:
  void call(const std::string& verb) const;
  [[nodiscard]] pid_t pid() const;

  int port_;
};

/// The one of this program, started when it is first asked for.
[[nodiscard]] Broker& the_broker();

}  // namespace kappa::campaign
