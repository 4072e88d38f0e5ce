// TLS, SASL and ACLs on a real broker: the rights of docs/OPERATING.md suffice, one less is named, and nothing that is
// refused is tried for ever.
#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/kafka_fixture.h"
#include "kappa/tests/service/secured_broker.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
using Words = std::vector<std::string>;

// The application of docs/OPERATING.md, and the settings of a user who has a password.
struct Secured {
  SecuredBroker& broker = secured_broker();
  testkit::KafkaFixture empty;
  Place place, admin;

  Secured() {
    testkit::delete_groups({"bid-totals-bids"});
    admin.write("kappa.conf", "bootstrap.servers = " + broker.open_to_all() + "\n");
    std::string sql = pipeline("bid-totals");
    sql.replace(sql.find("'totals'"), 8, "'bidder-totals'");
    place.write("p.sql", sql);
    place.write("password", std::string(SecuredBroker::kPassword) + "\n");
    ::chmod(place.path("password").c_str(), 0600);
    configure("");
    admin.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"}, bids(2000));
  }

  // `more` comes last, and so wins.
  void configure(const std::string& more) const {
    place.write("kappa.conf", "bootstrap.servers = " + broker.by_password() +
                                  "\nbootstrap.timeout = 2s\nkafka.broker.address.family = v4\n"
                                  "kafka.session.timeout.ms = 6000\ngroup.membership = dynamic\n"
                                  "kafka.security.protocol = SASL_SSL\nkafka.sasl.mechanism = SCRAM-SHA-512\n"
                                  "kafka.sasl.username = kappa\nkafka.sasl.password = ${file:password}\n"
                                  "kafka.ssl.ca.location = " +
                                  broker.file("ca.pem") + "\n" + more);
  }
  void allow(const std::vector<Right>& rights) const { broker.grant_only(SecuredBroker::kUser, rights); }
  void refused(const std::vector<std::string>& arguments, const Words& words) const {
    const Outcome outcome = place.run(arguments);
    INFO(outcome.err);
    CHECK(outcome.code == 3);
    for (const std::string& word : words) CHECK_THAT(outcome.err, Contains(word));
  }
};

// A right that is taken away, and what the refusal says.
struct Lack {
  Operation operation;
  Resource on;
  const char* name;
  const char* said;
};
constexpr Lack kLacks[]{
    {Operation::read, Resource::topic, "bids", "lacks DESCRIBE (READ and WRITE include it) on topic \"bids\""},
    {Operation::write, Resource::topic, "bidder-totals", "lacks WRITE on topic \"bid"},
    {Operation::write, Resource::topic, "bid-totals-", "lacks WRITE on topic \"bid-totals-decisions\""},
    {Operation::read, Resource::group, "bid-totals-", "lacks READ on group \"bid-totals-bids\""},
    {Operation::write, Resource::transactional_id, "bid-totals-", "lacks WRITE on transactional id \"bid-totals-bids."},
    {Operation::create, Resource::topic, "bid", "lacks CREATE on topic \"bid"},
};
}  // namespace

TEST_CASE("with the documented rights, by password over TLS, everything works", "[security]") {
  const Secured secured;
  const Place& place = secured.place;
  secured.allow(documented_rights());
  place.good({"validate", "p.sql"});
  place.good({"run", "p.sql", "--until-end"});
  import_bids(secured.admin, 2000, 2000);
  const std::string before = secured.admin.topic("bidder-totals");
  Running service = place.start({"run", "p.sql"});
  while (secured.admin.topic("bidder-totals") == before) {
  }
  service.signal(SIGTERM);
  const Outcome stopped = service.wait();
  INFO(stopped.err);
  CHECK(stopped.code == 143);
  CHECK_THAT(stopped.err, !Contains("not allowed"));
  place.good({"run", "p.sql", "--until-end"});
  const std::vector<std::string> range{"--from", "2026-01-01T00:01:00Z", "--to", "2026-01-01T00:02:00Z", "--name",
                                       "fix"};
  for (const char* verb : {"plan", "replay"}) {
    std::vector<std::string> arguments{verb, "p.sql"};
    arguments.insert(arguments.end(), range.begin(), range.end());
    if (std::string(verb) == "replay") arguments.emplace_back("--execute");
    place.good(arguments);
  }
  place.good({"diff", "fix"});
  place.good({"checkpoints", "p.sql", "--verify"});
  CHECK(place.topic("bidder-totals") == secured.admin.topic("bidder-totals"));
}

