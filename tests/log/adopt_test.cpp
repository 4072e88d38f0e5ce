// Segments that a real broker wrote (tests/log/fixtures/README.md) are read as its own consumer read them.
#include <nlohmann/json.hpp>
#include <sstream>

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"

namespace kappa::testkit {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(KAPPA_SOURCE_DIR) / "tests/log/fixtures";

std::vector<std::filesystem::path> files_of(const std::string& topic) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures / topic)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<nlohmann::json> expected_of(const std::string& topic) {
  std::vector<nlohmann::json> out;
  std::istringstream in(slurp(kFixtures / "expected.jsonl"));
  for (std::string line; std::getline(in, line);) {
    auto record = nlohmann::json::parse(line);
    if (record["topic"] == topic) out.push_back(std::move(record));
  }
  return out;
}

nlohmann::json text_or_null(const std::string& text, bool is_null) {
  return is_null ? nlohmann::json() : nlohmann::json(text);
}

void check_equal(const std::vector<PlainRecord>& records, const std::vector<nlohmann::json>& expected) {
  REQUIRE(records.size() == expected.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const PlainRecord& record = records[i];
    CAPTURE(i, record.offset);
    CHECK(record.offset == expected[i]["offset"].get<std::int64_t>());
    CHECK(record.timestamp_ms == expected[i]["timestamp"].get<std::int64_t>());
    CHECK(text_or_null(record.key, record.key_is_null) == expected[i]["key"]);
    if (expected[i].contains("value_size")) {
      CHECK(record.value.size() == expected[i]["value_size"].get<std::size_t>());
      CHECK(record.value.substr(0, 80) == expected[i]["value"].get<std::string>());
    } else {
      CHECK(text_or_null(record.value, record.value_is_null) == expected[i]["value"]);
    }
    nlohmann::json headers = nlohmann::json::array();
    for (const auto& [name, value] : record.headers) headers.push_back({name, text_or_null(value, value == "(null)")});
    CHECK(headers == expected[i]["headers"]);
  }
}

TEST_CASE("adopted segments of a real broker read as its consumer read them") {
  LocalLogFixture fixture;
  fixture.options.read_bytes = GENERATE(1 << 20, 700);
  for (const std::string topic : {"mixed", "transactions", "rolled", "appendtime"}) {
    CAPTURE(topic);
    const auto log = fixture.open();
    log->create_topic(topic, 1);
    const AdoptReport report = log->adopt_segments({topic, 0}, files_of(topic));
    const auto expected = expected_of(topic);
    CHECK(report.records == static_cast<std::int64_t>(expected.size()));
    CHECK(report.end_offset == log->end_offset({topic, 0}));
    for (const std::int64_t size : {1, 3, 4096}) check_equal(read_all(*log, {topic, 0}, 0, size), expected);
    check_equal(read_all(*fixture.open(), {topic, 0}), expected);
  }
}

TEST_CASE("aborted transactions and markers are counted and never seen") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const AdoptReport report = log->adopt_segments(fixture.at, files_of("transactions"));
  CHECK(report.aborted_records == 11);
  CHECK(report.control_records == 5);
  CHECK(report.open_transactions == 0);
  for (const PlainRecord& record : read_all(*log, fixture.at)) CHECK(record.value.find("aborted") == std::string::npos);
}

TEST_CASE("a transaction without its marker stays unseen") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const auto files = files_of("transactions");
  const AdoptReport report = log->adopt_segments(fixture.at, {files.data(), 1});
  CHECK(report.open_transactions > 0);
  for (const PlainRecord& record : read_all(*log, fixture.at)) CHECK(record.value.find("plain") == 0);
}

TEST_CASE("appends go on behind adopted segments, which are never written") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  static_cast<void>(log->adopt_segments(fixture.at, files_of("rolled")));
  const std::string before = slurp(fixture.segment(48));
  produce(*log, fixture.at, {"new"});
  CHECK(slurp(fixture.segment(48)) == before);
  const auto records = read_all(*fixture.open(), fixture.at);
  REQUIRE(records.size() == 61);
  CHECK(records.back().value == "new");
  CHECK(records.back().offset == 60);
}

TEST_CASE("a log that begins above zero keeps its start") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const auto files = files_of("rolled");
  static_cast<void>(log->adopt_segments(fixture.at, std::span(files).subspan(2)));
  CHECK(log->start_offset(fixture.at) == 24);
  CHECK(log->end_offset(fixture.at) == 60);
  CHECK_THROWS_AS(log->open_reader(fixture.at, 23), Error);
  CHECK(read_all(*log, fixture.at, 24).size() == 36);
  CHECK(log->offset_at(fixture.at, 0) == 24);
  CHECK(log->offset_at(fixture.at, 1'700'000'000'000 + 30'500) == 31);
  CHECK_FALSE(log->offset_at(fixture.at, 1'700'000'060'000).has_value());
  CHECK_THROWS_AS(log->adopt_segments(fixture.at, std::span(files).subspan(0, 2)), Error);
  CHECK(log->end_offset(fixture.at) == 60);
}

TEST_CASE("a damaged segment is refused with its byte, and nothing of it is adopted") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  log->create_topic("bids", 1);
  const std::filesystem::path copy = fixture.directory.path() / "00000000000000000000.log";
  const std::string good = slurp(files_of("rolled").front());
  for (const std::size_t at : {std::size_t{20}, std::size_t{100}, good.size() - 3}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    spew(copy, bad);
    CHECK_THROWS_AS(log->adopt_segments(fixture.at, {&copy, 1}), Error);
    CHECK(log->end_offset(fixture.at) == 0);
  }
  SECTION("an incomplete batch at the end is cut, and said so") {
    spew(copy, good.substr(0, good.size() - 10));
    const AdoptReport report = log->adopt_segments(fixture.at, {&copy, 1});
    CHECK(report.cut_bytes > 0);
    CHECK(report.records == 9);
    CHECK(read_all(*log, fixture.at).size() == 9);
  }
  SECTION("so are zeros that the broker reserved") {
    spew(copy, good + std::string(5000, '\0'));
    const AdoptReport report = log->adopt_segments(fixture.at, {&copy, 1});
    CHECK(report.cut_bytes == 5000);
    CHECK(read_all(*log, fixture.at).size() == 12);
  }
}

}  // namespace
}  // namespace kappa::testkit
