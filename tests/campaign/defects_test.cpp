// Switched-on defects (docs/faults.md) are caught by the tests that are there to catch them: a test that cannot fail is
// a defect itself.
#include <iostream>

#include "kappa/tests/campaign/faults.h"
#include "kappa/tests/kit/catch.h"

#ifdef KAPPA_KILL_POINTS
namespace kappa::campaign {
namespace {
using Catch::Matchers::Contains;

// Deaths and restarts on the embedded log, in the manner of tests/identity. Empty, or what is wrong.
struct Deaths {
  Shape shape = Shape::windows;
  std::vector<std::string> points;  // one start each
  bool aged = false;                // checkpoints at the first start alone
  bool close_again = false;         // close, forget the state, and close once more
};

const testkit::Settings kBusy{"batch.rows=30", "workers=2", "commit.records=30", "commit.interval=1ms",
                              "checkpoint.interval=1ms"};

std::string die(const Deaths& deaths, const std::string& defect) {
  constexpr std::int64_t kRows = 1500;
  Subject made = subject(deaths.shape, "defect", 3, kRows);
  if (deaths.close_again) expect_close(made);
  const std::string last = deaths.close_again ? "--close" : "--until-end";
  testkit::Arena arena(made.scenario);
  if (!defect.empty()) arena.variables["KAPPA_FAULT"] = defect;
  try {
    std::size_t starts = 0;
    for (const std::string& point : deaths.points) {
      arena.feed(made.scenario.input.size() * ++starts / (deaths.points.size() + 1));
      testkit::Settings settings = kBusy;
      if (deaths.aged && starts > 1) settings.emplace_back("checkpoint.interval=0s");
      arena.call("run", {"--until-end"}, settings, point);
    }
    arena.feed_all();
    arena.finish(kBusy, {last});
    if (deaths.close_again) {
      arena.remove_state();
      arena.finish(kBusy, {last});
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return campaign::difference(made.expected, published(arena.log(), made.sinks));
}

std::vector<std::string> deaths_at(const std::string& point) {
  return {point + ":17", point + ":14", point + ":19", point + ":16", point + ":23"};
}

struct Defect {
  std::string name;
  Deaths deaths;
  bool is_refused = false;  // by a later start
};

std::vector<Defect> defects_of_the_engine() {
  const auto decided = deaths_at("log.commit.journal-written"), undecided = deaths_at("log.commit.locked");
  return {{"checkpoint.ahead", {Shape::windows, undecided}},
          {"decision.unwritten", {Shape::windows, {}, false, true}, true},
          {"late.progress-of-batch", {Shape::windows, {}}},
          {"recovery.mute-short", {Shape::stateless, decided}},
          {"recovery.no-metadata", {Shape::repartition, decided}},
          {"recovery.no-replay", {Shape::windows, {"", "", ""}, true}},
          {"run.no-start-commit",
           {Shape::windows,
            {"log.commit.journal-written:8", "log.commit.journal-written:9", "log.commit.journal-written:10",
             "log.commit.journal-written:11"}},
           true},
          {"side-records.alone", {Shape::stateless, undecided}}};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST_CASE("a defect of the engine is caught by deaths on the embedded log") {
  for (const Defect& defect : defects_of_the_engine()) {
    INFO(defect.name);
    CHECK(die(defect.deaths, "") == "");
    const std::string wrong = die(defect.deaths, defect.name);
    CHECK_THAT(wrong, Contains(defect.is_refused ? "ended with code 3" : "differs at record"));
    std::cout << defect.name << ": " << first_line(wrong) << '\n';
  }
}

struct DefectOnKafka {
  std::string name;
  Shape shape = Shape::windows;
  std::function<void(Injector&)> deeds;
  testkit::Settings settings{};
};

std::vector<DefectOnKafka> defects_on_kafka() {
  // Longer than a session, shorter than a transaction, with results in it: it is still open when it comes back.
  const auto outlived = [](Injector& injector) {
    for (int i = 0; i < 2; ++i) injector.hold_at("kafka.commit.begun", 5);
  };
  const auto killed = [](Injector& injector) {
    for (const int passage : {7, 8, 9}) injector.kill_at("kafka.commit.begun", passage);
  };
  return {{"kafka.outputs-alone", Shape::stateless, killed},
          {"kafka.read-uncommitted", Shape::stateless, nullptr},
          {"group.no-member", Shape::stateless, outlived, {"kafka.transaction.timeout.ms=20000"}}};
}

std::string suffer(const DefectOnKafka& defect, bool switched_on) {
  Plan plan;
  plan.options.name = "defect-" + std::string(switched_on ? "on-" : "off-") + defect.name;
  plan.options.shape = defect.shape;
  plan.options.rows = 2500;
  plan.options.settings = defect.settings;
  if (switched_on) plan.options.variables["KAPPA_FAULT"] = defect.name;
  plan.deeds = defect.deeds;
  Tally tally;
  return torture(the_broker(), plan, tally);
}

// The same deeds without the defect are harmless; else nothing would be said by what they catch.
void catch_on_kafka(bool also_without) {
  for (const DefectOnKafka& defect : defects_on_kafka()) {
    INFO(defect.name);
    if (also_without) CHECK(suffer(defect, false) == "");
    const std::string wrong = suffer(defect, true);
    CHECK_THAT(wrong, Contains("sees other results"));  // and not: the harness could not go on
    std::cout << defect.name << ": " << first_line(wrong) << '\n';
  }
}

TEST_CASE("a defect of what kappa does on Kafka is caught by faults on a broker") { catch_on_kafka(false); }
TEST_CASE("every defect on Kafka is caught, by what is harmless without it", "[.][long]") { catch_on_kafka(true); }

}  // namespace
}  // namespace kappa::campaign
#endif
