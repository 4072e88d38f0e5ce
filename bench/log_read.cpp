// What one thread needs to read, check and decode records of the embedded log, page cache warm:
//   log_read [RECORDS [VALUE BYTES]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <limits>
#include <string>

#include "kappa/engine/log/local/local_log.h"

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void fill(kappa::Log& log, const kappa::TopicPartition& at, std::int64_t records, std::size_t value_bytes) {
  log.create_topic(at.topic, 1);
  const auto producer = log.open_producer("");
  std::string value(value_bytes, 'v');
  for (std::int64_t i = 0; i < records; ++i) {
    const std::string key = std::to_string(i % 100'000);
    kappa::OutRecord record;
    record.key = key;
    record.value = value;
    record.timestamp_ms = 1'700'000'000'000 + i;
    producer->append(at, {&record, 1});
    if (i % 10'000 == 9'999) static_cast<void>(producer->commit("", {}));
  }
  static_cast<void>(producer->commit("", {}));
}

void read(kappa::Log& log, const kappa::TopicPartition& at, std::int64_t records) {
  const double before = cpu_seconds();
  const auto reader = log.open_reader(at, 0);
  kappa::RecordBlock block;
  std::int64_t count = 0, bytes = 0;
  do {
    reader->read(block, 4096, std::numeric_limits<std::int64_t>::max());
    count += static_cast<std::int64_t>(block.records.size());
    for (const kappa::RecordView& record : block.records) bytes += record.value_size;
  } while (!block.records.empty());
  const double seconds = cpu_seconds() - before;
  std::printf("read %lld of %lld records, %.1f MB: %.1f ns of CPU each\n", static_cast<long long>(count),
              static_cast<long long>(records), static_cast<double>(bytes) / 1e6,
              seconds * 1e9 / static_cast<double>(count));
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t records = argc > 1 ? std::atoll(argv[1]) : 2'000'000;
  const std::size_t value_bytes = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 211;
  std::string name = (std::filesystem::temp_directory_path() / "kappa-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 4;
  const kappa::TopicPartition at{"records", 0};
  {
    const auto log = kappa::open_local_log({.directory = std::filesystem::path(name) / "log", .sync_on_commit = false});
    const double before = cpu_seconds();
    fill(*log, at, records, value_bytes);
    std::printf("written: %.1f ns of CPU each\n", (cpu_seconds() - before) * 1e9 / static_cast<double>(records));
    for (int round = 0; round < 5; ++round) read(*log, at, records);
  }
  std::filesystem::remove_all(name);
  return 0;
}
