// What others do to an application's positions and topics on a real broker: each is refused by name, with the way out,
// and nothing is written.
#include <filesystem>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/on_kafka.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
// A run that has ended: 2000 bids in two partitions, results, positions and a checkpoint.
struct Ended : OnKafka {
  Ended() {
    fill(place);
    place.good({"run", "p.sql", "--until-end"});
  }

  // The ends of all topics, the positions, the checkpoints.
  [[nodiscard]] std::string all() const {
    const auto log = broker.open();
    std::string found;
    for (const TopicInfo& topic : log->topics())
      for (std::int32_t p = 0; p < topic.partitions; ++p)
        found +=
            to_string(TopicPartition{topic.name, p}) + " " + std::to_string(log->end_offset({topic.name, p})) + "\n";
    for (const auto& [at, position] : log->committed("hot-bids"))
      found += to_string(at) + " at " + std::to_string(position.offset) + " " + position.metadata + "\n";
    for (const std::string& file : place.listing())
      if (file.find("/manifest.json") != std::string::npos) found += file + "\n";
    return found;
  }

  void refused(const std::vector<std::string>& words) const {
    const std::string before = all();
    const Outcome outcome = place.run({"run", "p.sql", "--until-end"});
    CHECK(outcome.code == 3);
    for (const std::string& word : words) CHECK_THAT(outcome.err, Contains(word));
    CHECK(all() == before);
  }

  [[nodiscard]] std::vector<Position> positions() const {
    std::vector<Position> positions;
    for (const auto& [at, position] : broker.open()->committed("hot-bids")) positions.push_back(position);
    return positions;
  }
  void restore(const std::vector<Position>& positions) const {
    REQUIRE(broker.open()->open_producer("other")->commit("hot-bids", positions) == CommitOutcome::committed);
  }

  void lose_state() const { std::filesystem::remove_all(place.path("kappa-data")); }

  void remake_bids(int count, int first) const {
    const auto log = broker.open();
    if (log->topic("bids")) testkit::delete_topics({"bids"});
    while (log->topic("bids")) log->wait(std::chrono::milliseconds(5));
    place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"},
               bids(count, first));
  }
};
}  // namespace

TEST_CASE("positions that were reset are refused, with and without checkpoints", "[kafka]") {
  const Ended run;
  testkit::reset_position("hot-bids", {"bids", 1}, 0);
  const std::vector<std::string> words{"position 0 committed for bids-1", "moved by another tool", "kappa replay",
                                       "another application.id"};
  run.refused(words);
  run.lose_state();
  run.refused(words);
}

TEST_CASE("a position that was removed is refused, with and without checkpoints", "[kafka]") {
  const int partition = GENERATE(0, 1);
  const Ended run;
  testkit::delete_position("hot-bids", {"bids", partition});
  const std::vector<std::string> words{"\"hot-bids\"", "removed or expired", "another application.id", "kappa replay"};
  run.refused(words);
  run.lose_state();
  run.refused(words);
}

TEST_CASE("a group that was deleted is refused, also where no checkpoint is left", "[kafka]") {
  const Ended run;
  testkit::delete_groups({"hot-bids"});
  run.refused({"has checkpoints", "no position of \"hot\"", "publishes every result again", "another application.id"});
  run.lose_state();
  run.refused({"\"hot\" has read bids-0 before", "hot-decisions", "publishes every result again", "application.id"});
  testkit::delete_topics({"hot-decisions"});
  while (run.place.run({"log", "read", "hot-decisions"}).code == 0) {
  }
  CHECK_THAT(run.place.good({"run", "p.sql", "--until-end"}).err, Contains("bids-0 starts at offset 0"));
}

TEST_CASE("partitions that were added are refused", "[kafka]") {
  const Ended run;
  testkit::add_partitions("bids", 3);
  while (run.broker.open()->topic("bids")->partitions != 3) {
  }
  run.refused({"bids-0 offset 0", "among 3 partitions", "were added since", "another application.id", "kappa replay"});
  std::string trusting = pipeline("hot", 10, "partitioned_by = 'bidder', partitioned_by_trust = true");
  run.place.write("p.sql", trusting);
  run.refused({"\"totals\" has 2 partitions, the stage has 3 tasks", "another application.id", "kappa replay"});
  trusting.replace(trusting.find("'totals')"), 9, "'totals', partition_by = 'bidder')");
  run.place.write("p.sql", trusting);
  run.refused({"2 partitions of \"bids\"", "now there are 3", "another application.id", "kappa replay"});
}

TEST_CASE("records that were removed in front of a position are refused, those behind it are not missed", "[kafka]") {
  const Ended run;
  testkit::delete_records({"bids", 0}, 100);
  run.place.good({"run", "p.sql", "--until-end"});
  import_bids(run.place, 2000, 2000);
  const std::int64_t end = run.broker.open()->end_offset({"bids", 0});
  testkit::delete_records({"bids", 0}, end - 1);
  run.refused({"stopped at bids-0 offset", "but the log holds " + std::to_string(end - 1), "were removed",
               "another application.id"});
}

TEST_CASE("a source that was deleted and made anew is refused, as short as it was or longer", "[kafka]") {
  const Ended run;
  // With the topic its positions go, in all groups.
  run.remake_bids(GENERATE(500, 2000, 5000), 1);
  while (!run.broker.open()->committed("hot-bids").empty()) {
  }
  run.refused({"has checkpoints", "made anew", "another application.id"});
  run.lose_state();
  run.refused({"\"hot\" has read bids-0 before", "made anew", "another application.id"});
}

TEST_CASE("a source that is gone, or lost what had been read, is refused", "[kafka]") {
  const Ended run;
  const std::vector<Position> positions = run.positions();
  testkit::delete_topics({"bids"});
  while (run.broker.open()->topic("bids")) {
  }
  run.refused({"topic \"bids\" does not exist"});
  run.remake_bids(500, 0);
  run.restore(positions);
  run.refused({"stopped at bids-", "the topic was made anew", "another application.id"});
}

TEST_CASE("a log of other records is refused where positions outlived it, naming the record", "[kafka]") {
  const Ended run;
  const std::vector<Position> positions = run.positions();
  REQUIRE(positions.size() == 2);
  // From a backup, or another cluster: longer than the position, but not what was read. A marker ends each import.
  run.remake_bids(5000, 1);
  run.restore(positions);
  const std::vector<std::string> words{"stopped at bids-0 offset " + std::to_string(positions[0].offset),
                                       "the record at offset " + std::to_string(positions[0].offset - 2),
                                       "is another one", "another application.id", "kappa replay"};
  run.refused(words);
  run.lose_state();
  run.refused(words);
  run.remake_bids(5000, 0);  // the same records again, and more: nobody can tell, and nothing is wrong
  run.restore(positions);
  run.place.good({"run", "p.sql", "--until-end"});
}

TEST_CASE("the last record read may be gone, and a mark outlives runs that read nothing", "[kafka]") {
  const Ended run;
  const auto before = run.positions();
  run.place.good({"run", "p.sql", "--until-end"});
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::string last = before[i].metadata.substr(before[i].metadata.find(" last="), 10);
    CHECK_THAT(run.positions()[i].metadata, Contains(last));
  }
  for (const Position& position : before) testkit::delete_records(position.at, position.offset);
  run.place.good({"run", "p.sql", "--until-end"});
  import_bids(run.place, 100, 2000);
  run.place.good({"run", "p.sql", "--until-end"});
}
