#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "kappa/state/inspect.h"
#include "kappa/state/keys.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

/// Calls back with the writer, so that a test may do what a contract forbids.
struct Scripted : Frozen {
  explicit Scripted(std::function<void(StateWriter&)> run_) : run(std::move(run_)) {}
  void write(StateWriter& writer) override { run(writer); }
  std::function<void(StateWriter&)> run;
};

Changes scripted(std::function<void(StateWriter&)> run) {
  Changes changes;
  changes.emplace_back("node", std::make_unique<Scripted>(std::move(run)));
  return changes;
}

unsigned mode_of(const Path& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 0777U;
}

std::string message_of(const StateStoreOptions& options, ErrorKind expected) {
  const auto [kind, message] = error_of([&] { (void)open_state_store(options); });
  CHECK(kind == expected);
  return message;
}

}  // namespace

TEST_CASE("everything in a checkpoint's meta comes back", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path() / "state"});
  CheckpointMeta meta = meta_of(7);
  meta.inputs = {{"bids", 3, 42, -9'000'000'000'000'000'000, 5}, {"größe \"x\"", 0, INT64_MAX, 7, 0}};
  meta.released = INT64_MIN / 4;
  meta.last_order_keys = {{"app-node-repartition/0", std::string("\x80\x00\xff", 3)}, {"b/1", ""}};
  meta.upstream_progress = {{"b/1", -1}};
  meta.order_key = std::string("\0\1\2", 3);
  meta.fingerprints = {{"total / bids", "0123abcd"}};
  meta.savepoint = "before";
  one.task->write(meta, {});
  one.task->publish();
  const CheckpointMeta read = one.task->checkpoints({}).at(0);
  for (const CheckpointMeta& back : {read, one.task->restore(meta.id)->meta()}) {
    CHECK(back.id == meta.id);
    CHECK(back.sequence == 7);
    CHECK(back.created_ms == meta.created_ms);
    CHECK(back.inputs == meta.inputs);
    CHECK(back.released == meta.released);
    CHECK(back.last_order_keys == meta.last_order_keys);
    CHECK(back.upstream_progress == meta.upstream_progress);
    CHECK(back.order_key == meta.order_key);
    CHECK(back.fingerprints == meta.fingerprints);
    CHECK(back.savepoint == "before");
  }
}

TEST_CASE("directories are private, and so are the files of a checkpoint", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path() / "a" / "state"});
  const CheckpointMeta meta = meta_of(1);
  one.checkpoint(1, puts({{"node", {{"k", "v"}}}}));
  CHECK(mode_of(directory.path() / "a") == 0700);
  CHECK(mode_of(directory.path() / "a/state") == 0700);
  CHECK(mode_of(directory.path() / "a/state/lock") == 0600);
  const Path checkpoint = checkpoint_path(directory.path() / "a/state", "total-0", meta);
  CHECK(mode_of(checkpoint) == 0700);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoint)) {
    INFO(entry.path());
    CHECK(mode_of(entry.path()) == 0600);
    ++files;
  }
  CHECK(files >= 5);  // SST, MANIFEST, CURRENT, OPTIONS, manifest.json
}

TEST_CASE("a directory that others may write to, a link and a file are refused", "[state]") {
  const TemporaryDirectory directory;
  const Path open = directory.path() / "open";
  std::filesystem::create_directory(open);
  ::chmod(open.c_str(), 0777);
  CHECK(message_of({.directory = open}, ErrorKind::refused).find("chmod go-w " + open.string()) != std::string::npos);
  ::chmod(open.c_str(), 0770);
  message_of({.directory = open}, ErrorKind::refused);
  ::chmod(open.c_str(), 0755);
  const Path link = directory.path() / "link";
  std::filesystem::create_directory_symlink(open, link);
  CHECK(message_of({.directory = link}, ErrorKind::refused).find("symbolic link") != std::string::npos);
  const Path file = directory.path() / "file";
  std::ofstream(file) << "x";
  message_of({.directory = file}, ErrorKind::refused);
  std::filesystem::create_symlink(directory.path() / "elsewhere", open / "lock");
  message_of({.directory = open}, ErrorKind::failed);
  CHECK_FALSE(std::filesystem::exists(directory.path() / "elsewhere"));
  message_of({.directory = {}}, ErrorKind::usage);
  message_of({.directory = open, .checkpoints_retained = 0}, ErrorKind::usage);
}

