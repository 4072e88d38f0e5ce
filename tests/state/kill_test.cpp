// A process killed at any point of a checkpoint leaves checkpoints that can be restored, and nothing else.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "kappa/state/inspect.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;

constexpr std::int64_t kCheckpoints = 8;
constexpr std::int64_t kReplacedAt = 6;  // the first five lie in one database

/// What checkpoint `sequence` holds.
Nodes content(std::int64_t sequence) {
  Nodes nodes;
  for (std::int64_t i = 1; i <= sequence; ++i) {
    nodes["node"]["key " + std::to_string(i)] = "value";
    nodes["node"]["last"] = std::to_string(i);
  }
  return nodes;
}

StateStoreOptions options_for(const Path& directory) {
  return {.directory = directory, .checkpoints_retained = 2, .history = "none"};
}

/// Continues from the newest checkpoint to number kCheckpoints.
void run_task(const Path& directory) {
  const auto store = open_state_store(options_for(directory));
  const auto task = store->open({"total", 0});
  const auto checkpoints = task->checkpoints({});
  const std::int64_t start = checkpoints.empty() ? 0 : checkpoints[0].sequence;
  checkpoints.empty() ? task->clear() : static_cast<void>(task->restore(checkpoints[0].id));
  for (std::int64_t i = start + 1; i <= kCheckpoints; ++i) {
    // The first half by changes, the other complete: one of those begins an empty database.
    task->write(meta_of(i),
                i > kCheckpoints / 2
                    ? puts(content(i), true)
                    : puts({{"node", {{"key " + std::to_string(i), "value"}, {"last", std::to_string(i)}}}}));
    task->publish();
  }
}

/// Runs a hidden test case of this program in a process of its own; returns what waitpid() says.
int run_child(const char* test_case, const Path& directory, const std::string& kill) {
  std::vector<std::string> variables{"KAPPA_STATE_CHILD=" + directory.string(), "KAPPA_KILL=" + kill};
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
  environment.push_back(nullptr);
  std::string program = "/proc/self/exe", name = test_case, quiet = "--out", nowhere = "/dev/null";
  char* arguments[] = {program.data(), name.data(), quiet.data(), nowhere.data(), nullptr};
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment.data()) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

/// That what a killed process left is good: newest first, without a gap, at most as many as are kept, plus one.
std::int64_t expect_good(const Path& directory) {
  const auto store = open_state_store(options_for(directory));
  const auto task = store->open({"total", 0});
  std::set<std::string> names;
  const Path place = directory / "checkpoints/total-0";
  for (const auto& entry : std::filesystem::directory_iterator(place)) names.insert(entry.path().filename());
  const auto checkpoints = task->checkpoints([](const auto&, const std::string& reason) { FAIL(reason); });
  CHECK(names.size() == checkpoints.size());
  CHECK(checkpoints.size() <= 3);
  CHECK(std::filesystem::is_empty(directory / "live/total-0"));
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    CHECK(checkpoints[i].sequence == checkpoints[0].sequence - static_cast<std::int64_t>(i));
    const auto state = task->restore(checkpoints[i].id);
    CHECK(read_all(*state, "node") == content(checkpoints[i].sequence)["node"]);
  }
  return checkpoints.empty() ? 0 : checkpoints[0].sequence;
}

}  // namespace

TEST_CASE("child: runs a task", "[.child]") { run_task(std::getenv("KAPPA_STATE_CHILD")); }

TEST_CASE("child: finds the directory in use", "[.child]") {
  const auto [kind, message] =
      error_of([] { (void)open_state_store({.directory = std::getenv("KAPPA_STATE_CHILD")}); });
  CHECK(kind == ErrorKind::refused);
  CHECK(message.find("process " + std::to_string(::getppid())) != std::string::npos);
}

TEST_CASE("two processes cannot open one directory", "[state]") {
  const TemporaryDirectory directory;
  const auto store = open_state_store({.directory = directory.path()});
  CHECK(run_child("child: finds the directory in use", directory.path(), "") == 0);
}

#ifdef KAPPA_KILL_POINTS

TEST_CASE("a kill at any point leaves the checkpoints before it, and the task goes on", "[state]") {
  struct Point {
    const char* name;
    std::int64_t after;  // the newest checkpoint that is left if checkpoint n is hit: n − 1 or n
  };
  for (const Point point : {Point{"checkpoint.sst-written", -1}, Point{"checkpoint.ingested", -1},
                            Point{"checkpoint.created", -1}, Point{"checkpoint.manifest-written", -1},
                            Point{"checkpoint.manifest-synced", -1}, Point{"checkpoint.published", 0}}) {
    for (const std::int64_t n : {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, kReplacedAt}) {
      INFO(point.name << " passage " << n);
      const TemporaryDirectory directory;
      const std::string kill = std::string(point.name) + ":" + std::to_string(n);
      REQUIRE(was_killed(run_child("child: runs a task", directory.path(), kill)));
      CHECK(expect_good(directory.path()) == n + point.after);
      REQUIRE(run_child("child: runs a task", directory.path(), "") == 0);
      CHECK(expect_good(directory.path()) == kCheckpoints);
    }
  }
}

TEST_CASE("a kill between a database and the one that replaces it leaves the checkpoints before", "[state]") {
  const TemporaryDirectory directory;
  REQUIRE(was_killed(run_child("child: runs a task", directory.path(), "checkpoint.database-replaced:1")));
  CHECK(expect_good(directory.path()) == kReplacedAt - 1);
  REQUIRE(run_child("child: runs a task", directory.path(), "") == 0);
  CHECK(expect_good(directory.path()) == kCheckpoints);
}

TEST_CASE("a kill while an old checkpoint is removed or one is restored does no harm", "[state]") {
  const TemporaryDirectory directory;
  REQUIRE(was_killed(run_child("child: runs a task", directory.path(), "checkpoint.old-removed:2")));
  CHECK(expect_good(directory.path()) == 4);
  REQUIRE(was_killed(run_child("child: runs a task", directory.path(), "restore.linked:1")));
  CHECK(expect_good(directory.path()) == 4);
  REQUIRE(run_child("child: runs a task", directory.path(), "") == 0);
  CHECK(expect_good(directory.path()) == kCheckpoints);
}

#endif

TEST_CASE("what an unfinished checkpoint and an unfinished removal left is removed", "[state]") {
  const TemporaryDirectory directory;
  run_task(directory.path());
  const Path place = directory.path() / "checkpoints/total-0";
  for (const char* name : {"0000000009-aa.tmp", "0000000009-aa.tmp.tmp", "0000000001-bb.tmp"}) {
    std::filesystem::create_directories(place / name / "deep");
  }
  std::filesystem::create_directories(directory.path() / "live/total-0/7/x");
  CHECK(expect_good(directory.path()) == kCheckpoints);
}

}  // namespace kappa
