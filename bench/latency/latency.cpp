// From a record that is due to its result read from Kafka, milliseconds; an open loop, so queueing counts.
//
//   latency_bench BROKERS [--kappa PROGRAM] [--workloads echo,filter,window] [--guarantees exactly_once,at_least_once]
//                 [--rate N] [--keys N] [--window SECONDS] [--commit INTERVAL] [--checkpoint INTERVAL] [--warm S]
//                 [--seconds S] [--runs N] [--set NAME=VALUE,…] [--broker-pid PROCESS] [--calm SHARE]
//
// echo reads the input itself, without kappa: the floor. filter passes every second record, mapped. window counts by
// key in tumbling windows; a result's latency counts from when the record that closed its window in its partition was
// due. Workloads take turns, runs times. Each run has new topics and starts `kappa run` as a process of its own; one
// JSON line each. machine_busy is the share of all cores in use, others_busy that of processes other than this one,
// kappa and the broker. --calm waits before each run, for two minutes at most, until others take no more than such a
// share. Exit code 1: results were missing.
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "kappa/bench/latency/open_loop.h"
#include "kappa/engine/clock.h"

namespace {
using namespace kappa::bench;

using Options = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

std::int64_t number(const Options& options, const std::string& name) { return std::stoll(options.at(name)); }

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

struct Run {
  std::string workload, guarantee;
  int round = 0;
};

std::string pipeline(const Run& run, const Options& options, const RunTopics& topics) {
  const std::string source = fmt::format(
      "CREATE TABLE records (id bigint, key bigint, at timestamptz, due bigint) WITH (topic = '{}', format = 'json', "
      "event_time = 'at', timestamp_unit = 'us', max_out_of_orderness = '0s', partitioned_by = 'key');\n",
      topics.input);
  const std::string view = fmt::format("CREATE MATERIALIZED VIEW results WITH (topic = '{}') AS ", topics.output);
  if (run.workload == "filter")
    return source + view + "SELECT id * 2 AS twice, key, at, due FROM records WHERE id % 2 = 0;\n";
  return source + view +
         fmt::format(
             "SELECT key, window_start, window_end, count(*) AS records, max(due) AS due\n"
             "FROM TUMBLE(records, at, INTERVAL '{} seconds') GROUP BY key, window_start, window_end;\n",
             options.at("window"));
}

/// `kappa run` as a process; stopped with SIGTERM.
class Kappa {
 public:
  Kappa(const Run& run, const Options& options, const RunTopics& topics, const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    const std::string sql = directory / "pipeline.sql", messages = directory / "messages";
    std::ofstream(sql) << pipeline(run, options, topics);
    std::vector<std::string> words{options.at("kappa"),
                                   "run",
                                   sql,
                                   "--set",
                                   "application.id=" + directory.filename().string(),
                                   "--set",
                                   "bootstrap.servers=" + options.at("brokers"),
                                   "--set",
                                   "state.directory=" + (directory / "state").string(),
                                   "--set",
                                   "commit.interval=" + options.at("commit"),
                                   "--set",
                                   "processing.guarantee=" + run.guarantee,
                                   "--set",
                                   "checkpoint.interval=" + options.at("checkpoint")};
    for (const std::string& setting : split(options.at("set"))) words.insert(words.end(), {"--set", setting});
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // it does not outlive a measurement that is broken off
    if (std::freopen(messages.c_str(), "w", stderr) != nullptr) execv(argv[0], argv.data());
    _exit(127);
  }
  ~Kappa() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Kappa(const Kappa&) = delete;
  Kappa& operator=(const Kappa&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }

  /// CPU seconds that it took.
  double stop() {
    rusage used{};
    int status = 0;
    kill(process_, SIGTERM);
    wait4(std::exchange(process_, 0), &status, 0, &used);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + SIGTERM)
      throw std::runtime_error("kappa run did not end as it should; see its messages");
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

 private:
  pid_t process_ = 0;
};

/// When the record that closes a window in a key's partition is due: the first one there at or after the window's end.
class Closers {
 public:
  Closers(const Schedule& schedule, std::int64_t window_us) : schedule_(schedule), window_us_(window_us) {
    for (std::int64_t key = 0; key < schedule.keys; ++key)
      partitions_.push_back(static_cast<std::size_t>(partition_of_key(key)));
    const std::int64_t end_us = schedule.start_us + schedule.total_us;
    for (std::int64_t end = schedule.start_us + window_us; end < end_us; end += window_us) add(end);
  }

