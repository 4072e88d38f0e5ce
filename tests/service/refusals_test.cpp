// What kappa refuses, with which code and words, and that it has written nothing then.
#include <fmt/format.h>

#include <algorithm>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
// The command ends with `code`, says all of `words`, and no file below the place has come, gone or grown.
void refused(const Place& place, const std::vector<std::string>& arguments, int code,
             const std::vector<std::string>& words) {
  const std::vector<std::string> before = place.listing();
  const Outcome outcome = place.run(arguments);
  CAPTURE(arguments, outcome.out);
  CHECK(outcome.code == code);
  for (const std::string& word : words) CHECK_THAT(outcome.err, Contains(word));
  for (const std::string& line : place.listing())
    if (std::find(before.begin(), before.end(), line) == before.end()) FAIL_CHECK("written: " + line);
  CHECK(place.listing().size() == before.size());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}
}  // namespace

TEST_CASE("an unknown column is shown at its place, with the nearest name", "[refusals]") {
  Place place;
  fill(place, 10);
  place.write("bad.sql", replaced(pipeline(), "sum(price)", "sum(pryce)"));
  for (const std::string verb : {"run", "validate", "graph", "checkpoints"})
    refused(place, {verb, "bad.sql"}, 2, {"bad.sql:5:", "pryce", "^", "price"});
}

TEST_CASE("an unknown topic is refused with the nearest name", "[refusals]") {
  Place place;
  fill(place, 10);
  place.write("bad.sql", replaced(pipeline(), "topic = 'bids'", "topic = 'bidz'"));
  refused(place, {"run", "bad.sql", "--until-end"}, 3, {"\"bidz\"", "did you mean \"bids\"?"});
  refused(place, {"validate", "bad.sql"}, 3, {"did you mean \"bids\"?"});
  refused(place, {"plan", "bad.sql", "--from", "2026-01-01"}, 3, {"did you mean \"bids\"?"});
  refused(place, {"replay", "bad.sql", "--from", "2026-01-01", "--execute"}, 3, {"did you mean \"bids\"?"});
  refused(place, {"log", "read", "bidz"}, 3, {"did you mean \"bids\"?"});
  refused(place, {"log", "schema", "bidz"}, 3, {"did you mean \"bids\"?"});
}

TEST_CASE("an unknown setting names the nearest one and where it was set", "[refusals]") {
  Place place;
  fill(place, 10);
  refused(place, {"run", "p.sql", "--set", "commit.intervall=1s"}, 2,
          {"\"commit.intervall\"", "--set", "did you mean \"commit.interval\"?"});
  place.write("bad.sql", "SET chekpoint.interval = '1s';\n" + pipeline());
  refused(place, {"run", "bad.sql"}, 2, {"\"chekpoint.interval\"", "bad.sql", "did you mean \"checkpoint.interval\"?"});
  place.write("mine.conf", "# settings\nworkers = 1\nworker = 2\n");
  refused(place, {"run", "p.sql", "--config", "mine.conf"}, 2, {"\"worker\"", "mine.conf:3", "\"workers\""});
  place.write("mine.conf", "just words\n");
  refused(place, {"run", "p.sql", "--config", "mine.conf"}, 2, {"mine.conf:1"});
  refused(place, {"run", "p.sql", "--config", "none.conf"}, 2, {"none.conf", "cannot be read"});
}

TEST_CASE("a setting that this version does not have yet is no unknown one", "[refusals]") {
  Place place;
  fill(place, 10);
  for (const std::string name : {"state.memory"})
    refused(place, {"run", "p.sql", "--set", name + "=1"}, 2, {"\"" + name + "\"", "not available in this version"});
}

TEST_CASE("values of settings are checked before anything is written", "[refusals]") {
  Place place;
  fill(place, 10);
  for (const std::string bad : {"workers=many", "workers=0", "workers=257", "batch.rows=5000", "commit.interval=soon",
                                "commit.interval=-1s", "checkpoint.retained=0", "checkpoint.history=1h", "start=soon",
                                "errors.policy=panic", "log.sync=maybe", "commit.records=-1"})
    refused(place, {"run", "p.sql", "--until-end", "--set", bad}, 2, {bad.substr(0, bad.find('='))});
  refused(place, {"run", "p.sql", "--set", "workers"}, 2, {"\"workers\"", "name=value"});
}

TEST_CASE("usage errors say what is missing", "[refusals]") {
  Place place;
  fill(place, 10);
  refused(place, {}, 2, {"--help"});
  refused(place, {"valdate", "p.sql"}, 2, {"valdate", "did you mean \"validate\"?"});
  refused(place, {"log", "raed", "bids"}, 2, {"raed", "did you mean \"read\"?"});
  refused(place, {"run"}, 2, {"PIPELINE"});
  refused(place, {"run", "none.sql"}, 2, {"none.sql", "cannot be read"});
  refused(place, {"run", "p.sql", "--forever"}, 2, {"--forever"});
  refused(place, {"run", "p.sql", "--output", "xml"}, 2, {"text or json"});
  refused(place, {"log", "import", "bids", "none.jsonl"}, 2, {"none.jsonl", "cannot be read"});
  place.write("bad.sql", replaced(pipeline(), "SET application.id = 'hot';", ""));
  for (const std::string verb : {"run", "plan", "replay"}) {
    std::vector<std::string> arguments{verb, "bad.sql"};
    if (verb != "run") arguments.insert(arguments.end(), {"--from", "2026-01-01"});
    refused(place, arguments, 2, {"application.id", "SET application.id = 'name';"});
  }
}

TEST_CASE("bad time arguments say which are good", "[refusals]") {
  Place place;
  fill(place, 10);
  for (const std::string bad :
       {"yesterday", "", "2026-13-01", "2026-01-01T25:00:00Z", "6 parsecs", "99999999999999999", "-1"})
    refused(place, {"replay", "p.sql", "--from", bad, "--execute"}, 2, {"--from", "RFC 3339", "epoch"});
  refused(place, {"plan", "p.sql", "--from", "2026-01-01", "--to", "never"}, 2, {"--to", "RFC 3339"});
  refused(place, {"plan", "p.sql", "--from", "2026-01-02", "--to", "2026-01-01"}, 2, {"is not before --to"});
  refused(place, {"plan", "p.sql", "--from", "2026-01-01", "--to", "2026-01-01"}, 2, {"is not before --to"});
  refused(place, {"replay", "p.sql", "--from", "2026-01-01", "--output", "everything"}, 2, {"--output", "upsert"});
  refused(place, {"replay", "p.sql", "--from", "2026-01-01", "--name", "a/b", "--execute"}, 2, {"name"});
  refused(place, {"plan", "p.sql", "--from", "2026-01-01", "--name", "../b"}, 2, {"name"});
}

TEST_CASE("without a log nothing is made", "[refusals]") {
  Place place;
  place.write("p.sql", pipeline());
  refused(place, {"run", "p.sql"}, 3, {"there is no log in ./kappa-data/log", "kappa log import", "log.directory"});
  refused(place, {"plan", "p.sql", "--from", "2026-01-01"}, 3, {"there is no log"});
  refused(place, {"log", "topics"}, 3, {"there is no log"});
  refused(place, {"log", "read", "bids"}, 3, {"there is no log"});
  refused(place, {"diff", "x"}, 3, {"there is no replay \"x\""});
}
