// kappa/service/http_server.h: /livez, /readyz, /metrics and /api/status of a run. Nothing that it serves changes
// anything.
//
// Threads:  serves on threads of its own from construction to destruction.
// Owns:     the socket.
// Errors:   Error{refused} where the address cannot be used, Error{usage} where it is not one.
#pragma once

#include <memory>
#include <string>

#include "kappa/service/exposition.h"
#include "kappa/service/settings.h"

namespace kappa {

class HttpServer {
 public:
  /// `http.listen` is set. An address that others reach needs `http.expose = true`, and a token then guards /api.
  HttpServer(const Settings& settings, const WatchedRun& run);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "127.0.0.1:8080"; the port is the one that the system chose if the setting says 0.
  [[nodiscard]] const std::string& address() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace kappa
