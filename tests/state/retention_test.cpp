#include "kappa/state/retention.h"

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;
using detail::HistoryRule;
using detail::parse_history;
using detail::RetentionEntry;
using detail::superseded;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;

/// Publishes one checkpoint after the other, as a store would, and returns what is left.
std::vector<RetentionEntry> publish_all(std::int64_t count, std::int64_t every_ms, int retained,
                                        const std::vector<HistoryRule>& history) {
  std::vector<RetentionEntry> entries;
  for (std::int64_t i = 1; i <= count; ++i) {
    entries.push_back({std::to_string(i), i, i * every_ms, false});
    for (const std::string& name : superseded(entries, retained, history)) {
      std::erase_if(entries, [&](const RetentionEntry& entry) { return entry.name == name; });
    }
  }
  return entries;
}

std::vector<std::string> names(const std::vector<RetentionEntry>& entries) {
  std::vector<std::string> names;
  for (const RetentionEntry& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace

TEST_CASE("a history is read with its units", "[state]") {
  CHECK(parse_history("1h:24, 1d:7") == std::vector<HistoryRule>{{kHour, 24}, {24 * kHour, 7}});
  CHECK(parse_history(" 30s:2,10m:3 , 2w:1 ") ==
        std::vector<HistoryRule>{{30'000, 2}, {10 * kMinute, 3}, {14 * 24 * kHour, 1}});
  CHECK(parse_history("").empty());
  CHECK(parse_history(" none ").empty());
}

TEST_CASE("a history that is wrong is a usage error that shows the form", "[state]") {
  for (const char* text : {"1h", "1h:", "h:1", "1x:1", "0h:1", "1h:0", "1h:1,", ",", "1h:1 2", "99999h:1", "-1h:1",
                           "1h:1;1d:1", "999999999999999999999h:1", "1h:1,none"}) {
    const auto [kind, message] = error_of([&] { (void)parse_history(text); });
    INFO(text << ": " << message);
    CHECK(kind == ErrorKind::usage);
    CHECK(message.find("checkpoint.history") != std::string::npos);
    CHECK(message.find("1h:24, 1d:7") != std::string::npos);
  }
}

TEST_CASE("without history only the last ones stay", "[state]") {
  CHECK(names(publish_all(10, kMinute, 3, {})) == std::vector<std::string>{"8", "9", "10"});
  CHECK(names(publish_all(2, kMinute, 3, {})) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("history keeps the first of each interval, as many intervals as asked", "[state]") {
  // Every 10 minutes for 5 hours: hours begin at 6, 12, 18, 24, 30.
  CHECK(names(publish_all(30, 10 * kMinute, 2, {{kHour, 3}})) == std::vector<std::string>{"18", "24", "29", "30"});
}

TEST_CASE("ten days of checkpoints leave a bounded number", "[state]") {
  const auto entries = publish_all(10 * 24 * 6, 10 * kMinute, 3, parse_history("1h:24, 1d:7"));
  CHECK(entries.size() >= 24 + 6);
  CHECK(entries.size() <= 3 + 24 + 7);
  CHECK(entries.front().created_ms <= 4 * 24 * kHour);  // the week is there
}

TEST_CASE("a clock that jumps removes no history", "[state]") {
  std::vector<RetentionEntry> entries;
  for (std::int64_t i = 0; i < 5; ++i) entries.push_back({"old" + std::to_string(i), i + 1, i * kHour, false});
  entries.push_back({"far", 6, 400 * 24 * kHour, false});
  CHECK(superseded(entries, 1, {{kHour, 24}}).empty());
  entries.push_back({"back", 7, -5 * kHour, false});
  CHECK(superseded(entries, 1, {{kHour, 24}}).empty());
}

TEST_CASE("savepoints stay, and do not count", "[state]") {
  std::vector<RetentionEntry> entries;
  for (std::int64_t i = 1; i <= 6; ++i) entries.push_back({std::to_string(i), i, i * kMinute, i == 1 || i == 5});
  CHECK(superseded(entries, 2, {}) == std::vector<std::string>{"3", "2"});
}

TEST_CASE("the store applies retention when it publishes", "[state]") {
  const TemporaryDirectory directory;
  StateStoreOptions options{.directory = directory.path() / "state", .checkpoints_retained = 2, .history = "1h:2"};
  std::int64_t now = 0;
  options.wall_ms = [&now] { return now += 20 * kMinute; };
  const auto store = open_state_store(options);
  const auto task = store->open({"total", 0});
  task->clear();
  for (std::int64_t i = 1; i <= 12; ++i) {
    CheckpointMeta meta = meta_of(i);
    meta.created_ms = 0;
    if (i == 2) meta.savepoint = "before the migration";
    task->write(meta, puts({{"node", {{"k", std::to_string(i)}}}}));
    task->publish();
  }
  std::vector<std::int64_t> left;
  for (const CheckpointMeta& meta : task->checkpoints({})) {
    left.push_back(meta.sequence);
    CHECK(meta.created_ms == meta.sequence * 20 * kMinute);
    const auto restored = task->restore(meta.id);
    CHECK(read_all(*restored, "node") == Entries{{"k", std::to_string(meta.sequence)}});
  }
  CHECK(left == std::vector<std::int64_t>{12, 11, 9, 2});
  task->drop_checkpoints();
  REQUIRE(task->checkpoints({}).size() == 1);
  CHECK(task->checkpoints({}).front().savepoint == "before the migration");
}

}  // namespace kappa
