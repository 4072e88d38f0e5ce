#include "kappa/tests/service/secured_broker.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace kappa::cli {

namespace {

int security_port() {
  const char* port = std::getenv("KAPPA_SECURITY_PORT");
  if (port == nullptr || std::getenv("KAFKA_HOME") == nullptr)
    throw std::runtime_error("KAPPA_SECURITY_PORT and KAFKA_HOME must be set: run by ctest");
  return std::atoi(port);
}

void shell(const std::string& command) {
  std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  char bytes[4096];
  for (std::size_t n = 0; (n = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;) text.append(bytes, n);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed:\n" + text);
}

void broker_script(const std::string& verb, int port) {
  shell(fmt::format("'{}/tests/kafka/broker' {} {}", KAPPA_SOURCE_DIR, verb, port));
}

std::string server_properties(int port, const SecuredBroker& broker) {
  return fmt::format(
      "listeners=PLAINTEXT://127.0.0.1:{0},CONTROLLER://127.0.0.1:{1},SASL_SSL://127.0.0.1:{2},SSL://127.0.0.1:{3}\n"
      "advertised.listeners=PLAINTEXT://127.0.0.1:{0},SASL_SSL://localhost:{2},SSL://localhost:{3}\n"
      "controller.quorum.voters=1@127.0.0.1:{1}\n"
      "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL\n"
      "inter.broker.listener.name=PLAINTEXT\n"
      "sasl.enabled.mechanisms=SCRAM-SHA-512\n"
      "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
      "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
      "ssl.keystore.type=PEM\nssl.keystore.location={4}\nssl.truststore.type=PEM\nssl.truststore.location={5}\n"
      "listener.name.ssl.ssl.client.auth=required\n"
      "super.users=User:admin;User:ANONYMOUS\n"
      "allow.everyone.if.no.acl.found=false\n",
      port, port + 1, port + 2, port + 3, broker.file("broker.chain"), broker.file("ca.pem"));
}

// librdkafka 2.0 has no rights on transactional ids, so they are asked for byte by byte: numbers big-endian, texts
// behind their lengths.
class AclClient {
 public:
  explicit AclClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("the broker's port cannot be connected to");
  }
  ~AclClient() { ::close(socket_); }
  AclClient(const AclClient&) = delete;
  AclClient& operator=(const AclClient&) = delete;

  /// As in a request that creates it, and in one that looks for this one alone.
  static std::string binding(const std::string& user, const Right& right) {
    return static_cast<char>(right.on) + text(right.name) + (right.prefixed ? kPrefixed : kLiteral) + text(user) +
           text("*") + static_cast<char>(right.operation) + kAllow;
  }
  void create(const std::vector<std::string>& bindings) { static_cast<void>(call(kCreateAcls, list(bindings))); }
  void remove(const std::vector<std::string>& bindings) { static_cast<void>(call(kDeleteAcls, list(bindings))); }
  /// What the broker goes by; the same text for the same rights.
  std::string describe() {
    constexpr std::size_t kThrottleTime = 4;
    return call(kDescribeAcls, every()).substr(kThrottleTime);
  }

 private:
  static constexpr std::uint16_t kDescribeAcls = 29, kCreateAcls = 30, kDeleteAcls = 31, kVersion = 1;
  static constexpr char kAny = 1, kLiteral = 3, kPrefixed = 4, kAllow = 3;

  template <typename T>
  static std::string number(std::size_t value) {
    std::string bytes;
    for (std::size_t i = sizeof(T); i-- > 0;) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
  }
  static std::string text(const std::string& value) { return number<std::uint16_t>(value.size()) + value; }
  static std::string list(const std::vector<std::string>& entries) {
    std::string bytes = number<std::uint32_t>(entries.size());
    for (const std::string& entry : entries) bytes += entry;
    return bytes;
  }
  static std::string every() {
    const std::string null = number<std::uint16_t>(0xffff);
    return kAny + null + kAny + null + null + kAny + kAny;
  }

  std::string call(std::uint16_t api, const std::string& body) {
    constexpr std::size_t kNumber = 4;  // of the request
    const std::string request = number<std::uint16_t>(api) + number<std::uint16_t>(kVersion) +
                                number<std::uint32_t>(0) + text("kappa-test") + body;
    const std::string framed = number<std::uint32_t>(request.size()) + request;
    if (::send(socket_, framed.data(), framed.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(framed.size()))
      throw std::runtime_error("the broker takes no request");
    std::size_t size = 0;
    for (const char byte : received(sizeof(std::uint32_t))) size = size << 8 | static_cast<unsigned char>(byte);
    return received(size).substr(kNumber);
  }
  std::string received(std::size_t size) const {
    std::string bytes(size, '\0');
    if (::recv(socket_, bytes.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size))
      throw std::runtime_error("the broker has hung up");
    return bytes;
  }

  int socket_;
};

Operation operation_named(const std::string& name) {
  static const std::map<std::string, Operation> operations{
      {"Read", Operation::read},         {"Write", Operation::write},
      {"Create", Operation::create},     {"Delete", Operation::delete_it},
      {"Describe", Operation::describe}, {"DescribeConfigs", Operation::describe_configs}};
  return operations.at(name);
}

// allow --operation Read … [--resource-pattern-type prefixed] --topic NAME
std::vector<Right> rights_of_line(std::istringstream words) {
  static const std::map<std::string, Resource> resources{
      {"--topic", Resource::topic}, {"--group", Resource::group}, {"--transactional-id", Resource::transactional_id}};
  std::vector<Right> rights;
  bool prefixed = false;
  for (std::string option, value; words >> option && option[0] == '-' && words >> value;) {
    if (option == "--operation") rights.push_back({operation_named(value), Resource::topic, "", false});
    if (option == "--resource-pattern-type") prefixed = value == "prefixed";
    if (const auto on = resources.find(option); on != resources.end())
      for (Right& right : rights) right.on = on->second, right.name = value;
  }
  for (Right& right : rights) right.prefixed = prefixed;
  return rights;
}
}  // namespace

std::vector<Right> documented_rights() {
  std::ifstream page(KAPPA_SOURCE_DIR "/docs/OPERATING.md");
  std::vector<Right> all;
  const std::string allow = "allow ";
  for (std::string line; std::getline(page, line);)
    if (line.rfind(allow, 0) == 0)
      for (Right& right : rights_of_line(std::istringstream(line.substr(allow.size())))) all.push_back(right);
  if (all.empty()) throw std::runtime_error("docs/OPERATING.md grants nothing");
  return all;
}

std::vector<Right> without(std::vector<Right> rights, Operation operation, Resource on, const std::string& name) {
  const std::size_t removed = std::erase_if(rights, [&](const Right& right) {
    return right.operation == operation && right.on == on && right.name.rfind(name, 0) == 0;
  });
  if (removed == 0) throw std::runtime_error("docs/OPERATING.md does not grant what is taken away: " + name);
  return rights;
}

SecuredBroker& secured_broker() {
  static SecuredBroker broker;
  return broker;
}

SecuredBroker::SecuredBroker() : port_(security_port()) {
  make_certificates();
  ::setenv("KAFKA_PROPS", server_properties(port_, *this).c_str(), 1);
  ::setenv("KAFKA_FORMAT_ARGS", fmt::format("--add-scram SCRAM-SHA-512=[name=kappa,password={}]", kPassword).c_str(),
           1);
  ::setenv("KAPPA_TEST_BROKER", open_to_all().c_str(), 1);
  broker_script("down", port_);  // what an interrupted test has left
  broker_script("up", port_);
}

SecuredBroker::~SecuredBroker() {
  try {
    broker_script("down", port_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the secured broker: %s\n", error.what());
  }
}

// An authority, a broker and a client that it vouches for, and an authority that nobody knows.
void SecuredBroker::make_certificates() const {
  const std::string directory = certificates_.path(".").string();
  const std::string request = "-newkey rsa:2048 -nodes -sha256";
  certificates_.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  for (const char* ca : {"ca", "other-ca"})
    shell(fmt::format("cd '{}' && openssl req -x509 {} -keyout {}.key -out {}.pem -days 2 -subj /CN={}", directory,
                      request, ca, ca, ca));
  for (const char* who : {"broker", "kappa"})
    shell(
        fmt::format("cd '{0}' && openssl req {1} -keyout {2}.key -out {2}.csr -subj /CN={2} && "
                    "openssl x509 -req -in {2}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names "
                    "-out {2}.pem && cat {2}.key {2}.pem ca.pem >{2}.chain",
                    directory, request, who));
}

void SecuredBroker::grant_only(const std::string& user, const std::vector<Right>& rights) {
  std::vector<std::string> wanted, gone, added;
  for (const Right& right : rights) wanted.push_back(AclClient::binding(user, right));
  const auto lacks = [](const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) == all.end();
  };
  for (const std::string& binding : granted_)
    if (lacks(wanted, binding)) gone.push_back(binding);
  for (const std::string& binding : wanted)
    if (lacks(granted_, binding)) added.push_back(binding);
  change(gone, added);
  granted_ = wanted;
}

// The answer comes when a change is written; the list is what the broker goes by, and takes all of it over at once.
void SecuredBroker::change(const std::vector<std::string>& gone, const std::vector<std::string>& added) const {
  AclClient acls(port_);
  for (const auto* bindings : {&gone, &added}) {
    if (bindings->empty()) continue;
    const std::string before = acls.describe();
    bindings == &gone ? acls.remove(*bindings) : acls.create(*bindings);
    while (acls.describe() == before) {
    }
  }
}

}  // namespace kappa::cli
