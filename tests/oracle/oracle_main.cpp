// kappa_oracle: prints what a pipeline must publish, or compares dumps of its topics with that.
//
//   kappa_oracle PIPELINE.json [--sink DUMP] [--dead DUMP] [--late DUMP] SOURCES.jsonl…
//
// Dumps are what `kappa log read TOPIC` prints. Without --sink, --dead or --late the expectation is printed, one JSON
// object a line, with a field "kind": sink, late, dead, counts (one per source partition), open. Exit codes: 0 equal
// or printed, 1 differs, 2 usage or unreadable input.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "kappa/tests/oracle/pipeline.h"

namespace {
using nlohmann::ordered_json;
using namespace oracle;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void read_records(const std::string& path, std::vector<Record>& records) {
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) records.push_back(parse_record(line));
  }
}

void print(const Expected& expected) {
  for (const SinkRecord& r : expected.sink) {
    std::cout << ordered_json{{"kind", "sink"},
                              {"partition", r.partition},
                              {"timestamp", r.timestamp_ms},
                              {"key", r.key},
                              {"value", r.value}}
              << '\n';
  }
  for (const Place& p : expected.late) {
    std::cout << ordered_json{{"kind", "late"}, {"topic", p.topic}, {"partition", p.partition}, {"offset", p.offset}}
              << '\n';
  }
  for (const auto& [p, cause] : expected.dead) {
    std::cout << ordered_json{{"kind", "dead"},
                              {"topic", p.topic},
                              {"partition", p.partition},
                              {"offset", p.offset},
                              {"cause", cause}}
              << '\n';
  }
  for (const auto& [at, c] : expected.counts) {
    std::cout << ordered_json{{"kind", "counts"}, {"topic", at.first},        {"partition", at.second},
                              {"read", c.read},   {"processed", c.processed}, {"filtered", c.filtered},
                              {"late", c.late},   {"dead", c.dead},           {"held", c.held}}
              << '\n';
  }
  std::cout << ordered_json{{"kind", "open"}, {"windows", expected.open_windows}} << '\n';
}

std::string show(const SinkRecord& r) { return r.key + " " + r.value + " @" + std::to_string(r.timestamp_ms); }

// Per partition, in order.
bool same_sink(const std::vector<SinkRecord>& expected, const std::string& dump) {
  std::vector<Record> records;
  read_records(dump, records);
  std::map<std::int32_t, std::vector<SinkRecord>> want, got;
  for (const SinkRecord& r : expected) want[r.partition].push_back(r);
  for (const Record& r : records) {
    got[r.partition].push_back({r.partition, r.key.value_or("null"), r.value.value_or("null"), r.timestamp_ms});
    want[r.partition];
  }
  bool same = true;
  for (const auto& [partition, records_wanted] : want) {
    const std::vector<SinkRecord>& other = got[partition];
    const std::size_t n = std::min(records_wanted.size(), other.size());
    std::size_t i = 0;
    while (i < n && records_wanted[i] == other[i]) ++i;
    if (i == records_wanted.size() && i == other.size()) continue;
    same = false;
    std::cout << "sink partition " << partition << " differs at record " << i << " (of " << records_wanted.size()
              << " expected, " << other.size() << " found)\n  expected "
              << (i < records_wanted.size() ? show(records_wanted[i]) : "nothing") << "\n  found    "
              << (i < other.size() ? show(other[i]) : "nothing") << '\n';
  }
  return same;
}

// As a set: which source records they name.
bool same_places(const char* what, std::vector<Place> expected, const std::string& dump) {
  std::vector<Record> records;
  read_records(dump, records);
  std::vector<Place> found;
  for (const Record& r : records) {
    if (r.headers.count("kappa-topic") == 0) throw std::runtime_error(dump + ": a record without kappa-topic");
    found.push_back({r.headers.at("kappa-topic"), std::stoi(r.headers.at("kappa-partition")),
                     std::stoll(r.headers.at("kappa-offset"))});
  }
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  const auto report = [&](const char* which, const std::vector<Place>& a, const std::vector<Place>& b) {
    std::vector<Place> only;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
    if (only.empty()) return true;
    std::cout << what << ": " << only.size() << " only " << which << ", first " << only.front().topic << "-"
              << only.front().partition << " offset " << only.front().offset << '\n';
    return false;
  };
  const bool none_missing = report("expected", expected, found);
  return report("found", found, expected) && none_missing;
}

bool compare(const Expected& expected, const std::map<std::string, std::string>& dumps) {
  std::vector<Place> dead;
  for (const auto& [place, cause] : expected.dead) dead.push_back(place);
  bool same = true;
  if (dumps.count("--sink") > 0) same &= same_sink(expected.sink, dumps.at("--sink"));
  if (dumps.count("--dead") > 0) same &= same_places("dead letters", dead, dumps.at("--dead"));
  if (dumps.count("--late") > 0) same &= same_places("late records", expected.late, dumps.at("--late"));
  if (same) {
    std::cout << "equal: " << expected.sink.size() << " results, " << dead.size() << " dead letters, "
              << expected.late.size() << " late\n";
  }
  return same;
}

int run(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> dumps;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool is_dump = arguments[i] == "--sink" || arguments[i] == "--dead" || arguments[i] == "--late";
    if (is_dump && i + 1 < arguments.size()) {
      dumps[arguments[i]] = arguments[i + 1];
      ++i;
    } else {
      files.push_back(arguments[i]);
    }
  }
  if (files.empty() || files.front().starts_with("--")) {
    throw std::runtime_error("PIPELINE.json [--sink DUMP] [--dead DUMP] [--late DUMP] SOURCES.jsonl…");
  }
  std::vector<Record> records;
  for (std::size_t i = 1; i < files.size(); ++i) read_records(files[i], records);
  const Expected expected = expect(parse_pipeline(read_file(files.front())), records);
  if (!dumps.empty()) return compare(expected, dumps) ? 0 : 1;
  print(expected);
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "kappa_oracle: " << error.what() << '\n';
    return 2;
  }
}