  [[nodiscard]] std::int64_t cause_us(const Result& result) const {
    const auto found = closers_.find(result.due_us - result.due_us % window_us_ + window_us_);
    return found == closers_.end() ? 0 : found->second[partition(result.key)];
  }

  [[nodiscard]] std::int64_t expected() const {
    std::int64_t count = 0;
    for (const auto& [end, closers] : closers_)
      for (const std::size_t at : partitions_) count += schedule_.is_measured(closers[at]) ? 1 : 0;
    return count;
  }

 private:
  [[nodiscard]] std::size_t partition(std::int64_t key) const { return partitions_[static_cast<std::size_t>(key)]; }

  void add(std::int64_t end) {
    std::vector<std::int64_t> due(kPartitions, 0);
    std::int64_t record = (end - schedule_.start_us) * schedule_.rate / 1'000'000;
    for (int missing = kPartitions; missing > 0 && record < schedule_.records(); ++record) {
      if (schedule_.due_us(record) < end) continue;
      std::int64_t& closer = due[partition(record % schedule_.keys)];
      if (std::exchange(closer, closer == 0 ? schedule_.due_us(record) : closer) == 0) --missing;
    }
    closers_[end] = std::move(due);
  }

  const Schedule& schedule_;
  std::int64_t window_us_;
  std::vector<std::size_t> partitions_;
  std::map<std::int64_t, std::vector<std::int64_t>> closers_;
};

/// CPU seconds since the start of the machine: idle or not, of all, and of this program and the broker.
struct Machine {
  double busy = 0, total = 0, ours = 0;
};
Machine machine(const std::string& broker_pid) {
  std::ifstream in("/proc/stat");
  std::string name;
  in >> name;
  Machine seen;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  for (int column = 0; column < 8; ++column) {
    double ticks = 0;
    in >> ticks;
    seen.total += ticks / ticks_per_second;
    if (column != 3 && column != 4) seen.busy += ticks / ticks_per_second;  // idle, iowait
  }
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  seen.ours = seconds(used.ru_utime) + seconds(used.ru_stime);
  std::ifstream stat("/proc/" + broker_pid + "/stat");
  std::string field;
  for (int i = 1; stat >> field && i <= 15; ++i)
    if (i == 14 || i == 15) seen.ours += std::stod(field) / ticks_per_second;  // user, system; its name holds no blank
  return seen;
}

// A run that begins while others work says little.
void wait_until_calm(const Options& options) {
  const double share = std::stod(options.at("calm"));
  for (int seconds = 0; share < 1 && seconds < 120; ++seconds) {
    const Machine before = machine(options.at("broker-pid"));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const Machine after = machine(options.at("broker-pid"));
    const double others = after.busy - before.busy - (after.ours - before.ours);
    if (others <= share * (after.total - before.total)) return;
  }
}

double ms_at(std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]) / 1000;
}

Schedule plan(const Options& options) {
  constexpr std::int64_t kSecond = 1'000'000, kAhead = kSecond / 2;
  Schedule schedule;
  schedule.rate = number(options, "rate");
  schedule.keys = number(options, "keys");
  schedule.warm_us = number(options, "warm") * kSecond;
  schedule.total_us = schedule.warm_us + number(options, "seconds") * kSecond;
  const std::int64_t window = number(options, "window") * kSecond;
  if (schedule.rate * (window / kSecond) < schedule.keys) throw std::runtime_error("not all keys fit in a window");
  const std::int64_t now = kappa::system_clock().wall_ms() * 1000;
  schedule.start_us = (now + kAhead + window - 1) / window * window;
  schedule.start = std::chrono::steady_clock::now() + std::chrono::microseconds(schedule.start_us - now);
  return schedule;
}

struct Measured {
  std::vector<std::int64_t> latencies, late;
  std::int64_t expected = 0;
  double cpu_seconds = 0, busy = 0, others = 0;
};

