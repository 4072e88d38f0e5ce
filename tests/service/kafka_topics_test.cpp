// Settings of topics on a real broker: what run, validate and plan say of them.
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/on_kafka.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
using TopicOptions = std::map<std::string, std::string>;

// `bids` with these settings and some records, on an empty broker.
struct BidsOnKafka : OnKafka {
  explicit BidsOnKafka(const TopicOptions& settings) {
    place.write("p.sql", pipeline());
    testkit::create_topic("bids", settings);
    import_bids(place, 500, 0);
  }
};

int occurrences(const std::string& text, const std::string& word) {
  int count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}
}  // namespace

TEST_CASE("topics that may lose or refuse what a run needs are warnings", "[kafka]") {
  const BidsOnKafka kafka(TopicOptions{{"retention.ms", "3600000"}, {"unclean.leader.election.enable", "true"}});
  testkit::create_topic("totals", {{"message.timestamp.after.max.ms", "1000"}, {"max.message.bytes", "100000"}});
  for (const std::string& said :
       {kafka.place.good({"validate", "p.sql"}).err, kafka.place.good({"run", "p.sql", "--until-end"}).err}) {
    CHECK_THAT(said, Contains("warning: source \"bids\": topic \"bids\" keeps records for 1 hour"));
    CHECK_THAT(said, Contains("\"bids\" has unclean.leader.election.enable=true"));
    CHECK_THAT(said,
               Contains("warning: sink \"totals\": topic \"totals\" refuses timestamps more than 1 second ahead"));
    CHECK_THAT(said, Contains("takes batches of 100000 bytes"));
  }
  CHECK(kafka.place.topic("totals").size() > 1000);
}

TEST_CASE("topics that kappa makes give no warning", "[kafka]") {
  const BidsOnKafka kafka(TopicOptions{{"retention.ms", "-1"}});
  kafka.place.good({"run", "p.sql", "--until-end"});
  CHECK_THAT(kafka.place.good({"run", "p.sql", "--until-end"}).err, !Contains("warning"));
}

TEST_CASE("a plan says that records are stamped when they are appended", "[kafka]") {
  const BidsOnKafka kafka(TopicOptions{{"message.timestamp.type", "LogAppendTime"}});
  const std::string plan = kafka.place.good({"plan", "p.sql", "--from", "2026-01-01"}).out;
  CHECK_THAT(plan, Contains("\"bids\" stamps records when they are appended (LogAppendTime)"));
}

TEST_CASE("where topics' settings may not be seen, that is said once and the run goes on", "[kafka]") {
  const BidsOnKafka kafka(TopicOptions{{"retention.ms", "3600000"}});
  const testkit::HiddenSettings hidden("bids");
  const testkit::HiddenSettings also("totals");
  testkit::create_topic("totals", {});
  const std::string said = kafka.place.good({"run", "p.sql", "--until-end"}).err;
  CHECK(occurrences(said, "DESCRIBE_CONFIGS") == 1);
  CHECK_THAT(said, !Contains("retention"));
  CHECK_THAT(kafka.place.good({"plan", "p.sql", "--from", "2026-01-01"}).err, Contains("DESCRIBE_CONFIGS"));
}