TEST_CASE("a right that is missing is named, by a run to the end and by a service", "[security]") {
  const Lack lack = GENERATE(from_range(std::begin(kLacks), std::end(kLacks)));
  const Secured secured;
  secured.allow(without(documented_rights(), lack.operation, lack.on, lack.name));
  INFO(lack.said);
  secured.refused({"run", "p.sql", "--until-end"}, {lack.said, "grant it", "docs/OPERATING.md"});
  secured.refused({"run", "p.sql"}, {lack.said});
}

TEST_CASE("an input that may be seen but not read is named", "[security]") {
  const Secured secured;
  std::vector<Right> rights = without(documented_rights(), Operation::read, Resource::topic, "bids");
  rights.push_back({Operation::describe, Resource::topic, "bids", false});
  secured.allow(rights);
  secured.refused({"run", "p.sql", "--until-end"}, {"lacks READ on topic \"bids\""});
  secured.refused({"run", "p.sql"}, {"lacks READ on topic \"bids\""});
}

TEST_CASE("without CREATE topics that are there do, and without DESCRIBE_CONFIGS it is said once", "[security]") {
  const Secured secured;
  std::vector<Right> rights = without(documented_rights(), Operation::create, Resource::topic, "bid");
  rights = without(rights, Operation::describe_configs, Resource::topic, "bid");
  secured.allow(rights);
  secured.refused({"run", "p.sql", "--until-end"}, {"or create the topic with ", " partitions"});
  const auto log = secured.empty.open();
  log->create_topic("bidder-totals", 2);
  for (const char* topic : {"bid-totals-decisions", "bid-totals-late", "bid-totals-dead-letters"})
    if (!log->topic(topic)) log->create_topic(topic, 1);
  const std::string said = secured.place.good({"run", "p.sql", "--until-end"}).err;
  CHECK_THAT(said, Contains("DESCRIBE_CONFIGS is not allowed"));
  CHECK(said.find("DESCRIBE_CONFIGS") == said.rfind("DESCRIBE_CONFIGS"));
}

TEST_CASE("a right that is taken away while a service runs ends it", "[security]") {
  const std::string guarantee = GENERATE("exactly_once", "at_least_once");
  const Secured secured;
  secured.configure("processing.guarantee = " + guarantee + "\n");
  secured.allow(documented_rights());
  Running service = secured.place.start({"run", "p.sql"});
  while (!secured.empty.open()->topic("bidder-totals") || secured.admin.topic("bidder-totals").empty()) {
  }
  secured.allow(without(documented_rights(), Operation::write, Resource::topic, "bidder-totals"));
  import_bids(secured.admin, 2000, 2000);
  const Outcome outcome = service.wait();
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK_THAT(outcome.err, Contains("lacks WRITE on topic") && Contains("bidder-totals"));
}

TEST_CASE("wrong credentials, an unknown authority and another protocol are refused at once", "[security]") {
  const Secured secured;
  secured.allow(documented_rights());
  const int wrong = GENERATE(0, 1, 2, 3, 4, 5);
  const std::string tls = "kafka.security.protocol = SSL\nbootstrap.servers = ";
  const std::vector<std::pair<std::string, std::string>> all{
      {"kafka.sasl.password = wrong\n", "Authentication failed"},
      {"kafka.sasl.username = nobody\n", "Authentication failed"},
      {"kafka.ssl.ca.location = " + secured.broker.file("other-ca.pem") + "\n", "certificate verify failed"},
      {"kafka.security.protocol = PLAINTEXT\n", "security.protocol"},
      {tls + secured.broker.open_to_all() + "\n", "security.protocol"},
      {tls + secured.broker.by_certificate() + "\n", "certificate"}};
  const auto& [settings, said] = all[static_cast<std::size_t>(wrong)];
  secured.configure(settings);
  const std::vector<std::string> before = secured.place.listing();
  INFO(settings);
  secured.refused({"run", "p.sql"}, {"no Kafka broker answers", said, "bootstrap.servers"});
  CHECK(secured.place.listing() == before);
}

TEST_CASE("a client certificate names the user", "[security]") {
  const Secured secured;
  secured.broker.grant_only(SecuredBroker::kCertified, documented_rights());
  secured.configure(
      "bootstrap.servers = " + secured.broker.by_certificate() +
      "\nkafka.security.protocol = SSL\nkafka.ssl.certificate.location = " + secured.broker.file("kappa.pem") +
      "\nkafka.ssl.key.location = " + secured.broker.file("kappa.key") + "\n");
  secured.place.good({"run", "p.sql", "--until-end"});
  CHECK_FALSE(secured.place.topic("bidder-totals").empty());
}
