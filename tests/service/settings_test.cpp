// Where settings come from, which wins, and that docs/OPERATING.md lists exactly those that there are.
#include "kappa/service/settings.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <map>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;
using Catch::Matchers::Contains;

TEST_CASE("SET, kappa.conf, the environment and --set win in this order", "[settings]") {
  Place place;
  fill(place, 10);
  std::string text = pipeline();
  place.write("p.sql", "SET workers = 'from-set';\n" + text);
  const auto who = [&](const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"run", "p.sql", "--until-end"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = place.run(arguments);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  CHECK_THAT(who(), Contains("\"from-set\" (SET in p.sql)"));
  place.write("kappa.conf", "# comment\nworkers = from-file # more\n");
  CHECK_THAT(who(), Contains("\"from-file\" (kappa.conf:2)") && Contains("settings from ./kappa.conf"));
  place.write("mine.conf", "workers = 'from-mine'\n");
  CHECK_THAT(who({"--config", "mine.conf"}), Contains("\"from-mine\" (mine.conf:1)"));
  place.environment["KAPPA_WORKERS"] = "from-environment";
  CHECK_THAT(who(), Contains("\"from-environment\" (KAPPA_WORKERS)"));
  CHECK_THAT(who({"--set", "workers=a", "--set", "workers=from-option"}), Contains("\"from-option\" (--set)"));
  place.good({"run", "p.sql", "--until-end", "--set", "workers=2"});
}

TEST_CASE("values take secrets from the environment and from files that are private", "[settings]") {
  Place place;
  fill(place, 10);
  place.environment["WHERE"] = "kappa-data";
  place.good({"log", "topics", "--set", "log.directory=./${env:WHERE}/log"});
  CHECK_THAT(place.run({"log", "topics", "--set", "log.directory=${env:NOWHERE}"}).err,
             Contains("log.directory") && Contains("NOWHERE"));
  place.write("secret", "kappa-data/log\n");
  ::chmod(place.path("secret").c_str(), 0644);
  const Outcome open = place.run({"log", "topics", "--set", "log.directory=${file:secret}"});
  CHECK(open.code == 2);
  CHECK_THAT(open.err, Contains("mode 0600"));
  ::chmod(place.path("secret").c_str(), 0600);
  place.good({"log", "topics", "--set", "log.directory=${file:secret}"});
  CHECK(place.run({"log", "topics", "--set", "log.directory=${file:none}"}).code == 2);
  CHECK(place.run({"log", "topics", "--set", "log.directory=${what:none}"}).code == 2);
  CHECK(place.run({"log", "topics", "--set", "log.directory=${env:WHERE"}).code == 2);
}

TEST_CASE("docs/OPERATING.md lists the settings that there are, with their defaults", "[settings]") {
  std::ifstream page(KAPPA_SOURCE_DIR "/docs/OPERATING.md");
  std::map<std::string, std::string> documented, known;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| Setting |", 0) == 0) in_table = true;
    if (line.empty()) in_table = false;
    if (!in_table || line.rfind("| `", 0) != 0) continue;
    const std::size_t end = line.find('`', 3), second = line.find('|', end) + 2;
    std::string fallback = line.substr(second, line.find(" |", second) - second);
    if (fallback.size() > 2 && fallback.front() == '`') fallback = fallback.substr(1, fallback.size() - 2);
    documented[line.substr(3, end - 3)] = fallback == "–" ? "" : fallback;
  }
  for (const Settings::Line& line : Settings().lines()) known[line.name] = line.value;
  CHECK(documented == known);
}
