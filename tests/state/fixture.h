// What the tests of state/ share: a temporary directory, changes to write, and the entries read back.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kappa/engine/error.h"
#include "kappa/engine/state_store.h"
#include "kappa/state/rocksdb_store.h"

namespace kappa::testkit {

using Path = std::filesystem::path;

/// In memory where the system has that: tests wait for many fsyncs.
inline Path fast_directory() {
  const Path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const Path& parent = fast_directory()) {
    std::string pattern = (parent / "kappa-state-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

using Entries = std::map<std::string, std::string>;
using Nodes = std::map<std::string, Entries>;
using Changes = std::vector<std::pair<std::string, std::unique_ptr<Frozen>>>;

/// Erases, then puts, in that order.
struct Change : Frozen {
  std::vector<std::pair<std::string, std::string>> erased;
  Entries puts;
  bool complete = false;
  [[nodiscard]] bool is_complete() const override { return complete; }
  void write(StateWriter& writer) override {
    for (const auto& [from, to] : erased) writer.erase_range(from, to);
    for (const auto& [key, value] : puts) writer.put(key, value);
  }
};

inline Changes puts(const Nodes& nodes, bool complete = false) {
  Changes changes;
  for (const auto& [name, entries] : nodes) {
    auto change = std::make_unique<Change>();
    change->puts = entries;
    change->complete = complete;
    changes.emplace_back(name, std::move(change));
  }
  return changes;
}

inline Entries read_all(RestoredState& state, const std::string& node) {
  Entries entries;
  std::string last;
  const auto reader = state.node(node);
  for (std::string_view key, value; reader->next(key, value);) {
    if (!entries.empty() && std::string(key) <= last) throw std::logic_error("keys do not ascend");
    last = key;
    entries.emplace(key, value);
  }
  return entries;
}

inline CheckpointMeta meta_of(std::int64_t sequence, std::int64_t salt = 0) {
  CheckpointMeta meta;
  const std::string digits = std::to_string(salt * 1'000'000 + sequence);
  meta.id = std::string(32 - digits.size(), 'a') + digits;
  meta.sequence = sequence;
  meta.created_ms = 1'700'000'000'000 + sequence * 10'000;
  meta.inputs = {{"bids", 3, 42 + sequence, 1'000'000, 0}};
  return meta;
}

inline Path checkpoint_path(const Path& store, const std::string& task, const CheckpointMeta& meta) {
  const std::string digits = std::to_string(meta.sequence);
  return store / "checkpoints" / task / (std::string(10 - digits.size(), '0') + digits + "-" + meta.id);
}

/// The live database of a task: another one after each clear(), restore() and complete checkpoint that replaces it.
inline Path live_path(const Path& store, const std::string& task) {
  Path found;
  for (const auto& entry : std::filesystem::directory_iterator(store / "live" / task)) {
    if (!entry.is_directory()) throw std::logic_error("a stray file: " + entry.path().string());
    if (!found.empty()) throw std::logic_error("two live databases");
    found = entry.path();
  }
  return found;
}

/// A store with one task, which has begun empty.
struct OneTask {
  explicit OneTask(StateStoreOptions options) : store(open_state_store(std::move(options))) {
    task = store->open({"total", 0});
    task->clear();
  }
  std::string checkpoint(std::int64_t sequence, Changes changes) {
    const CheckpointMeta meta = meta_of(sequence);
    task->write(meta, std::move(changes));
    task->publish();
    return meta.id;
  }
  Entries restored(const std::string& id, const std::string& node) {
    const auto state = task->restore(id);
    return read_all(*state, node);
  }

  std::unique_ptr<StateStore> store;
  std::unique_ptr<TaskState> task;
};

/// The kind and the text of the kappa::Error that `action` throws; {} if it throws none.
template <class Action>
std::pair<ErrorKind, std::string> error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {};
}

}  // namespace kappa::testkit