TEST_CASE("a directory in use is refused and names the process", "[state]") {
  const TemporaryDirectory directory;
  auto store = open_state_store({.directory = directory.path()});
  CHECK(message_of({.directory = directory.path()}, ErrorKind::refused).find(std::to_string(::getpid())) !=
        std::string::npos);
  auto task = store->open({"total", 0});
  store.reset();
  message_of({.directory = directory.path()}, ErrorKind::refused);  // the task still holds it
  task.reset();
  CHECK(open_state_store({.directory = directory.path()}) != nullptr);
}

TEST_CASE("a task is open once, and tasks are listed under their own names", "[state]") {
  const TemporaryDirectory directory;
  const auto store = open_state_store({.directory = directory.path()});
  const std::vector<TaskId> ids{{"..", 0}, {"a / b", 12}, {"größe", 0}, {"total", 0}, {"total", 1}, {"total-1", 1}};
  std::vector<std::unique_ptr<TaskState>> tasks;
  for (const TaskId& id : ids) tasks.push_back(store->open(id));
  CHECK(error_of([&] { (void)store->open(ids[1]); }).first == ErrorKind::refused);
  tasks.clear();
  CHECK(store->open(ids[1]) != nullptr);
  std::vector<TaskId> listed = store->tasks();
  std::sort(listed.begin(), listed.end());
  CHECK(listed == ids);
  CHECK(error_of([&] { (void)store->open({std::string(300, 'x'), 0}); }).first == ErrorKind::refused);
  CHECK(error_of([&] { (void)store->open({"", 0}); }).first == ErrorKind::refused);
}

TEST_CASE("an entry put into a range that the same checkpoint erases stays", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  one.checkpoint(1, puts({{"node", {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}}}}));
  const std::string id = one.checkpoint(2, scripted([](StateWriter& writer) {
                                          writer.put("b", "2");
                                          writer.erase_range("a", "d");
                                        }));
  CHECK(one.restored(id, "node") == Entries{{"b", "2"}, {"d", "1"}});
}

TEST_CASE("a node that does not put ascending keys is a programmer's mistake, and the task goes on after restore()",
          "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const std::string id = one.checkpoint(1, puts({{"node", {{"a", "1"}}}}));
  for (const char* second : {"a", "b"}) {
    CHECK_THROWS_AS(one.task->write(meta_of(2), scripted([&](StateWriter& writer) {
                                      writer.put("b", "2");
                                      writer.put(second, "2");
                                    })),
                    std::logic_error);
    CHECK_THROWS_AS(one.task->write(meta_of(2), {}), std::logic_error);  // the live database is not usable
    CHECK(one.restored(id, "node") == Entries{{"a", "1"}});
  }
  CHECK_THROWS_AS(one.task->write(meta_of(2), scripted([](StateWriter& writer) { writer.erase_range("b", "a"); })),
                  std::logic_error);
}

TEST_CASE("a node that throws while it writes leaves no checkpoint", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const std::string id = one.checkpoint(1, puts({{"node", {{"a", "1"}}}}));
  CHECK_THROWS_AS(one.task->write(meta_of(2), scripted([](StateWriter&) { fail("no"); })), Error);
  CHECK(one.task->checkpoints({}).size() == 1);
  CHECK(one.restored(id, "node") == Entries{{"a", "1"}});
  CHECK(one.checkpoint(2, puts({{"node", {{"b", "2"}}}})) == meta_of(2).id);
}

TEST_CASE("calls out of order are programmer's mistakes", "[state]") {
  const TemporaryDirectory directory;
  const auto store = open_state_store({.directory = directory.path()});
  const auto task = store->open({"total", 0});
  CHECK_THROWS_AS(task->publish(), std::logic_error);
  CHECK_THROWS_AS(task->discard(), std::logic_error);
  CHECK_THROWS_AS(task->write(meta_of(1), {}), std::logic_error);
  task->clear();
  CheckpointMeta bad = meta_of(1);
  bad.id = "../../etc";
  CHECK_THROWS_AS(task->write(bad, {}), std::logic_error);
  task->write(meta_of(1), {});
  CHECK_THROWS_AS(task->write(meta_of(2), {}), std::logic_error);
  CHECK_THROWS_AS(task->clear(), std::logic_error);
  task->discard();
  CHECK_THROWS_AS(task->write(meta_of(2), {}), std::logic_error);
}

