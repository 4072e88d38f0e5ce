#include "kappa/service/exposition.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kappa/engine/time_text.h"

namespace kappa {

namespace {
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// A worker reports twice a second; it may wait this long for a broker, a disk or a lock.
constexpr std::chrono::seconds kSilenceMax{120};

class Families {
 public:
  MetricFamily& family(const std::string& name, const std::string& help, MetricType type) {
    for (MetricFamily& known : all_)
      if (known.name == name) return known;
    MetricFamily& made = all_.emplace_back();
    made.name = name;
    made.help = help;
    made.type = type;
    return made;
  }
  void counter(const std::string& name, const std::string& help, const Labels& labels, double value) {
    ClientMetric& metric = family(name, help, MetricType::Counter).metric.emplace_back();
    metric.label = labels;
    metric.counter.value = value;
  }
  void counter(const std::string& name, const std::string& help, const Labels& labels, std::int64_t value) {
    counter(name, help, labels, static_cast<double>(value));
  }
  void gauge(const std::string& name, const std::string& help, const Labels& labels, double value) {
    ClientMetric& metric = family(name, help, MetricType::Gauge).metric.emplace_back();
    metric.label = labels;
    metric.gauge.value = value;
  }
  void histogram(const std::string& name, const std::string& help, const Histogram::Snapshot& values) {
    ClientMetric& metric = family(name, help, MetricType::Histogram).metric.emplace_back();
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < values.counts.size(); ++i) {
      seen += values.counts[i];
      const double bound = i < Histogram::kBounds.size() ? Histogram::kBounds[i] : INFINITY;
      metric.histogram.bucket.push_back({seen, bound});
    }
    metric.histogram.sample_count = seen;
    metric.histogram.sample_sum = values.sum;
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(all_); }

