// A checkpoint whose files cannot be written or made durable is not published; the one before it is used.
#include <sys/resource.h>

#include <csignal>
#include <set>

#include "kappa/tests/kit/armed.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

/// No file of this process may grow beyond so many bytes: a write beyond them fails, as on a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

Nodes content(const std::string& value) { return {{"node", {{"key", value}}}}; }

/// A store with checkpoint 1, published.
struct Fixture {
  TemporaryDirectory directory;
  std::unique_ptr<StateStore> store;
  std::unique_ptr<TaskState> task;

  Fixture() {
    open();
    task->clear();
    task->write(meta_of(1), puts(content("first")));
    task->publish();
  }
  void open() {
    task.reset();
    store.reset();
    store = open_state_store({.directory = directory.path()});
    task = store->open({"total", 0});
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path() / "checkpoints/total-0"))
      names.insert(entry.path().filename());
    return names;
  }
  /// As the next process does: the newest checkpoint, and on from there.
  void expect_next_start_at(std::int64_t sequence, const std::string& value) {
    open();
    const auto checkpoints = task->checkpoints([](const auto&, const std::string& why) { FAIL(why); });
    REQUIRE(checkpoints.size() == static_cast<std::size_t>(sequence));
    CHECK(checkpoints.front().sequence == sequence);
    CHECK(read_all(*task->restore(checkpoints.front().id), "node") == content(value)["node"]);
    task->write(meta_of(sequence + 1), puts(content("next")));
    task->publish();
    open();
    CHECK(read_all(*task->restore(meta_of(sequence + 1).id), "node") == content("next")["node"]);
  }
};

}  // namespace

TEST_CASE("entries that no longer fit the disk are an error, and the checkpoint before is used", "[state]") {
  Fixture fixture;
  Nodes large;
  for (int i = 0; i < 2000; ++i) large["node"]["key " + std::to_string(i)] = std::string(100, 'v');
  const auto [kind, message] = error_of([&] {
    const FileLimit limit(64 << 10);
    fixture.task->write(meta_of(2), puts(large));
  });
  CHECK(kind == ErrorKind::failed);
  INFO(message);
  CHECK(message.find(fixture.directory.path().string() + "/live/total-0/") != std::string::npos);
  CHECK(message.find("File too large") != std::string::npos);
  CHECK(fixture.names().size() == 1);
  fixture.expect_next_start_at(1, "first");
}

#ifdef KAPPA_KILL_POINTS

TEST_CASE("a manifest that is cut short, or not durable, is an error that names it and publishes nothing", "[state]") {
  struct Fault {
    const char* point;
    const char* message;
  };
  // A checkpoint syncs its manifest, then its directory.
  for (const Fault fault : {Fault{"state.write:1", "cannot write {}.tmp/manifest.json: No space left on device"},
                            Fault{"state.sync:1", "cannot sync {}.tmp/manifest.json: Input/output error"},
                            Fault{"state.sync:2", "cannot sync {}.tmp: Input/output error"}}) {
    Fixture fixture;
    std::string expected = fault.message;
    expected.replace(expected.find("{}"), 2, checkpoint_path(fixture.directory.path(), "total-0", meta_of(2)));
    const auto [kind, message] = error_of([&] {
      const Armed armed("KAPPA_FAULT", fault.point);
      fixture.task->write(meta_of(2), puts(content("second")));
    });
    CHECK(kind == ErrorKind::failed);
    CHECK(message == expected);
    CHECK(fixture.names().size() == 1);
    fixture.expect_next_start_at(1, "first");
  }
}

TEST_CASE("a checkpoint whose name is not durable is an error, and whole if a later start finds it", "[state]") {
  Fixture fixture;
  fixture.task->write(meta_of(2), puts(content("second")));
  const auto [kind, message] = error_of([&] {
    const Armed armed("KAPPA_FAULT", "state.sync:01");
    fixture.task->publish();
  });
  CHECK(kind == ErrorKind::failed);
  CHECK(message ==
        "cannot sync " + (fixture.directory.path() / "checkpoints/total-0").string() + ": Input/output error");
  CHECK(fixture.names().size() == 2);  // nothing older was removed for it
  fixture.expect_next_start_at(2, "second");
}

#endif

}  // namespace kappa
