// log.format = json: every line on standard error is an object, whatever it says.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

#include "kappa/engine/time_text.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
std::vector<nlohmann::json> objects(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

std::string of_level(const std::vector<nlohmann::json>& messages, const std::string& level) {
  std::string text;
  for (const nlohmann::json& message : messages)
    if (message.at("level") == level) text += message.at("message").get<std::string>() + "\n";
  return text;
}
}  // namespace

TEST_CASE("with log.format = json each message is an object with time, level, application and text", "[messages]") {
  Place place;
  fill(place, 100);
  place.write("kappa.conf", "log.format = json\n");
  std::string sql = pipeline();
  sql.replace(sql.find("price bigint"), 12, "price bigint, nothing bigint");
  sql.replace(sql.find("sum(price)"), 10, "sum(price + nothing)");
  place.write("p.sql", sql);
  const std::vector<nlohmann::json> messages = objects(place.good({"run", "p.sql", "--until-end"}).err);
  REQUIRE(messages.size() >= 3);
  for (const nlohmann::json& message : messages) {
    INFO(message.dump());
    const std::string time = message.at("time");
    CHECK(time.size() == std::string("2026-01-01T00:00:00.000Z").size());
    CHECK(parse_timestamp(time));
    CHECK(message.at("application") == "hot");
    CHECK_THAT(message.at("message"), !Contains("kappa: "));
  }
  CHECK_THAT(of_level(messages, "info"), Contains("settings from ./kappa.conf") && Contains("read 100 records: "));
  CHECK_THAT(of_level(messages, "warning"), Contains("nothing") && !Contains("warning"));
  CHECK(of_level(messages, "error").empty());
}

TEST_CASE("an error is an object too, also that of a pipeline", "[messages]") {
  Place place;
  fill(place, 10);
  place.environment["KAPPA_LOG_FORMAT"] = "json";
  const Outcome no_topic = place.run({"log", "read", "beds"});
  CHECK(no_topic.code == 3);
  const std::vector<nlohmann::json> messages = objects(no_topic.err);
  REQUIRE(messages.size() == 1);
  CHECK_THAT(of_level(messages, "error"), Contains("did you mean \"bids\"?"));
  CHECK_FALSE(messages[0].contains("application"));
  place.write("p.sql", "SELECT \"\xff\" FROM\n");
  const Outcome bad = place.run({"run", "p.sql"});
  CHECK(bad.code == 2);
  CHECK_THAT(of_level(objects(bad.err), "error"), Contains("p.sql"));
  CHECK_THAT(place.run({"log", "topics", "--set", "log.format=xml"}).err, Contains("must be text or json"));
}