 private:
  std::vector<MetricFamily> all_;
};

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

// Records between where a task stands and the end that a reader may see.
std::int64_t lag_of(Log& log, const TopicPartition& at, const SourceReport& source) {
  return std::max<std::int64_t>(0, log.end_offset(at) - source.position);
}

void add_sources(Families& out, const WatchedRun& run, const TaskReport& task) {
  for (const auto& [at, source] : task.sources) {
    const Labels labels{{"topic", at.topic}, {"partition", std::to_string(at.partition)}};
    out.counter("kappa_source_records_total", "Records read.", labels, source.read);
    out.counter("kappa_source_muted_records_total", "Records read again without publishing.", labels, source.muted);
    out.counter("kappa_source_dead_records_total", "Records that did not decode or lie outside time.", labels,
                source.dead);
    out.gauge("kappa_lag_records", "Records between the position and the partition's end.", labels,
              static_cast<double>(lag_of(run.log, at, source)));
    if (source.progress == kNever) continue;
    out.gauge("kappa_progress_seconds", "Greatest event time read, as a Unix time.", labels, seconds(source.progress));
  }
}

void add_task(Families& out, const WatchedRun& run, const TaskReport& task) {
  const Labels labels{{"task", to_string(task.task)}};
  out.gauge("kappa_task_ready", "1 once the task has caught up with what was committed before the start.", labels,
            task.muted ? 0 : 1);
  out.gauge("kappa_state_bytes", "Bytes of working state.", labels, static_cast<double>(task.state_bytes));
  out.gauge("kappa_open_windows", "Windows that are open.", labels, static_cast<double>(task.open.count));
  out.gauge("kappa_held_rows", "Rows that wait in a merge for the other inputs.", labels,
            static_cast<double>(task.held_rows));
  out.counter("kappa_skipped_records_total", "Dead letters left out by errors.policy = skip.", labels, task.skipped);
  if (task.released != kNever)
    out.gauge("kappa_progress_lag_seconds", "Wall time minus the event time that the task has reached.", labels,
              seconds(run.clock.wall_ms() * 1000 - task.released));
  if (!task.held_by.empty())
    out.gauge("kappa_task_held_by", "1 for the input that keeps windows open or rows waiting.",
              {{"task", to_string(task.task)}, {"held_by", task.held_by}}, 1);
  for (const NodeReport& node : task.nodes) {
    const auto rows = [&](const char* outcome, std::int64_t value) {
      out.counter("kappa_node_rows_total", "Rows that reached a node, by what became of them.",
                  {{"task", to_string(task.task)}, {"node", node.node}, {"outcome", outcome}}, value);
    };
    const NodeCounters& c = node.counters;
    rows("out", c.out), rows("folded", c.folded), rows("filtered", c.filtered), rows("late", c.late);
    rows("dead", c.dead + c.emitted_dead), rows("emitted", c.emitted);
  }
  for (const auto& [topic, sink] : task.sinks)
    out.counter("kappa_sink_records_total", "Results published.",
                {{"topic", topic}, {"partition", std::to_string(task.task.partition)}}, sink.records);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// What the process may use: the limit of its control group, or the machine's memory.
double memory_limit_bytes() {
  const auto machine = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::ifstream group("/proc/self/cgroup");
  for (std::string line; std::getline(group, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    double limit = 0;
    if (std::ifstream("/sys/fs/cgroup" + line.substr(3) + "/memory.max") >> limit) return std::min(limit, machine);
  }
  return machine;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto value = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return value(usage.ru_utime) + value(usage.ru_stime);
}

nlohmann::ordered_json histogram_json(const Histogram& histogram) {
  const Histogram::Snapshot values = histogram.snapshot();
  return {{"count", values.count()}, {"p50", values.quantile(0.5)}, {"p99", values.quantile(0.99)}};
}

nlohmann::ordered_json task_json(const WatchedRun& run, const TaskReport& task) {
  auto inputs = nlohmann::ordered_json::array();
  for (const auto& [at, source] : task.sources) {
    const std::int64_t lag = lag_of(run.log, at, source);
    inputs.push_back({{"topic", at.topic},
                      {"partition", at.partition},
                      {"position", source.position},
                      {"end", source.position + lag},
                      {"lag", lag},
                      {"progress", nullptr}});
    if (source.progress != kNever) inputs.back()["progress"] = timestamp_text(source.progress);
  }
  return {{"task", to_string(task.task)},    {"ready", !task.muted},        {"inputs", inputs},
          {"open_windows", task.open.count}, {"held_rows", task.held_rows}, {"held_by", task.held_by},
          {"state_bytes", task.state_bytes}};
}
}  // namespace

std::string prometheus_text(const WatchedRun& run) {
  Families out;
  for (const TaskReport& task : run.metrics.tasks()) {
    add_sources(out, run, task);
    add_task(out, run, task);
  }
  out.counter("kappa_commits_total", "Commits.", {}, run.metrics.commits.load());
  out.counter("kappa_checkpoints_total", "Checkpoints of tasks that were published.", {},
              run.metrics.checkpoints.load());
  out.histogram("kappa_commit_duration_seconds", "Time that commits took.", run.metrics.commit.snapshot());
  out.histogram("kappa_checkpoint_duration_seconds", "Time that writing a task's checkpoint took, beside its work.",
                run.metrics.checkpoint.snapshot());
  out.histogram("kappa_latency_seconds",
                "From the timestamp of the oldest source record behind a commit's results to their being visible.",
                run.metrics.latency.snapshot());
  out.gauge("process_resident_memory_bytes", "Resident memory.", {}, resident_bytes());
  out.gauge("kappa_memory_limit_bytes", "Memory that the process may use: its control group's limit, or the machine's.",
            {}, memory_limit_bytes());
  out.counter("process_cpu_seconds_total", "CPU time, user and system.", {}, cpu_seconds());
  return out.text();
}

std::string why_not_ready(const WatchedRun& run) {
  if (!run.metrics.has_reports()) return "no task has started yet";
  for (const TaskReport& task : run.metrics.tasks())
    if (task.muted) return "task " + to_string(task.task) + " has not caught up with what is committed";
  return "";
}

std::string why_not_alive(const WatchedRun& run) {
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(run.metrics.silence(run.clock.now()));
  return silence <= kSilenceMax ? "" : fmt::format("a worker has been silent for {} s", silence.count());
}

std::string status_json(const WatchedRun& run) {
  auto tasks = nlohmann::ordered_json::array();
  for (const TaskReport& task : run.metrics.tasks()) tasks.push_back(task_json(run, task));
  const nlohmann::ordered_json status{{"application", run.graph.name()},
                                      {"ready", why_not_ready(run).empty()},
                                      {"records_read", run.metrics.records_read.load()},
                                      {"commits", run.metrics.commits.load()},
                                      {"checkpoints", run.metrics.checkpoints.load()},
                                      {"commit_seconds", histogram_json(run.metrics.commit)},
                                      {"checkpoint_seconds", histogram_json(run.metrics.checkpoint)},
                                      {"latency_seconds", histogram_json(run.metrics.latency)},
                                      {"memory_bytes", resident_bytes()},
                                      {"tasks", tasks}};
  return status.dump(2) + "\n";
}

}  // namespace kappa
