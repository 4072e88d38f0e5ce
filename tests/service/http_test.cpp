// What a run serves over HTTP.
#include <httplib.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa::cli;
using Catch::Matchers::Contains;

namespace {
constexpr const char* kPages = ": /livez, /readyz, /metrics, /api/status";

// "127.0.0.1:40123", once the run has said so.
std::string address_of(Running& run) {
  run.until(kPages);
  const std::string said = run.said();
  const std::size_t begin = said.find("http://") + 7;
  return said.substr(begin, said.find(kPages, begin) - begin);
}

// The sum of a metric's values over its labels.
double sum_of(const std::string& page, const std::string& metric) {
  double sum = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(metric, 0) == 0) sum += std::stod(line.substr(line.rfind(' ')));
  return sum;
}

// The page, asked for until `is_there` says so; a run may take its time to get there, a minute at most.
std::string page_when(httplib::Client& client, const std::string& path,
                      const std::function<bool(const std::string&)>& is_there) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  for (;;) {
    const auto answer = client.Get(path.c_str());
    if (!answer) throw std::runtime_error("no answer for " + path);
    if (is_there(answer->body)) return answer->body;
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error(path + " says: " + answer->body);
  }
}
// The names of metrics in a text, without the endings of a histogram's parts.
std::set<std::string> metrics_in(const std::string& text) {
  std::set<std::string> names;
  for (const std::string prefix : {"kappa_", "process_"}) {
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
      if (at > 0 && (std::isalnum(text[at - 1]) != 0 || text[at - 1] == '_')) continue;
      const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
      std::string name = text.substr(at, end - at);
      for (const std::string part : {"_bucket", "_sum", "_count"})
        if (name.ends_with(part)) name.resize(name.size() - part.size());
      if (name != prefix) names.insert(name);
    }
  }
  return names;
}

std::string project_file(const std::string& name) {
  std::ifstream in(KAPPA_SOURCE_DIR "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}
}  // namespace

TEST_CASE("a run is watched over HTTP", "[http]") {
  const Place place;
  fill(place, 600);
  Running run = place.start({"run", "p.sql", "--set", "http.listen=0"});
  httplib::Client client("http://" + address_of(run));
  page_when(client, "/readyz", [](const std::string& page) { return page == "ok\n"; });
  CHECK(client.Get("/livez")->status == 200);
  const std::string page = page_when(client, "/metrics", [](const std::string& text) {
    return sum_of(text, "kappa_source_records_total{") == 600 && sum_of(text, "kappa_sink_records_total{") > 0;
  });
  CHECK(sum_of(page, "kappa_lag_records{") == 0);
  CHECK(sum_of(page, "kappa_node_rows_total{task=\"bids-0\",node=\"bids\",outcome=\"out\"}") > 0);
  page_when(client, "/metrics",
            [](const std::string& text) { return sum_of(text, "kappa_latency_seconds_count") > 0; });
  CHECK_THAT(page, Contains("# TYPE kappa_commit_duration_seconds histogram"));
  const std::set<std::string> served = metrics_in(page);
  for (const char* file : {"service/deploy/alerts.yml", "service/deploy/dashboard.json", "docs/OPERATING.md"}) {
    const std::set<std::string> named = metrics_in(project_file(file));
    CHECK(named.size() > 5);
    for (const std::string& name : named)
      if (served.count(name) == 0) FAIL_CHECK(std::string(file) + " names " + name + ", which no run serves");
  }
  const std::string manual = project_file("docs/OPERATING.md");
  for (const std::string& name : served)
    if (manual.find("`" + name) == std::string::npos) FAIL_CHECK("docs/OPERATING.md does not name " + name);
  const auto status = nlohmann::json::parse(client.Get("/api/status")->body);
  CHECK(status.at("application") == "hot");
  CHECK(status.at("ready") == true);
  CHECK(status.at("tasks").size() == 2);
  CHECK(status.at("tasks").at(0).at("inputs").at(0).at("lag") == 0);
  run.signal(SIGTERM);
  CHECK(run.wait().code == 143);
}

TEST_CASE("what is asked wrongly over HTTP is refused", "[http]") {
  const Place place;
  fill(place, 10);
  Running run = place.start({"run", "p.sql", "--set", "http.listen=0"});
  const std::string address = address_of(run);
  httplib::Client client("http://" + address);
  for (const char* path : {"/livez", "/readyz", "/metrics", "/api/status", "/"})
    CHECK(client.Get(path, {{"Host", "kappa.example"}})->status == 403);
  CHECK(client.Get("/")->status == 404);
  CHECK(client.Get("/../p.sql")->status >= 400);
  CHECK(client.Post("/api/status", "{}", "application/json")->status == 404);
  CHECK(client.Post("/api/status", std::string(100'000, 'x'), "text/plain")->status >= 400);
  CHECK(client.Get("/readyz")->status != 404);

  const Outcome second = place.run({"run", "p.sql", "--set", "http.listen=" + address, "--set", "application.id=b"});
  CHECK(second.code == 3);
  CHECK_THAT(second.err, Contains("in use"));
}

TEST_CASE("an address that others reach needs consent and a token", "[http]") {
  const Place place;
  fill(place, 10);
  const std::string token = "a token of some length";
  const std::vector<std::string> run{"run", "p.sql", "--until-end", "--set"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = run;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  for (const auto& [more, why] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"http.listen=0.0.0.0:0"}, "http.expose"},
           {{"http.listen=0.0.0.0:0", "--set", "http.expose=true"}, "http.token"},
           {{"http.listen=0.0.0.0:0", "--set", "http.expose=true", "--set", "http.token=short"}, "http.token"},
           {{"http.listen=port"}, "HOST:PORT"},
           {{"http.listen=127.0.0.1:70000"}, "HOST:PORT"}}) {
    const Outcome outcome = place.run(with(more));
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains(why) && !Contains("=short") && !Contains("\"short\""));
  }
  Running exposed = place.start(
      {"run", "p.sql", "--set", "http.listen=0.0.0.0:0", "--set", "http.expose=true", "--set", "http.token=" + token});
  const std::string address = address_of(exposed);
  httplib::Client client("http://127.0.0.1" + address.substr(address.rfind(':')));
  CHECK(client.Get("/metrics")->status == 200);
  CHECK(client.Get("/api/status")->status == 401);
  CHECK(client.Get("/api/status", {{"Authorization", "Bearer a token of some lengt"}})->status == 401);
  CHECK(client.Get("/api/status", {{"Authorization", "Bearer "}})->status == 401);
  CHECK(client.Get("/api/status", {{"Authorization", "Bearer " + token}})->status == 200);
}