Measured measure(const Run& run, const Options& options, const std::filesystem::path& directory) {
  const std::string& brokers = options.at("brokers");
  const RunTopics topics(brokers, directory.filename().string());
  std::unique_ptr<Kappa> kappa;
  if (run.workload != "echo") {
    kappa = std::make_unique<Kappa>(run, options, topics, directory);
    fmt::print(stderr, "kappa is process {}, its messages in {}\n", kappa->process(), directory.string());
  }
  const Schedule schedule = plan(options);
  const Closers closers(schedule, number(options, "window") * 1'000'000);
  Collecting what{brokers, kappa ? topics.output : topics.input, 0, [](const Result& result) { return result.due_us; }};
  const std::int64_t measured = number(options, "seconds") * schedule.rate;
  what.expected = run.workload == "echo" ? measured : measured / 2;
  if (run.workload == "window") {
    what.expected = closers.expected();
    what.cause_us = [&](const Result& result) { return closers.cause_us(result); };
  }
  const Machine before = machine(options.at("broker-pid"));
  auto fed = std::async(std::launch::async, [&] { return feed(brokers, topics.input, schedule); });
  Measured found;
  found.expected = what.expected;
  found.latencies = collect(what, schedule);
  found.late = fed.get();
  const Machine after = machine(options.at("broker-pid"));
  found.busy = (after.busy - before.busy) / (after.total - before.total);
  if (kappa) found.cpu_seconds = kappa->stop();
  const double ours = after.ours - before.ours + found.cpu_seconds;  // it includes the start of kappa
  found.others = (after.busy - before.busy - ours) / (after.total - before.total);
  return found;
}

bool report(const Run& run, const Options& options, Measured found) {
  std::sort(found.latencies.begin(), found.latencies.end());
  std::sort(found.late.begin(), found.late.end());
  std::string load;
  std::ifstream("/proc/loadavg") >> load;
  const bool complete = static_cast<std::int64_t>(found.latencies.size()) == found.expected;
  fmt::print(
      R"({{"run":{},"workload":"{}","guarantee":"{}","commit_interval":"{}","rate":{},"seconds":{},"results":{},)"
      R"("expected":{},"p50_ms":{:.1f},"p90_ms":{:.1f},"p99_ms":{:.1f},"p999_ms":{:.1f},"max_ms":{:.1f},)"
      R"("feeder_late_p99_ms":{:.1f},"feeder_late_max_ms":{:.1f},"kappa_cpu_s":{:.1f},"machine_busy":{:.2f},)"
      R"("others_busy":{:.2f},"load1":{}}})"
      "\n",
      run.round, run.workload, run.guarantee, options.at("commit"), options.at("rate"), options.at("seconds"),
      found.latencies.size(), found.expected, ms_at(found.latencies, 0.5), ms_at(found.latencies, 0.9),
      ms_at(found.latencies, 0.99), ms_at(found.latencies, 0.999), ms_at(found.latencies, 1), ms_at(found.late, 0.99),
      ms_at(found.late, 1), found.cpu_seconds, found.busy, found.others, load);
  std::fflush(stdout);
  return complete;
}

bool run_all(const Options& options, const std::filesystem::path& directory) {
  bool complete = true;
  for (int round = 1; round <= number(options, "runs"); ++round)
    for (const std::string& workload : split(options.at("workloads")))
      for (const std::string& guarantee : split(options.at("guarantees"))) {
        const bool echo = workload == "echo";
        const Run run{workload, echo ? "" : guarantee, round};
        const std::string name = fmt::format("latency-{}-{}-{}{}", getpid(), round, workload,
                                             echo                          ? ""
                                             : guarantee == "exactly_once" ? "-e"
                                                                           : "-a");
        wait_until_calm(options);
        complete &= report(run, options, measure(run, options, directory / name));
        if (echo) break;  // it has no guarantee
      }
  return complete;
}
}  // namespace

int main(int argc, char** argv) {
  Options options{{"kappa", "build/release/service/kappa"},
                  {"workloads", "echo,filter,window"},
                  {"rate", "20000"},
                  {"guarantees", "exactly_once,at_least_once"},
                  {"keys", "1000"},
                  {"window", "1"},
                  {"warm", "5"},
                  {"commit", "100ms"},
                  {"checkpoint", "10s"},
                  {"seconds", "20"},
                  {"broker-pid", "0"},
                  {"set", ""},
                  {"calm", "1"},
                  {"runs", "3"}};
  bool usable = argc >= 2 && argc % 2 == 0;
  for (int i = 2; usable && i < argc; i += 2) {
    const std::string name = argv[i];
    usable = name.starts_with("--") && options.contains(name.substr(2));
    if (usable) options[name.substr(2)] = argv[i + 1];
  }
  if (!usable) {
    fmt::print(stderr, "usage: latency_bench BROKERS [--OPTION VALUE …]; see bench/latency/latency.cpp\n");
    return 2;
  }
  options["brokers"] = argv[1];
  std::string directory = (std::filesystem::temp_directory_path() / "kappa-latency-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 4;
  try {
    const bool complete = run_all(options, directory);
    if (complete) std::filesystem::remove_all(directory);
    return complete ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}; what is left lies in {}\n", error.what(), directory);
    return 4;
  }
}
