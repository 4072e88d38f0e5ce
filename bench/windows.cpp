// The speed of the whole path on one machine: embedded log → decode → tumbling windows → results in the log.
//
//   windows_bench LOG-DIRECTORY [--keys hot|uniform] [--events N] [--workers N] [--runs N] [--checkpoint MS]
//                 [--statistics on]
//
// Fills the topic first if the directory does not hold it: NEXMark bids of about 211 bytes in 4 partitions. `uniform`
// draws a million bidders evenly, all alive in one 10 s window. Each run is a new application; CPU is that of the whole
// process, divided by the records read. `raw` reads the same topic and only counts. Allocations are counted by a
// replaced operator new. --checkpoint 0 opens the databases and writes nothing to them; without it there are none.
// --statistics makes RocksDB count its calls, which are printed per event.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/service/nexmark.h"
#include "kappa/sql/pipeline.h"
#include "kappa/state/rocksdb_store.h"

namespace {
std::atomic<std::int64_t> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {
using namespace kappa;

struct Arguments {
  std::filesystem::path directory;
  std::string keys = "hot";
  std::int64_t events = 10'000'000;
  int workers = 1, runs = 5;
  std::int64_t checkpoint_ms = -1;  // -1: no state store
  bool statistics = false;
};

Arguments parse(int argc, char** argv) {
  if (argc < 2)
    throw std::runtime_error(
        "windows_bench LOG-DIRECTORY [--keys hot|uniform] [--events N] [--workers N] [--runs N] [--checkpoint MS] "
        "[--statistics on]");
  Arguments arguments;
  arguments.directory = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--keys")
      arguments.keys = value;
    else if (name == "--events")
      arguments.events = std::atoll(value.c_str());
    else if (name == "--workers")
      arguments.workers = std::atoi(value.c_str());
    else if (name == "--runs")
      arguments.runs = std::atoi(value.c_str());
    else if (name == "--checkpoint")
      arguments.checkpoint_ms = std::atoll(value.c_str());
    else if (name == "--statistics")
      arguments.statistics = value == "on";
    else
      throw std::runtime_error("unknown option " + name);
  }
  return arguments;
}

std::string fill(Log& log, const Arguments& arguments) {
  const std::string topic = fmt::format("bids-{}-{}", arguments.keys, arguments.events);
  if (log.topic(topic)) return topic;
  NexmarkOptions options;
  options.events = arguments.events;
  if (arguments.keys == "uniform") {
    options.uniform_keys = 1'000'000;
    options.rate = static_cast<double>(arguments.events) / 0.92 / 10;  // all bids within 10 s of event time
  }
  log.create_topic(topic, options.partitions);
  NexmarkGenerator generator(options);
  const auto producer = log.open_producer("");
  NexmarkRecord event;
  for (std::int64_t made = 1; generator.next(event); ++made) {
    const OutRecord record{event.key, event.value, event.key_is_null, false, event.timestamp_ms, {}};
    producer->append({topic, event.partition}, std::span(&record, 1));
    if (made % 100'000 == 0) (void)producer->commit("", {});
  }
  (void)producer->commit("", {});
  return topic;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t anonymous_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("RssAnon:", 0) == 0) return std::atoll(line.c_str() + 8);
  return 0;
}

struct Sample {
  double cpu_ns = 0, wall_ns = 0;
  std::int64_t anonymous_mb = 0, checkpoints = 0, commits = 0;
  double allocations = 0;
  std::int64_t records = 0;
  DatabaseCounts database{};
};

Sample raw(Log& log, const std::string& topic) {
  const double cpu = cpu_seconds();
  const auto started = std::chrono::steady_clock::now();
  std::int64_t records = 0, bytes = 0;
  for (std::int32_t p = 0; p < log.topic(topic)->partitions; ++p) {
    const TopicPartition at{topic, p};
    const std::int64_t end = log.end_offset(at);
    const auto reader = log.open_reader(at, 0);
    RecordBlock block;
    while (reader->position() < end) {
      reader->read(block, kBatchRows, end);
      for (const RecordView& record : block.records) bytes += record.value_size;
      records += static_cast<std::int64_t>(block.records.size());
    }
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  if (bytes == 0) return {};
  return {(cpu_seconds() - cpu) * 1e9 / static_cast<double>(records),
          wall.count() * 1e9 / static_cast<double>(records)};
}

Sample windows(Log& log, const Arguments& arguments, const std::string& topic, const std::string& application) {
  const std::string sql = fmt::format(
      "SET application.id = '{0}';\n"
      "CREATE TABLE bids (bidder bigint, price bigint, dateTime timestamptz) WITH (topic = '{1}', event_time = "
      "'datetime', "
      "max_out_of_orderness = '3s', partitioned_by = 'bidder');\n"
      "CREATE MATERIALIZED VIEW totals WITH (topic = '{0}-totals') AS SELECT bidder, window_start, window_end, "
      "count(*) AS bids, "
      "sum(price) AS total, max(price) AS highest FROM TUMBLE(bids, dateTime, INTERVAL '10 seconds') "
      "GROUP BY bidder, window_start, window_end;",
      application, topic);
  const Pipeline pipeline = parse_pipeline(sql, "bench.sql");
  RunOptions options;
  options.close = true;
  options.workers = arguments.workers;
  options.checkpoint_interval = std::chrono::milliseconds(std::max<std::int64_t>(0, arguments.checkpoint_ms));
  DatabaseStatistics statistics;
  std::unique_ptr<StateStore> state;
  const std::filesystem::path state_directory = arguments.directory.string() + "-state/" + application;
  std::filesystem::create_directories(state_directory.parent_path());
  if (arguments.checkpoint_ms >= 0) {
    StateStoreOptions store;
    store.directory = state_directory;
    if (arguments.statistics) store.statistics = &statistics;
    state = open_state_store(store);
  }
  std::atomic<std::int64_t> peak{0};
  std::jthread watcher([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      peak = std::max(peak.load(), anonymous_kb());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const std::int64_t before = allocations.load();
  const double cpu = cpu_seconds();
  const auto started = std::chrono::steady_clock::now();
  const RunReport report = run_graph(pipeline.graph, log, state.get(), options, {});
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  const double n = static_cast<double>(report.records_read);
  return {(cpu_seconds() - cpu) * 1e9 / n,
          wall.count() * 1e9 / n,
          peak.load() / 1024,
          report.checkpoints,
          report.commits,
          static_cast<double>(allocations.load() - before) / n,
          report.records_read,
          statistics.counts()};
}

void print_database(const Sample& sample) {
  const DatabaseCounts& c = sample.database;
  const auto n = static_cast<double>(sample.records);
  fmt::print(
      "RocksDB over {} events: {} keys written, {} keys read, {} seeks, {} steps: {:.6f} calls per event; {} entries "
      "({:.4f} per event) in {} files added\n",
      sample.records, c.keys_written, c.keys_read, c.seeks, c.steps,
      static_cast<double>(c.keys_written + c.keys_read + c.seeks + c.steps) / n, c.entries_added,
      static_cast<double>(c.entries_added) / n, c.files_added);
}

void print(const std::string& name, std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.cpu_ns < b.cpu_ns; });
  const Sample& median = samples[samples.size() / 2];
  fmt::print(
      "{}: CPU {:.1f} ns/event [{:.1f}-{:.1f}], wall {:.1f} ns/event, {} MB anonymous, {:.4f} allocations/event, {} "
      "commits, {} checkpoints\n",
      name, median.cpu_ns, samples.front().cpu_ns, samples.back().cpu_ns, median.wall_ns, median.anonymous_mb,
      median.allocations, median.commits, median.checkpoints);
  std::fflush(stdout);
}
}  // namespace

int main(int argc, char** argv) try {
  const Arguments arguments = parse(argc, argv);
  const auto log = open_local_log({.directory = arguments.directory});
  const std::string topic = fill(*log, arguments);
  std::vector<Sample> raws, runs;
  for (int i = 0; i < arguments.runs; ++i) {
    raws.push_back(raw(*log, topic));
    const auto stamp = std::chrono::steady_clock::now().time_since_epoch().count();
    runs.push_back(windows(*log, arguments, topic, fmt::format("bench-{}", stamp)));
  }
  print("raw", raws);
  print(fmt::format(
            "{} keys, {} worker(s), {}", arguments.keys, arguments.workers,
            arguments.checkpoint_ms < 0 ? "no state store" : fmt::format("checkpoint {} ms", arguments.checkpoint_ms)),
        runs);
  if (arguments.statistics && arguments.checkpoint_ms >= 0) print_database(runs.back());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "windows_bench: {}\n", error.what());
  return 1;
}
