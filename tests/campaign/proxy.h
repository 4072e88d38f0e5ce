// tests/campaign/proxy.h: stands between `kappa` and the broker and loses or delays the reply that decides a commit.
//
// It understands as much of Kafka's protocol as that needs: frames with a length, of requests the key and the
// correlation id, of replies the correlation id.
//
// Threads:  one of its own; the rest of the class is for any thread.
// Errors:   std::runtime_error if it cannot listen; a connection that breaks is closed on both sides.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <set>
#include <string>
#include <thread>

namespace kappa::campaign {

class Proxy {
 public:
  Proxy(int listen_port, int broker_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// The next reply to an EndTxn is thrown away, and its connection cut.
  void lose_next_end() { lose_ = true; }
  /// The next reply to an EndTxn, and what follows it on its connection, comes so much later.
  void delay_next_end(std::chrono::milliseconds delay) { delay_ms_ = delay.count(); }
  /// How many replies were lost or delayed so far.
  [[nodiscard]] int hits() const { return hits_; }

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Flow {  // one direction of a connection
    int from = -1, to = -1;
    std::string in, out;  // not yet a whole frame; not yet written
    Instant not_before{};
  };
  struct Connection {
    Flow requests, replies;
    std::set<std::uint32_t> ends;  // correlation ids of EndTxn requests
    bool broken = false;
  };

  void work(std::stop_token stop);
  void accept_one();
  void turn(Connection& connection);
  void read(Connection& connection, Flow& flow);
  void take_frames(Connection& connection, Flow& flow);
  /// False: the connection shall be cut.
  bool take_reply(Connection& connection, std::uint32_t correlation);

  int listener_ = -1, broker_port_;
  std::list<Connection> connections_;
  std::atomic<bool> lose_{false};
  std::atomic<std::int64_t> delay_ms_{0};
  std::atomic<int> hits_{0};
  std::jthread thread_;
};

}  // namespace kappa::campaign
