// kappa/tests/service/secured_broker.h: a broker of this program's own that knows its users: SCRAM over TLS, client
// certificates, and nothing allowed that was not granted (tests/kafka/broker).
//
// Threads:  one.
// Owns:     the process, its data, and certificates made for it; all are removed at the end.
// Errors:   std::runtime_error where the broker or openssl does not do what it is asked to.
#pragma once

#include <string>
#include <vector>

#include "kappa/tests/service/program.h"

namespace kappa::cli {

// The numbers are those of Kafka's protocol.
enum class Operation : char { read = 3, write = 4, create = 5, delete_it = 6, describe = 8, describe_configs = 10 };
enum class Resource : char { topic = 2, group = 3, transactional_id = 5 };

struct Right {
  Operation operation = Operation::read;
  Resource on = Resource::topic;
  std::string name;
  bool prefixed = false;
};

/// Those that docs/OPERATING.md grants with kafka-acls, to the application `bid-totals`.
[[nodiscard]] std::vector<Right> documented_rights();
/// The same without one operation on a kind of resource whose name begins so.
[[nodiscard]] std::vector<Right> without(std::vector<Right> rights, Operation operation, Resource on,
                                         const std::string& name);

class SecuredBroker {
 public:
  static constexpr const char* kUser = "User:kappa";          // by password
  static constexpr const char* kCertified = "User:CN=kappa";  // by certificate
  static constexpr const char* kPassword = "correct_horse";

  /// On the port that KAPPA_SECURITY_PORT names; the three behind it are taken too. What kafka_fixture.h asks for goes
  /// to its listener for everything.
  SecuredBroker();
  ~SecuredBroker();
  SecuredBroker(const SecuredBroker&) = delete;
  SecuredBroker& operator=(const SecuredBroker&) = delete;

  [[nodiscard]] std::string open_to_all() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string by_password() const { return "localhost:" + std::to_string(port_ + 2); }
  [[nodiscard]] std::string by_certificate() const { return "localhost:" + std::to_string(port_ + 3); }
  /// A file of the certificates: ca.pem, other-ca.pem, kappa.pem, kappa.key.
  [[nodiscard]] std::string file(const std::string& name) const { return certificates_.path(name).string(); }

  /// The user may do this and nothing else. Returns once the broker goes by it.
  void grant_only(const std::string& user, const std::vector<Right>& rights);

 private:
  void make_certificates() const;
  void change(const std::vector<std::string>& gone, const std::vector<std::string>& added) const;

  int port_;
  std::vector<std::string> granted_;  // as the protocol writes them
  Place certificates_;
};

/// The one of this program, started when it is first asked for.
[[nodiscard]] SecuredBroker& secured_broker();

}  // namespace kappa::cli
