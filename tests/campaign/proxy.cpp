#include "kappa/tests/campaign/proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace kappa::campaign {

namespace {
constexpr std::uint16_t kEndTxn = 26;
constexpr int kTickMs = 10;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int new_socket(int flags) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t raw = 0;
  std::memcpy(&raw, bytes.data() + at, sizeof raw);
  return ntohl(raw);
}
}  // namespace

Proxy::Proxy(int listen_port, int broker_port) : listener_(new_socket(SOCK_NONBLOCK)), broker_port_(broker_port) {
  const sockaddr_in address = loopback(listen_port);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 64) != 0)
    throw std::runtime_error("the proxy cannot listen on port " + std::to_string(listen_port));
  thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
}

Proxy::~Proxy() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

void Proxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int broker = new_socket(0);
  const sockaddr_in address = loopback(broker_port_);
  if (::connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(client);
    ::close(broker);
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.requests.from = connection.replies.to = client;
  connection.requests.to = connection.replies.from = broker;
}

void Proxy::read(Connection& connection, Flow& flow) {
  char bytes[65536];
  const ssize_t n = ::recv(flow.from, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0) {
    flow.in.append(bytes, static_cast<std::size_t>(n));
    take_frames(connection, flow);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    connection.broken = true;
  }
}

void Proxy::take_frames(Connection& connection, Flow& flow) {
  constexpr std::size_t kLength = 4, kCorrelationOfReply = 4, kKey = 4, kCorrelationOfRequest = 8;
  while (flow.in.size() >= kLength + 8) {
    const std::size_t size = kLength + number_at(flow.in, 0);
    if (flow.in.size() < size) return;
    if (&flow == &connection.requests && number_at(flow.in, kKey) >> 16U == kEndTxn)
      connection.ends.insert(number_at(flow.in, kCorrelationOfRequest));
    if (&flow == &connection.replies && !take_reply(connection, number_at(flow.in, kCorrelationOfReply))) {
      connection.broken = true;
      return;
    }
    flow.out.append(flow.in, 0, size);
    flow.in.erase(0, size);
  }
}

bool Proxy::take_reply(Connection& connection, std::uint32_t correlation) {
  if (connection.ends.erase(correlation) == 0) return true;
  if (lose_.exchange(false)) {
    ++hits_;
    return false;
  }
  if (const std::int64_t delay = delay_ms_.exchange(0); delay > 0) {
    ++hits_;
    connection.replies.not_before = std::chrono::steady_clock::now() + std::chrono::milliseconds(delay);
  }
  return true;
}

void Proxy::turn(Connection& connection) {
  for (Flow* flow : {&connection.requests, &connection.replies}) {
    read(connection, *flow);
    if (flow->out.empty() || std::chrono::steady_clock::now() < flow->not_before) continue;
    const ssize_t n = ::send(flow->to, flow->out.data(), flow->out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
      flow->out.erase(0, static_cast<std::size_t>(n));
    else if (errno != EAGAIN && errno != EINTR)
      connection.broken = true;
  }
}

void Proxy::work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> watched{{listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      watched.push_back({connection.requests.from, POLLIN, 0});
      watched.push_back({connection.replies.from, POLLIN, 0});
    }
    ::poll(watched.data(), watched.size(), kTickMs);
    if ((watched.front().revents & POLLIN) != 0) accept_one();
    for (Connection& connection : connections_) turn(connection);
    connections_.remove_if([](const Connection& connection) {
      if (!connection.broken) return false;
      ::close(connection.requests.from);
      ::close(connection.replies.from);
      return true;
    });
  }
  for (const Connection& connection : connections_) {
    ::close(connection.requests.from);
    ::close(connection.replies.from);
  }
}

}  // namespace kappa::campaign
