// The contract on a real broker.
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/kafka_fixture.h"

namespace kappa::testkit {
namespace {

TEST_CASE("Kafka keeps the contract about topics", "[kafka]") {
  const KafkaFixture fixture;
  check_log_topics(fixture.factory());
}

TEST_CASE("Kafka keeps the contract", "[kafka]") {
  const KafkaFixture fixture;
  delete_groups({"app", "one", "two"});
  SECTION("records") { check_log_records(fixture.factory()); }
  SECTION("headers") { check_log_headers(fixture.factory()); }
  SECTION("commits") { check_log_commits(fixture.factory()); }
  SECTION("locks") { check_log_locks(fixture.factory()); }
  SECTION("times") { check_log_times(fixture.factory()); }
  SECTION("waiting") { check_log_waiting(fixture.factory()); }
}

}  // namespace
}  // namespace kappa::testkit
