#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"
#include "kappa/tests/log/log_contract.h"

namespace kappa::testkit {
namespace {

TEST_CASE("the embedded log keeps the contract about topics") {
  const LocalLogFixture fixture;
  check_log_topics(fixture.factory());
}

TEST_CASE("the embedded log keeps the contract") {
  const LocalLogFixture fixture;
  SECTION("records") { check_log_records(fixture.factory()); }
  SECTION("commits") { check_log_commits(fixture.factory()); }
  SECTION("times") { check_log_times(fixture.factory()); }
  SECTION("waiting") { check_log_waiting(fixture.factory()); }
}

TEST_CASE("the embedded log keeps the contract with tiny segments, batches, reads and journals") {
  LocalLogFixture fixture;
  fixture.options.segment_bytes = 300;
  fixture.options.batch_bytes = 100;
  fixture.options.read_bytes = 256;
  fixture.options.journal_bytes = 200;
  fixture.options.staged_bytes = 150;
  SECTION("records") { check_log_records(fixture.factory()); }
  SECTION("commits") { check_log_commits(fixture.factory()); }
  SECTION("times") { check_log_times(fixture.factory()); }
  SECTION("waiting") { check_log_waiting(fixture.factory()); }
}

TEST_CASE("one block may span many segments") {
  LocalLogFixture fixture;
  fixture.options.segment_bytes = 1;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  std::vector<std::string> values;
  for (int i = 0; i < 40; ++i) {
    values.push_back("value-" + std::to_string(i));
    produce(*log, fixture.at, {values.back()});
  }
  CHECK(values_of(read_all(*log, fixture.at)) == values);
}

}  // namespace
}  // namespace kappa::testkit
