#include "kappa/service/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kappa/engine/time_text.h"
#include "kappa/service/context.h"

namespace kappa {

namespace {
using Json = nlohmann::ordered_json;

struct Totals {
  std::int64_t read = 0, muted = 0, dead = 0, late = 0, filtered = 0, held = 0, windows_open = 0, emitted = 0;
  std::map<std::string, std::int64_t> sinks;
  std::string held_by;
  std::int64_t least_end = kForever;
};

Totals totals_of(const RunReport& report) {
  Totals totals;
  for (const TaskReport& task : report.tasks) {
    for (const auto& [at, source] : task.sources) {
      if (source.repartition) continue;  // read once already, from the source
      totals.read += source.read;
      totals.muted += source.muted;
      totals.dead += source.dead;
    }
    for (const NodeReport& node : task.nodes) {
      totals.late += node.counters.late;
      totals.filtered += node.counters.filtered;
      totals.dead += node.counters.dead + node.counters.emitted_dead;
      totals.emitted += node.counters.emitted;
    }
    totals.held += task.held_rows;
    totals.windows_open += task.open.count;
    if (task.open.least_end < totals.least_end) {
      totals.least_end = task.open.least_end;
      totals.held_by = task.held_by;
    }
    for (const auto& [topic, sink] : task.sinks) totals.sinks[topic] += sink.records;
  }
  return totals;
}

Json counters_json(const NodeCounters& c) {
  return {{"in", c.in},     {"out", c.out},   {"folded", c.folded},   {"filtered", c.filtered},
          {"late", c.late}, {"dead", c.dead}, {"emitted", c.emitted}, {"emitted_dead", c.emitted_dead}};
}

Json report_json(const RunReport& report) {
  Json tasks = Json::array();
  for (const TaskReport& task : report.tasks) {
    Json sources = Json::array(), nodes = Json::array(), sinks = Json::array();
    for (const auto& [at, s] : task.sources)
      sources.push_back({{"topic", at.topic},
                         {"partition", at.partition},
                         {"read", s.read},
                         {"rows", s.rows},
                         {"dead", s.dead},
                         {"muted", s.muted}});
    for (const NodeReport& node : task.nodes)
      nodes.push_back({{"node", node.node}, {"counters", counters_json(node.counters)}});
    for (const auto& [topic, sink] : task.sinks) sinks.push_back({{"topic", topic}, {"records", sink.records}});
    tasks.push_back({{"task", to_string(task.task)},
                     {"sources", sources},
                     {"nodes", nodes},
                     {"sinks", sinks},
                     {"open_windows", task.open.count},
                     {"held_rows", task.held_rows},
                     {"held_by", task.held_by}});
  }
  return {{"records_read", report.records_read},
          {"commits", report.commits},
          {"checkpoints", report.checkpoints},
          {"stopped", report.stopped},
          {"tasks", tasks}};
}
}  // namespace

std::string describe(const RunReport& report) {
  const Totals t = totals_of(report);
  std::string out = fmt::format("read {} records{}: {} filtered, {} late, {} dead letters{}\n", t.read,
                                t.muted > 0 ? fmt::format(" ({} of them again, muted)", t.muted) : "", t.filtered,
                                t.late, t.dead, t.held > 0 ? fmt::format(", {} held in merges", t.held) : "");
  for (const auto& [topic, records] : t.sinks) out += fmt::format("wrote {} records to {}\n", records, topic);
  if (t.windows_open > 0)
    out += fmt::format("{} windows stay open, the first until {}{}\n", t.windows_open, timestamp_text(t.least_end),
                       t.held_by.empty() ? "" : ": they wait for " + t.held_by);
  return out + fmt::format("{} commits, {} checkpoints\n", report.commits, report.checkpoints);
}

std::string to_json(const RunReport& report) { return report_json(report).dump(2); }

std::string describe(const ReplayReport& report) {
  std::string out = fmt::format("replay \"{}\" {}{}\n", report.plan.spec.name, report.resumed ? "went on and " : "",
                                report.finished ? "is finished" : "was stopped; the same command goes on with it");
  out += describe(report.run);
  for (const SinkDigest& sink : report.sinks)
    out += fmt::format("{}: {} records, digest {}\n", sink.topic, sink.records, sink.digest);
  return out;
}

std::string to_json(const ReplayReport& report) {
  Json sinks = Json::array();
  for (const SinkDigest& sink : report.sinks)
    sinks.push_back({{"topic", sink.topic}, {"records", sink.records}, {"digest", sink.digest}});
  return Json{{"name", report.plan.spec.name},
              {"resumed", report.resumed},
              {"finished", report.finished},
              {"sinks", sinks},
              {"run", report_json(report.run)}}
      .dump(2);
}

void Progress::show(std::int64_t read, std::int64_t of) {
  const auto now = clock_.now();
  const double recent = std::chrono::duration<double>(now - last_).count();
  const double rate = recent > 0 ? static_cast<double>(read - last_read_) / recent : 0;
  last_ = now;
  last_read_ = read;
  if (of <= 0) return show_progress(fmt::format("{} records read, {:.0f}/s", read, rate));
  const double overall =
      static_cast<double>(read) / std::max(0.001, std::chrono::duration<double>(now - started_).count());
  const double left = overall > 0 ? static_cast<double>(of - read) / overall : 0;
  show_progress(fmt::format("{} of {} records, {:.0f} %, {:.0f}/s, {:.0f} s to go", read, of,
                            100.0 * static_cast<double>(read) / static_cast<double>(of), rate, std::max(0.0, left)));
}

}  // namespace kappa
