// Complete checkpoints: a new, empty database takes the place of the one that holds what they make superfluous.
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

std::int64_t sst_count(const StateStoreOptions& options, std::int64_t sequence) {
  std::int64_t count = 0;
  const Path checkpoint =
      checkpoints_directory(options) / "total-0" / checkpoint_path("", "", meta_of(sequence)).filename();
  for (const auto& entry : std::filesystem::directory_iterator(checkpoint)) count += entry.path().extension() == ".sst";
  return count;
}

}  // namespace

TEST_CASE("a complete checkpoint in the place of many holds its own entries and nothing else", "[state]") {
  for (const Path& checkpoints : {fast_directory(), std::filesystem::temp_directory_path()}) {
    const TemporaryDirectory directory;
    const TemporaryDirectory elsewhere(checkpoints);
    StateStoreOptions options{.directory = directory.path(), .checkpoints_retained = 100};
    options.checkpoint_directory = elsewhere.path();
    OneTask one(options);
    std::map<std::string, Entries> expected;
    int replaced = 0;
    for (std::int64_t i = 1; i <= 24; ++i) {
      // RocksDB numbers the files of each of these databases in the same way; keys go and come.
      const Entries entries{{"at " + std::to_string(i % 5), std::to_string(i)}, {"each", std::to_string(i)}};
      Changes changes = puts({{"node", entries}, {"other", {{"k", std::to_string(i)}}}}, true);
      dynamic_cast<Change&>(*changes[0].second).erased = {{"a", "b"}};
      const Path before = live_path(directory.path(), "total-0");
      expected[one.checkpoint(i, std::move(changes))] = entries;
      const bool is_new = live_path(directory.path(), "total-0") != before;
      replaced += is_new ? 1 : 0;
      CHECK((sst_count(options, i) == 1) == (is_new || i == 1));
    }
    CHECK(replaced == 4);
    for (const auto& [id, entries] : expected) {
      CHECK(one.restored(id, "node") == entries);
      CHECK(one.restored(id, "other") == Entries{{"k", entries.at("each")}});
    }
  }
}

TEST_CASE("a large database is replaced by the next complete checkpoint, unless a node is missing or has changes only",
          "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const Entries large{{"a", std::string(5'000'000, 'x')}};
  one.checkpoint(1, puts({{"node", large}, {"other", {{"k", "1"}}}}, true));
  const auto is_replaced = [&](std::int64_t sequence, Changes changes) {
    const Path before = live_path(directory.path(), "total-0");
    one.checkpoint(sequence, std::move(changes));
    return live_path(directory.path(), "total-0") != before;
  };
  CHECK_FALSE(is_replaced(2, puts({{"node", {{"a", "2"}}}}, true)));
  Changes mixed = puts({{"node", {{"a", "3"}}}, {"other", {{"l", "3"}}}}, true);
  dynamic_cast<Change&>(*mixed[1].second).complete = false;
  CHECK_FALSE(is_replaced(3, std::move(mixed)));
  CHECK_FALSE(is_replaced(4, {}));
  CHECK(one.restored(meta_of(4).id, "other") == Entries{{"k", "1"}, {"l", "3"}});
  CHECK(is_replaced(5, puts({{"node", {}}, {"other", {{"m", "5"}}}, {"third", {{"n", "5"}}}}, true)));
  CHECK_FALSE(is_replaced(6, puts({{"node", {{"b", "6"}}}})));
  CHECK(one.restored(meta_of(6).id, "node") == Entries{{"b", "6"}});
  CHECK(one.restored(meta_of(6).id, "other") == Entries{{"m", "5"}});
  CHECK(one.restored(meta_of(6).id, "third") == Entries{{"n", "5"}});
}

TEST_CASE("a complete checkpoint that is discarded leaves what was published", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const Entries large{{"a", std::string(5'000'000, 'x')}};
  const std::string id = one.checkpoint(1, puts({{"node", large}}));
  one.task->write(meta_of(2), puts({{"node", {{"b", "2"}}}}, true));
  one.task->discard();
  CHECK_THROWS_AS(one.task->write(meta_of(3), {}), std::logic_error);
  CHECK(one.restored(id, "node") == large);
  one.checkpoint(3, puts({{"node", {{"c", "3"}}}}));
  CHECK(one.restored(meta_of(3).id, "node").size() == 2);
}

}  // namespace kappa
