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
  SECTION("headers") { check_log_headers(fixture.factory()); }
  SECTION("commits") { check_log_commits(fixture.factory()); }
  SECTION("locks") { check_log_locks(fixture.factory()); }
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
  SECTION("headers") { check_log_headers(fixture.factory()); }
  SECTION("commits") { check_log_commits(fixture.factory()); }
  SECTION("locks") { check_log_locks(fixture.factory()); }
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

TEST_CASE("the journal's bytes are those of the format") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const auto producer = log->open_producer("");
  const std::vector<Position> positions{{{"in", 2}, 5, "m"}};
  REQUIRE(producer->commit("app", positions) == CommitOutcome::committed);
  std::string hex;
  for (const char c : slurp(fixture.journal())) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  CHECK(hex ==
        "6b617070616c6f6701000000000000000300000085b7c69401000000000000000100000006000000c746faa1020000000000"
        "0000020862696473020d000000b2c4b74f03000000000000000300066170700204696e040a026d");
}

}  // namespace
}  // namespace kappa::testkit
