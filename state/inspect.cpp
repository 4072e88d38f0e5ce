#include "kappa/state/inspect.h"

#include <map>

#include "kappa/engine/error.h"
#include "kappa/state/keys.h"
#include "kappa/state/live_database.h"
#include "kappa/state/manifest.h"
#include "kappa/state/task_state.h"

namespace kappa {

using namespace detail;

namespace {

struct Inspected {
  CheckpointReport report;
  std::map<std::string, std::int64_t> contents;  // name and checksum of each file → its size
};

void add_files(Inspected& inspected, const Manifest& manifest, Verify verify) {
  CheckpointReport& report = inspected.report;
  for (const FileEntry& file : manifest.files) {
    const auto size = static_cast<std::int64_t>(file.size);
    ++report.files;
    report.bytes += size;
    inspected.contents.emplace(file.name + " " + file.xxh3, size);
    if (verify != Verify::files) continue;
    try {
      check_size(report.directory / file.name, file);
      check_content(report.directory / file.name, report.directory / file.name, file);
    } catch (const Error& error) {
      report.damage.emplace_back(error.what());
    }
  }
}

Inspected inspect_one(const TaskId& task, const Path& directory, Verify verify) {
  Inspected inspected;
  inspected.report.task = task;
  inspected.report.directory = directory;
  try {
    Manifest manifest = read_manifest(directory);
    add_files(inspected, manifest, verify);
    inspected.report.meta = std::move(manifest.meta);
    inspected.report.nodes = std::move(manifest.nodes);
  } catch (const Error& error) {
    inspected.report.damage.emplace_back(error.what());
  }
  return inspected;
}

std::int64_t bytes_added(const Inspected& newer, const Inspected* older) {
  std::int64_t bytes = 0;
  for (const auto& [file, size] : newer.contents) {
    if (older == nullptr || !older->contents.contains(file)) bytes += size;
  }
  return bytes;
}

/// Oldest first: directories are named by sequence.
std::vector<Inspected> inspect_task(const TaskId& task, const Path& directory, Verify verify) {
  std::vector<Inspected> all;
  for (const std::string& name : list_directory(directory)) {
    if (name.ends_with(kLeftoverSuffix)) continue;
    Inspected inspected = inspect_one(task, directory / name, verify);
    if (path_exists(directory / name)) all.push_back(std::move(inspected));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].report.bytes_added = bytes_added(all[i], i == 0 ? nullptr : &all[i - 1]);
  }
  return all;
}

}  // namespace

std::filesystem::path checkpoints_directory(const StateStoreOptions& options) {
  const Path& elsewhere = options.checkpoint_directory;
  return std::filesystem::absolute(elsewhere.empty() ? options.directory / "checkpoints" : elsewhere)
      .lexically_normal();
}

std::vector<CheckpointReport> inspect_checkpoints(const std::filesystem::path& checkpoints, Verify verify) {
  std::map<TaskId, Path> tasks;
  for (const std::string& name : list_directory(checkpoints)) {
    if (const auto task = parse_task_directory_name(name)) tasks.emplace(*task, checkpoints / name);
  }
  std::vector<CheckpointReport> reports;
  for (const auto& [task, directory] : tasks) {
    std::vector<Inspected> all = inspect_task(task, directory, verify);
    for (auto inspected = all.rbegin(); inspected != all.rend(); ++inspected) {
      reports.push_back(std::move(inspected->report));
    }
  }
  return reports;
}

std::unique_ptr<RestoredState> read_checkpoint(const std::filesystem::path& checkpoint) {
  const Path directory = std::filesystem::absolute(checkpoint).lexically_normal();
  Manifest manifest = read_manifest(directory);
  for (const FileEntry& file : manifest.files) {
    check_size(directory / file.name, file);
    // Small, and what RocksDB itself would believe: a cut MANIFEST opens at an older state.
    if (!file.name.ends_with(".sst")) check_content(directory / file.name, directory / file.name, file);
  }
  auto database =
      std::make_shared<LiveDatabase>(directory, LiveDatabase::Mode::read_only, DatabaseResources{}, directory.string());
  return restored_state(std::move(manifest.meta), std::move(database));
}

}  // namespace kappa
