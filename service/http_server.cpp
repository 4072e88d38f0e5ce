#include "kappa/service/http_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <thread>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
constexpr std::size_t kThreads = 4, kBodyBytesMax = 64 << 10;
constexpr std::chrono::seconds kTimeout{5};

struct Address {
  std::string host = "127.0.0.1";
  int port = 0;
};

Address address_of(const Settings& settings) {
  const std::string text = settings.text("http.listen");
  Address address;
  std::string_view port = text;
  if (const std::size_t colon = text.rfind(':'); colon != std::string::npos) {
    address.host = text.substr(0, colon);
    port = std::string_view(text).substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || port.empty() || address.port < 0 ||
      address.port > 65535 || address.host.empty())
    settings.reject("http.listen", "must be a port or HOST:PORT; 0 takes any free port");
  return address;
}

bool is_loopback(const std::string& host) {
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]" || host == "::1";
}

// Takes as long for a wrong token as for the right one.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned differences = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    differences |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  return differences == 0;
}

// A page of another site may make a browser on this machine ask us under that site's name.
bool is_local_name(std::string host) {
  if (const std::size_t colon = host.rfind(':');
      colon != std::string::npos && host.find(']', colon) == std::string::npos)
    host.resize(colon);
  return is_loopback(host);
}

void answer(httplib::Response& response, int code, const std::string& text) {
  response.status = code;
  response.set_content(text, "text/plain; charset=utf-8");
}
}  // namespace

struct HttpServer::Server {
  explicit Server(const WatchedRun& watched) : run(watched) {}

  void set_routes() {
    http.Get("/livez", [this](const auto&, auto& response) { tell(response, why_not_alive(run)); });
    http.Get("/readyz", [this](const auto&, auto& response) { tell(response, why_not_ready(run)); });
    http.Get("/metrics", [this](const auto&, auto& response) {
      response.set_content(prometheus_text(run), "text/plain; version=0.0.4; charset=utf-8");
    });
    http.Get("/api/status",
             [this](const auto&, auto& response) { response.set_content(status_json(run), "application/json"); });
    http.set_pre_routing_handler([this](const auto& request, auto& response) {
      const bool refused = is_refused(request, response);
      return refused ? httplib::Server::HandlerResponse::Handled : httplib::Server::HandlerResponse::Unhandled;
    });
    http.set_exception_handler([](const auto&, auto& response, std::exception_ptr thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& error) {
        answer(response, 503, std::string(error.what()) + "\n");
      }
    });
  }

  static void tell(httplib::Response& response, const std::string& why_not) {
    answer(response, why_not.empty() ? 200 : 503, (why_not.empty() ? "ok" : why_not) + "\n");
  }

  bool is_refused(const httplib::Request& request, httplib::Response& response) {
    if (!exposed && !is_local_name(request.get_header_value("Host"))) {
      answer(response, 403, "this server answers to 127.0.0.1 and localhost only (http.expose)\n");
      return true;
    }
    const bool open = request.path == "/livez" || request.path == "/readyz" || request.path == "/metrics";
    if (!exposed || open || same_secret(request.get_header_value("Authorization"), "Bearer " + token)) return false;
    response.set_header("WWW-Authenticate", "Bearer");
    answer(response, 401, "a bearer token is needed (http.token)\n");
    return true;
  }

  WatchedRun run;
  bool exposed = false;
  std::string token, address;
  httplib::Server http;
  std::thread thread;
};

HttpServer::HttpServer(const Settings& settings, const WatchedRun& run) : server_(std::make_unique<Server>(run)) {
  Address address = address_of(settings);
  server_->exposed = !is_loopback(address.host);
  server_->token = settings.text("http.token");
  if (server_->exposed && settings.text("http.expose") != "true")
    settings.reject("http.listen", "others reach this address; if that is meant, set http.expose = true");
  if (server_->exposed && server_->token.size() < 16)
    usage_error(
        "setting http.token: an address that others reach needs one of at least 16 characters, as ${file:PATH}");
  httplib::Server& http = server_->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // Not the library's SO_REUSEPORT, by which two runs would share a port and answer by turns.
  http.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  http.set_payload_max_length(kBodyBytesMax);
  http.set_read_timeout(kTimeout);
  http.set_write_timeout(kTimeout);
  http.set_keep_alive_max_count(100);
  server_->set_routes();
  if (address.port == 0)
    address.port = http.bind_to_any_port(address.host);
  else if (!http.bind_to_port(address.host, address.port))
    address.port = -1;
  if (address.port < 0)
    refuse(fmt::format("http.listen = {}: the address cannot be used, or is in use", settings.text("http.listen")));
  server_->address = fmt::format("{}:{}", address.host, address.port);
  server_->thread = std::thread([this] { server_->http.listen_after_bind(); });
  while (!http.is_running()) std::this_thread::yield();  // stop() before that would be lost
}

HttpServer::~HttpServer() {
  server_->http.stop();
  server_->thread.join();
}

const std::string& HttpServer::address() const { return server_->address; }

}  // namespace kappa
