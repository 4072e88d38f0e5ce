// The merge and the windows agree with the results that the executable model of time gave (golden.jsonl).
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/oracle/time.h"

namespace oracle {
namespace {
using nlohmann::json;

struct Log {
  std::vector<Row> rows;
  std::int64_t reached = kNever;
};

// The golden file counts in ms.
std::vector<Log> logs_of(const json& golden) {
  std::vector<Log> logs;
  for (const json& entries : golden.at("logs")) {
    Log log;
    for (const json& entry : entries) {
      Row row;
      row.event_time = entry.at(0).get<std::int64_t>() * 1000;
      row.key = entry.at(1).get<std::string>();
      row.values = {std::int64_t{1}};
      log.reached = std::max(log.reached, row.event_time);
      row.progress = log.reached;
      log.rows.push_back(row);
    }
    logs.push_back(log);
  }
  return logs;
}

std::int64_t count_of(const Closed& window) {
  std::int64_t count = 0;
  for (const Row& row : window.rows) count += std::get<std::int64_t>(row.values[0]);
  return count;
}

// Each log windowed by itself; its results are one input of what follows.
std::vector<Log> windowed(const std::vector<Log>& logs, const WindowSpec& spec) {
  std::vector<Log> results;
  for (const Log& log : logs) {
    Windows windows(spec);
    Log result;
    result.reached = log.reached;
    const auto take = [&](const std::vector<Closed>& closed) {
      for (const Closed& window : closed) {
        Row row;
        row.progress = window.progress;
        row.event_time = window.event_time;
        row.key = window.key;
        row.values = {count_of(window)};
        result.rows.push_back(row);
      }
    };
    for (const Row& row : log.rows) take(windows.row(row));
    take(windows.advance(log.reached - spec.out_of_orderness_us));
    results.push_back(result);
  }
  return results;
}

struct Outcome {
  json out = json::array(), late = json::array();
  std::string order;
  std::size_t held = 0;
};

// `backwards`: the last input is read to its end first, else all in turn.
Outcome run(const std::vector<Log>& logs, const WindowSpec& spec, bool backwards) {
  Merge merge(logs.size());
  Windows windows(spec);
  Outcome outcome;
  const auto publish = [&](const std::vector<Closed>& closed) {
    for (const Closed& w : closed) {
      outcome.out.push_back({w.event_time / 1000, std::get<std::string>(w.key), count_of(w), w.start / 1000});
    }
  };
  const auto take = [&](const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      outcome.order += std::to_string(row.input);
      publish(windows.row(row));
    }
  };
  std::vector<std::pair<std::size_t, std::size_t>> reading;  // place, input
  for (std::size_t i = 0; i < logs.size(); ++i) {
    for (std::size_t at = 0; at < logs[i].rows.size(); ++at) reading.emplace_back(backwards ? 1000 - i : at, i);
  }
  std::stable_sort(reading.begin(), reading.end());
  std::vector<std::size_t> at(logs.size(), 0);
  std::int64_t least = kForever;
  for (const auto& [place, i] : reading) {
    Row row = logs[i].rows[at[i]++];
    row.input = static_cast<int>(i);
    take(merge.add(i, row));
  }
  for (std::size_t i = 0; i < logs.size(); ++i) {
    take(merge.raise_progress(i, logs[i].reached));
    least = std::min(least, logs[i].reached);
  }
  publish(windows.advance(least - spec.out_of_orderness_us));
  for (const Row& row : windows.late()) {
    outcome.late.push_back({row.event_time / 1000, std::get<std::string>(row.key)});
  }
  outcome.held = merge.held().size();
  return outcome;
}
}  // namespace

TEST_CASE("the oracle agrees with the executable model of time", "[oracle]") {
  std::ifstream file(std::string(KAPPA_SOURCE_DIR) + "/tests/oracle/golden.jsonl");
  REQUIRE(file);
  int cases = 0, late = 0, held = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    const json golden = json::parse(line);
    WindowSpec spec{golden.at("size").get<std::int64_t>() * 1000, golden.at("kind") == "session",
                    golden.at("ooo").get<std::int64_t>() * 1000};
    std::vector<Log> logs = logs_of(golden);
    if (golden.at("kind") == "over") {
      logs = windowed(logs, spec);
      spec.size_us = golden.at("outer").get<std::int64_t>() * 1000;
    }
    for (const bool backwards : {false, true}) {
      const Outcome outcome = run(logs, spec, backwards);
      INFO(line);
      CHECK(outcome.out == golden.at("out"));
      CHECK(outcome.late == golden.at("late"));
      CHECK(outcome.order == golden.at("order"));
      CHECK(outcome.held == golden.at("held"));
    }
    ++cases;
    late += golden.at("late").empty() ? 0 : 1;
    held += golden.at("held") > 0 ? 1 : 0;
  }
  CHECK(cases == 300);
  CHECK(late > 50);
  CHECK(held > 100);
}

}  // namespace oracle
