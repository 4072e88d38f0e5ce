// A damaged checkpoint is found by restore() or checkpoints(); wrong entries are never handed out.
#include <fstream>

#include "kappa/state/inspect.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

std::string read_bytes(const Path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A new file with these bytes: other checkpoints keep the inode that they share.
void replace(const Path& file, const std::string& bytes) {
  std::filesystem::remove(file);
  std::ofstream(file, std::ios::binary) << bytes;
}

/// Two published checkpoints of one task, with several SSTs each.
class Damaged {
 public:
  Damaged() : store_(open_state_store({.directory = directory_.path()})), task_(store_->open({"total", 0})) {
    task_->clear();
    for (std::int64_t i = 1; i <= 3; ++i) {
      Entries& entries = nodes_["node"];
      for (int k = 0; k < 500; ++k) entries[std::to_string(k * i)] = "value " + std::to_string(i);
      task_->write(meta_of(i), puts(nodes_));
      task_->publish();
      expected_[i] = nodes_;
    }
  }

  [[nodiscard]] Path path(std::int64_t sequence) const {
    return checkpoint_path(directory_.path(), "total-0", meta_of(sequence));
  }
  /// That the third is found damaged with `file` named, and the others are as they were.
  void expect_found(const Path& file) {
    std::vector<std::string> listed;
    const auto metas =
        task_->checkpoints([&](const std::string& where, const std::string&) { listed.push_back(where); });
    const auto [kind, message] = error_of([&] { (void)task_->restore(meta_of(3).id); });
    INFO(message);
    CHECK(kind == ErrorKind::failed);
    CHECK(message.find(file.string()) != std::string::npos);
    CHECK(message.find("start from an older one") != std::string::npos);
    CHECK((metas.size() == 3) == listed.empty());
    if (file.filename() == "manifest.json") CHECK(listed == std::vector<std::string>{file.string()});
    bool reported = false;
    for (const CheckpointReport& report : inspect_checkpoints(directory_.path() / "checkpoints", Verify::files)) {
      CHECK(report.damage.empty() == (report.directory != path(3)));
      for (const std::string& line : report.damage) reported |= line.find(file.string()) != std::string::npos;
    }
    CHECK(reported);
    expect_sound(2);
  }
  void expect_sound(std::int64_t sequence) {
    const auto state = task_->restore(meta_of(sequence).id);
    CHECK(read_all(*state, "node") == expected_.at(sequence).at("node"));
  }
  std::vector<Path> files(std::int64_t sequence) {
    std::vector<Path> all;
    for (const auto& entry : std::filesystem::directory_iterator(path(sequence))) all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }
  void reopen() {
    task_.reset();
    store_.reset();
    store_ = open_state_store({.directory = directory_.path()});
    task_ = store_->open({"total", 0});
  }
  TaskState& task() { return *task_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<TaskState> task_;
  Nodes nodes_;
  std::map<std::int64_t, Nodes> expected_;
};

}  // namespace

TEST_CASE("a file that is cut, empty, longer, missing or has a flipped bit is found, whichever it is", "[state]") {
  Damaged damaged;
  REQUIRE(damaged.files(3).size() == 7);  // 3 SSTs, MANIFEST, CURRENT, OPTIONS, manifest.json
  for (const Path& file : damaged.files(3)) {
    INFO(file);
    const std::string bytes = read_bytes(file);
    REQUIRE_FALSE(bytes.empty());
    const std::size_t size = bytes.size();
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, size / 2, size - std::min<std::size_t>(size, 100), size - 1}) {
      if (length >= size) continue;
      replace(file, bytes.substr(0, length));
      damaged.expect_found(file);
    }
    replace(file, bytes + '\n');
    damaged.expect_found(file);
    for (const std::size_t at : {std::size_t{0}, size / 3, size / 2, size - 2, size - 1}) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      replace(file, flipped);
      damaged.expect_found(file);
    }
    std::filesystem::remove(file);
    damaged.expect_found(file);
    std::filesystem::create_symlink("/dev/null", file);
    damaged.expect_found(file);
    std::filesystem::remove(file);
    replace(file, bytes);
    damaged.expect_sound(3);
  }
}

TEST_CASE("a MANIFEST cut at any of its last 200 bytes is found, though RocksDB would open it", "[state]") {
  Damaged damaged;
  for (const Path& file : damaged.files(3)) {
    if (!file.filename().string().starts_with("MANIFEST")) continue;
    const std::string bytes = read_bytes(file);
    for (std::size_t cut = 1; cut <= 200 && cut < bytes.size(); cut += 7) {
      replace(file, bytes.substr(0, bytes.size() - cut));
      damaged.expect_found(file);
    }
  }
}

TEST_CASE("files swapped between two checkpoints are found", "[state]") {
  Damaged damaged;
  int swapped = 0;
  for (const Path& file : damaged.files(3)) {
    const Path other = damaged.path(2) / file.filename();
    const std::string bytes = read_bytes(file);
    const std::string foreign = read_bytes(other);
    if (foreign.empty() || foreign == bytes) continue;  // an SST that both share, CURRENT
    replace(file, foreign);
    damaged.expect_found(file);
    replace(file, bytes);
    ++swapped;
  }
  CHECK(swapped >= 2);  // MANIFEST and manifest.json
  damaged.expect_sound(3);
}

TEST_CASE("a checkpoint under the name of another is found", "[state]") {
  Damaged damaged;
  std::filesystem::remove_all(damaged.path(3));
  std::filesystem::copy(damaged.path(2), damaged.path(3), std::filesystem::copy_options::recursive);
  damaged.expect_found(damaged.path(3) / "manifest.json");
}

TEST_CASE("a file that does not belong to a checkpoint changes nothing", "[state]") {
  Damaged damaged;
  replace(damaged.path(3) / "000099.sst", "foreign");
  replace(damaged.path(3) / "000099.log", "foreign");
  damaged.expect_sound(3);
}

TEST_CASE("a task without the checkpoint asked for says so", "[state]") {
  Damaged damaged;
  const auto [kind, message] = error_of([&] { (void)damaged.task().restore(meta_of(99).id); });
  CHECK(kind == ErrorKind::failed);
  CHECK(message.find(meta_of(99).id) != std::string::npos);
}

TEST_CASE("a damaged checkpoint does not stop new ones", "[state]") {
  Damaged damaged;
  replace(damaged.path(1) / "manifest.json", "{}");
  damaged.reopen();
  damaged.expect_sound(3);
  for (std::int64_t i = 4; i <= 8; ++i) {
    damaged.task().write(meta_of(i), {});
    damaged.task().publish();
  }
  std::vector<std::string> listed;
  CHECK(damaged.task().checkpoints([&](auto& where, auto&) { listed.push_back(where); }).size() == 4);
  CHECK(listed.size() == 1);
}

}  // namespace kappa
