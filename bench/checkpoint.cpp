// Measures checkpoints: the cost of one large one, and what many small ones of sliding windows leave on the disk.
// usage: checkpoint_bench [DIRECTORY]
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "kappa/state/rocksdb_store.h"

namespace {

double cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

double wall_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

/// Entries of `keys` keys in each of the windows [first, last), 40 bytes each: window and key (16), accumulators (24).
/// Windows below `first` are erased. Complete: says that these are all that there are, which is so here.
class WindowChanges : public kappa::Frozen {
 public:
  WindowChanges(std::uint64_t first, std::uint64_t last, std::uint64_t keys, std::uint64_t round, bool complete)
      : first_(first), last_(last), keys_(keys), round_(round), complete_(complete) {}

  bool is_complete() const override { return complete_; }
  void write(kappa::StateWriter& writer) override {
    std::string key(16, '\0');
    std::string value(24, 'v');
    set(key, 0, first_);
    if (first_ > 0) writer.erase_range({}, key);
    for (std::uint64_t window = first_; window < last_; ++window) {
      set(key, 0, window);
      for (std::uint64_t k = 0; k < keys_; ++k) {
        set(key, 8, k * 7919);
        set(value, 0, k * round_);
        writer.put(key, value);
      }
    }
  }

 private:
  static void set(std::string& bytes, std::size_t at, std::uint64_t number) {
    for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<char>(number >> (56 - 8 * i));
  }

  std::uint64_t first_, last_, keys_, round_;
  bool complete_;
};

/// Files and bytes below a directory; a hard-linked file counts once per checkpoint.
void print_files(const std::filesystem::path& directory, const char* what) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".sst") continue;
    ++files;
    bytes += entry.file_size();
  }
  std::printf("  %s: %llu SSTs, %.1f MB\n", what, static_cast<unsigned long long>(files),
              static_cast<double>(bytes) / 1e6);
}

class Bench {
 public:
  Bench(const std::filesystem::path& directory, bool complete)
      : directory_(directory),
        complete_(complete),
        store_(kappa::open_state_store({.directory = directory, .history = "none"})) {
    task_ = store_->open({"bench", 0});
    task_->clear();
  }

  void checkpoint(std::uint64_t first, std::uint64_t last, std::uint64_t keys) {
    kappa::CheckpointMeta meta;
    meta.sequence = ++sequence_;
    meta.id = std::string(24, '0') + std::to_string(10'000'000 + sequence_);
    std::vector<std::pair<std::string, std::unique_ptr<kappa::Frozen>>> nodes;
    const auto round = static_cast<std::uint64_t>(sequence_);
    nodes.emplace_back("total / window",
                       std::make_unique<WindowChanges>(first, last, keys, round, complete_ && keys > 0));
    task_->write(meta, std::move(nodes));
    task_->publish();
  }
  std::int64_t restore() {
    const auto restored = task_->restore(task_->checkpoints({}).front().id);
    const auto reader = restored->node("total / window");
    std::int64_t entries = 0;
    for (std::string_view key, value; reader->next(key, value);) ++entries;
    return entries;
  }
  void print_files() const {
    ::print_files(directory_ / "live", "live");
    ::print_files(directory_ / "checkpoints", "checkpoints (3 kept)");
  }

 private:
  std::filesystem::path directory_;
  bool complete_;
  std::unique_ptr<kappa::StateStore> store_;
  std::unique_ptr<kappa::TaskState> task_;
  std::int64_t sequence_ = 0;
};

template <class Action>
void measure(const char* what, int times, Action&& action) {
  const double cpu = cpu_ms();
  const double wall = wall_ms();
  for (int i = 0; i < times; ++i) action(static_cast<std::uint64_t>(i));
  std::printf("%s: CPU %.1f ms, wall %.1f ms each (%d times)\n", what, (cpu_ms() - cpu) / times,
              (wall_ms() - wall) / times, times);
}

void measure_all(const std::filesystem::path& root, bool complete) {
  std::printf("checkpoints of %s\n", complete ? "all, into an empty database" : "what changed");
  {
    Bench bench(root / "large", complete);
    measure("1 M entries of 40 bytes, first", 1, [&](std::uint64_t) { bench.checkpoint(0, 1, 1'000'000); });
    measure("nothing changed", 20, [&](std::uint64_t) { bench.checkpoint(0, 0, 0); });
    measure("1 M entries of 40 bytes, all again", 5, [&](std::uint64_t) { bench.checkpoint(0, 1, 1'000'000); });
    measure("restore of 1 M entries", 1,
            [&](std::uint64_t) { std::printf("  %lld entries\n", static_cast<long long>(bench.restore())); });
    bench.print_files();
  }
  {
    Bench bench(root / "sliding", complete);
    measure("sliding windows: 5 open, 20 k entries each, one closes per checkpoint", 100,
            [&](std::uint64_t i) { bench.checkpoint(i, i + 5, 20'000); });
    bench.print_files();
  }
  {
    Bench bench(root / "forever", complete);
    measure("300 k entries, all changed each time", 40, [&](std::uint64_t) { bench.checkpoint(0, 1, 300'000); });
    bench.print_files();
  }
  {
    Bench bench(root / "small", complete);
    measure("100 entries, all changed each time", 200, [&](std::uint64_t) { bench.checkpoint(0, 1, 100); });
  }
  std::filesystem::remove_all(root);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path root =
      (argc > 1 ? std::filesystem::path(argv[1]) : std::filesystem::temp_directory_path()) /
      ("kappa-checkpoint-bench-" + std::to_string(::getpid()));
  for (const bool complete : {false, true}) measure_all(root, complete);
}