TEST_CASE("what was restored can be read while the task goes on and after it is gone", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const std::string id = one.checkpoint(1, puts({{"node", {{"a", "1"}, {"b", "1"}}}}));
  auto state = one.task->restore(id);
  const auto reader = state->node("node");
  std::string_view key, value;
  REQUIRE(reader->next(key, value));
  one.checkpoint(2, puts({{"node", {{"b", "2"}}}}));
  one.task->clear();
  one.task.reset();
  state.reset();
  REQUIRE(reader->next(key, value));
  CHECK(value == "1");  // as of the restore
  CHECK_FALSE(reader->next(key, value));
  CHECK_FALSE(reader->next(key, value));
}

TEST_CASE("nodes do not see one another, whatever their keys", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const std::string high(20, '\xff');
  const Nodes nodes{{"a", {{"", "a"}, {high, "a"}}}, {"b", {{"", "b"}, {high, "b"}}}, {"c", {{"", "c"}, {high, "c"}}}};
  one.checkpoint(1, puts(nodes));
  const std::string id = one.checkpoint(2, scripted([&](StateWriter& writer) { writer.erase_range("", high + high); }));
  for (const auto& [name, entries] : nodes) CHECK(one.restored(id, name) == entries);
}

TEST_CASE("large values and a hundred checkpoints leave few files", "[state]") {
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path(), .history = "none"});
  Entries expected;
  std::string id;
  for (std::int64_t i = 1; i <= 100; ++i) {
    const std::string key = std::to_string(i % 10);
    expected[key] = std::string(i == 50 ? 4'000'000 : 100, static_cast<char>(i));
    id = one.checkpoint(i, puts({{"node", {{key, expected[key]}}}}));
  }
  CHECK(one.restored(id, "node") == expected);
  std::int64_t files = 0;
  for (const CheckpointReport& report : inspect_checkpoints(directory.path() / "checkpoints", Verify::files)) {
    CHECK(report.damage.empty());
    files = std::max(files, report.files);
  }
  CHECK(files <= 20);
}

TEST_CASE("an SST is copied to another file system once", "[state]") {
  if (fast_directory() == std::filesystem::temp_directory_path()) return;
  const TemporaryDirectory directory(std::filesystem::temp_directory_path());
  const TemporaryDirectory shared;
  StateStoreOptions options{.directory = directory.path()};
  options.checkpoint_directory = shared.path();
  OneTask one(options);
  one.checkpoint(1, puts({{"node", {{"a", "1"}}}}));
  const std::string second = one.checkpoint(2, puts({{"node", {{"b", "2"}}}}));
  (void)one.task->restore(second);
  one.checkpoint(3, puts({{"node", {{"c", "3"}}}}));
  std::map<std::string, std::set<std::uint64_t>> inodes;
  for (std::int64_t i = 1; i <= 3; ++i) {
    const Path checkpoint = shared.path() / "total-0" / checkpoint_path("", "total-0", meta_of(i)).filename();
    for (const auto& entry : std::filesystem::directory_iterator(checkpoint)) {
      struct stat info {};
      REQUIRE(::stat(entry.path().c_str(), &info) == 0);
      if (entry.path().extension() == ".sst") inodes[entry.path().filename()].insert(info.st_ino);
    }
  }
  CHECK(inodes.size() == 3);
  for (const auto& [name, copies] : inodes) CHECK(copies.size() == 1);
}

