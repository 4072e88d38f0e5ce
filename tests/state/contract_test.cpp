// The contract of StateStore against a model of a few lines, on random sequences of calls.
#include <random>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

std::string random_key(std::mt19937_64& random) {
  std::string key;
  for (std::size_t i = random() % 4; i-- > 0;) key += static_cast<char>(random() % 5 == 0 ? 0xff : random() % 4);
  return key;
}

/// One task's store and what it should hold.
class Model {
 public:
  Model(const Path& directory, std::uint64_t seed, StateStoreOptions options)
      : random_(seed), options_(std::move(options)) {
    options_.directory = directory;
    reopen();
  }

  void step() {
    switch (random_() % 12) {
      case 0: return reopen();
      case 1: return restore_any();
      case 2: return clear();
      case 3: return write_and_discard();
      default: return write_and_publish();
    }
  }
  [[nodiscard]] int replaced() const { return replaced_; }
  void check_all() {
    for (const auto& [id, nodes] : published_) {
      const auto restored = task_->restore(id);
      check_equal(*restored, nodes);
    }
  }

 private:
  void reopen() {
    task_.reset();
    store_.reset();
    store_ = open_state_store(options_);
    task_ = store_->open({"total", 1});
    drop_unlisted();
    if (published_.empty()) {
      clear();
    } else {
      restore_any();
    }
  }
  void drop_unlisted() {
    std::map<std::string, Nodes> listed;
    for (const CheckpointMeta& meta : task_->checkpoints([](auto&, auto& reason) { FAIL(reason); })) {
      REQUIRE(published_.contains(meta.id));
      listed[meta.id] = published_[meta.id];
    }
    REQUIRE(listed.size() == std::min<std::size_t>(published_.size(), 3));
    published_ = std::move(listed);
  }
  void restore_any() {
    if (published_.empty()) return clear();
    auto chosen = published_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random_() % published_.size()));
    const auto restored = task_->restore(chosen->first);
    CHECK(restored->meta().id == chosen->first);
    current_ = chosen->second;
    check_equal(*restored, current_);
  }
  void clear() {
    task_->clear();
    current_.clear();
  }
  std::string write() {
    Changes changes;
    const bool complete = random_() % 2 == 0;  // for the nodes written; another one may be missing
    for (const char* name : {"total / bids", "dedupe", "join", "empty"}) {
      if (random_() % (complete ? 30 : 3) == 0) continue;
      auto change = std::make_unique<Change>();
      Entries& entries = current_[name];
      for (std::size_t i = name == std::string("empty") ? 0 : random_() % 4; i-- > 0;) erase(*change, entries);
      for (std::size_t i = name == std::string("empty") ? 0 : random_() % 20; i-- > 0;) put(*change, entries);
      change->complete = complete;
      if (complete) change->puts = entries;
      changes.emplace_back(name, std::move(change));
    }
    const CheckpointMeta meta = meta_of(++sequence_);
    const Path before = live_path(options_.directory, "total-1");
    task_->write(meta, std::move(changes));
    if (live_path(options_.directory, "total-1") != before) ++replaced_;
    return meta.id;
  }
  void erase(Change& change, Entries& entries) {
    std::string from = random_key(random_), to = random_key(random_);
    if (to < from) std::swap(from, to);
    entries.erase(entries.lower_bound(from), entries.lower_bound(to));
    change.erased.emplace_back(from, to);
  }
  void put(Change& change, Entries& entries) {
    const std::string key = random_key(random_);
    for (const auto& [from, to] : change.erased) {
      if (from <= key && key < to) return;
    }
    const std::string value(random_() % 50, static_cast<char>(random_()));
    change.puts[key] = value;
    entries[key] = value;
  }
  void write_and_publish() {
    const std::string id = write();
    task_->publish();
    published_[id] = current_;
    drop_unlisted();
  }
  void write_and_discard() {
    write();
    task_->discard();
    if (random_() % 2 == 0) return clear();
    restore_any();
  }
  void check_equal(RestoredState& restored, const Nodes& nodes) {
    for (const auto& [name, entries] : nodes) CHECK(read_all(restored, name) == entries);
    CHECK(read_all(restored, "never seen").empty());
  }

  std::mt19937_64 random_;
  StateStoreOptions options_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<TaskState> task_;
  std::int64_t sequence_ = 0;
  int replaced_ = 0;
  Nodes current_;
  std::map<std::string, Nodes> published_;
};

}  // namespace

TEST_CASE("what is restored equals the model after any sequence of calls", "[state]") {
  int replaced = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    INFO("seed " << seed);
    const TemporaryDirectory directory;
    Model model(directory.path() / "state", seed, {.directory = {}, .history = "none"});
    for (int i = 0; i < 40; ++i) model.step();
    model.check_all();
    replaced += model.replaced();
  }
  CHECK(replaced > 8);
}

TEST_CASE("what is restored equals the model with checkpoints on another file system", "[state]") {
  if (fast_directory() == std::filesystem::temp_directory_path()) return;
  int replaced = 0;
  for (std::uint64_t seed = 100; seed <= 101; ++seed) {
    INFO("seed " << seed);
    const TemporaryDirectory directory(std::filesystem::temp_directory_path());
    const TemporaryDirectory shared;
    StateStoreOptions options{.directory = {}, .history = "none"};
    options.checkpoint_directory = shared.path() / "checkpoints";
    Model model(directory.path() / "state", seed, options);
    for (int i = 0; i < 40; ++i) model.step();
    model.check_all();
    replaced += model.replaced();
  }
  CHECK(replaced > 0);
}

}  // namespace kappa