TEST_CASE("an SST that gets the name of another one after a restore is not taken for it", "[state]") {
  for (const Path& checkpoints : {fast_directory(), std::filesystem::temp_directory_path()}) {
    const TemporaryDirectory directory;
    const TemporaryDirectory elsewhere(checkpoints);
    StateStoreOptions options{.directory = directory.path()};
    options.checkpoint_directory = elsewhere.path();
    OneTask one(options);
    const std::string first = one.checkpoint(1, puts({{"node", {{"a", "1"}}}}));
    (void)one.task->restore(first);  // from here on RocksDB numbers files in the same way both times
    const std::string second = one.checkpoint(2, puts({{"node", {{"b", "2"}}}}));
    (void)one.task->restore(first);
    const std::string third = one.checkpoint(3, puts({{"node", {{"b", "3"}}}}));
    CHECK(one.restored(second, "node") == Entries{{"a", "1"}, {"b", "2"}});
    CHECK(one.restored(third, "node") == Entries{{"a", "1"}, {"b", "3"}});
  }
}

TEST_CASE("another run's checkpoints can be restored and stay as they are", "[state]") {
  const TemporaryDirectory directory;
  OneTask live({.directory = directory.path() / "live", .checkpoints_retained = 1, .history = "none"});
  const std::string id = live.checkpoint(9, puts({{"node", {{"a", "1"}}}}));
  StateStoreOptions options{.directory = directory.path() / "replay", .checkpoints_retained = 1, .history = "none"};
  options.borrowed_directories = {directory.path() / "live/checkpoints", directory.path() / "nowhere"};
  OneTask replay(options);
  CHECK(replay.restored(id, "node") == Entries{{"a", "1"}});
  CheckpointMeta meta = meta_of(1, 5);
  replay.task->write(meta, puts({{"node", {{"b", "2"}}}}));
  replay.task->publish();
  const auto all = replay.task->checkpoints({});
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == meta.id);
  CHECK(all[1].id == id);
  CHECK(replay.restored(meta.id, "node") == Entries{{"a", "1"}, {"b", "2"}});
  replay.task->drop_checkpoints();
  CHECK(live.restored(id, "node") == Entries{{"a", "1"}});
}

TEST_CASE("checkpoints are listed and read where they lie, without a lock and without a trace", "[state]") {
  const TemporaryDirectory directory;
  const StateStoreOptions options{.directory = directory.path()};
  CHECK(inspect_checkpoints(checkpoints_directory(options), Verify::files).empty());
  OneTask one(options);
  one.checkpoint(1, puts({{"node", {{"a", "1"}}}}));
  one.checkpoint(2, puts({{"other", {{"b", "2"}}}}));
  const auto reports = inspect_checkpoints(checkpoints_directory(options), Verify::files);
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].meta.sequence == 2);
  CHECK(reports[0].task == TaskId{"total", 0});
  CHECK(reports[0].nodes == std::vector<std::string>{"node", "other"});
  CHECK(reports[0].bytes_added < reports[0].bytes);
  CHECK(reports[1].bytes_added == reports[1].bytes);
  CHECK(reports[1].damage.empty());
  const auto names = [&] {
    std::set<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(reports[0].directory)) all.insert(entry.path());
    return all;
  };
  const auto before = names();
  {
    const auto state = read_checkpoint(reports[0].directory);
    CHECK(read_all(*state, "node") == Entries{{"a", "1"}});
    CHECK(read_all(*state, "other") == Entries{{"b", "2"}});
    CHECK(state->meta().sequence == 2);
  }
  CHECK(names() == before);
}

TEST_CASE("two nodes with one id are refused", "[state]") {
  // Pairs of names with equal FNV-1a 64 are known; these two were searched for.
  const std::string a = "8yn0iYCKYHlIj4-BwPqk", b = "GReLUrM4wMqfg9yzV3KQ";
  REQUIRE(detail::node_id(a) == detail::node_id(b));
  const TemporaryDirectory directory;
  OneTask one({.directory = directory.path()});
  const std::string id = one.checkpoint(1, puts({{a, {{"k", "v"}}}}));
  (void)one.task->restore(id);
  const auto [kind, message] = error_of([&] { one.task->write(meta_of(2), puts({{b, {{"k", "w"}}}})); });
  CHECK(kind == ErrorKind::refused);
  CHECK(message.find(a) != std::string::npos);
  CHECK(message.find(b) != std::string::npos);
}

}  // namespace kappa
