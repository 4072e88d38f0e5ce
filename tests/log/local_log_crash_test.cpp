// What is left after a kill between any two writes of a commit, a torn or damaged journal, a failed sync.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "kappa/engine/error.h"
#include "kappa/engine/log/local/file.h"
#include "kappa/tests/kit/armed.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"

namespace kappa::testkit {
namespace {

const TopicPartition kOne{"bids", 0}, kTwo{"bids", 1}, kInput{"in", 0};

std::string text_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

/// Commit `n`: two records in each of two partitions, and n + 1 as the position.
void commit_number(Producer& producer, int n) {
  const std::string value = "commit-" + std::to_string(n);
  OutRecord record;
  record.value = value;
  record.timestamp_ms = n;
  const std::vector<OutRecord> records{record, record};
  producer.append(kOne, records);
  producer.append(kTwo, records);
  const std::vector<Position> positions{{kInput, n + 1, "after " + std::to_string(n)}};
  if (producer.commit("app", positions) != CommitOutcome::committed) throw std::runtime_error("not committed");
}

/// All of each commit or nothing of it; how many there are.
int check_whole_commits(Log& log) {
  const auto committed = log.committed("app");
  const int commits = committed.empty() ? 0 : static_cast<int>(committed.at(kInput).offset);
  for (const TopicPartition& at : {kOne, kTwo}) {
    const auto records = read_all(log, at);
    REQUIRE(records.size() == static_cast<std::size_t>(commits) * 2);
    for (std::size_t i = 0; i < records.size(); ++i) {
      CHECK(records[i].value == "commit-" + std::to_string(i / 2));
      CHECK(records[i].offset == static_cast<std::int64_t>(i));
    }
  }
  return commits;
}

/// The signal that ended a child which ran `work`; 0 if it came to its end.
int signal_of(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      ::_exit(9);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

struct CrashFixture : LocalLogFixture {
  CrashFixture() { open()->create_topic("bids", 2); }
  void commit_some(int from, int to) const {
    const auto log = open();
    const auto producer = log->open_producer("");
    for (int n = from; n < to; ++n) commit_number(*producer, n);
  }
};

#ifdef KAPPA_KILL_POINTS
TEST_CASE("a kill at any point of a commit leaves each commit whole or invisible") {
  const std::string point =
      GENERATE(as<std::string>(), "log.commit.locked", "log.commit.segments-written", "log.commit.segments-synced",
               "log.commit.half-journal", "log.commit.journal-written", "log.journal.roll");
  for (int passage = 1; passage <= 6; ++passage) {
    CAPTURE(point, passage);
    CrashFixture fixture;
    fixture.options.journal_bytes = 250;  // a few commits
    fixture.options.segment_bytes = 400;
    const int signal = signal_of([&] {
      const Armed armed("KAPPA_KILL", point + ":" + std::to_string(passage));
      fixture.commit_some(0, 20);
    });
    CHECK(signal == SIGKILL);
    const auto log = fixture.open();
    const int commits = check_whole_commits(*log);
    CHECK(commits < 20);
    if (point == "log.commit.journal-written") CHECK(commits == passage);
    if (point == "log.commit.segments-synced" || point == "log.commit.half-journal") CHECK(commits == passage - 1);
    fixture.commit_some(commits, commits + 8);
    CHECK(check_whole_commits(*log) == commits + 8);
    CHECK(check_whole_commits(*fixture.open()) == commits + 8);
  }
}

TEST_CASE("a failed sync is an error, and the log writes no more") {
  CrashFixture fixture;
  fixture.options.sync_on_commit = true;
  const auto log = fixture.open();
  const auto producer = log->open_producer("");
  commit_number(*producer, 0);
  {
    const Armed armed("KAPPA_FAULT", "log.sync:" + std::to_string(GENERATE(1, 2, 3)));
    CHECK(text_of([&] { commit_number(*producer, 1); }).find("cannot sync") != std::string::npos);
  }
  CHECK(text_of([&] { commit_number(*producer, 1); }).find("failed before") != std::string::npos);
  CHECK(text_of([&] { log->create_topic("more", 1); }).find("failed before") != std::string::npos);
  const auto again = fixture.open();
  const int commits = check_whole_commits(*again);
  const auto fresh = again->open_producer("");
  commit_number(*fresh, commits);
  CHECK(check_whole_commits(*again) == commits + 1);
}

TEST_CASE("a journal that cannot be written leaves nothing of the commit, which may be tried again") {
  const CrashFixture fixture;
  const auto log = fixture.open();
  const auto producer = log->open_producer("");
  OutRecord record;
  record.value = "commit-0";
  const std::vector<OutRecord> records{record, record};
  producer->append(kOne, records);
  producer->append(kTwo, records);
  const std::vector<Position> positions{{kInput, 1, ""}};
  {
    const Armed armed("KAPPA_FAULT", "log.journal.write:1");
    CHECK_THROWS_AS(producer->commit("app", positions), Error);
  }
  CHECK(check_whole_commits(*log) == 0);
  CHECK(producer->commit("app", positions) == CommitOutcome::committed);
  CHECK(check_whole_commits(*log) == 1);
}
#endif

TEST_CASE("a journal cut anywhere in its last record has the commits before it, and goes on") {
  const CrashFixture fixture;
  fixture.commit_some(0, 2);
  const auto before = static_cast<std::size_t>(std::filesystem::file_size(fixture.journal()));
  fixture.commit_some(2, 3);
  const std::string whole = slurp(fixture.journal());
  for (std::size_t size = before; size < whole.size(); ++size) {
    for (const bool has_garbage : {false, true}) {
      spew(fixture.journal(), whole.substr(0, size) + (has_garbage ? std::string(whole.size(), '\x5a') : ""));
      const auto log = fixture.open();
      CHECK(check_whole_commits(*log) == 2);
      const auto producer = log->open_producer("");
      commit_number(*producer, 2);
      CHECK(check_whole_commits(*log) == 3);
      CHECK(std::filesystem::file_size(fixture.journal()) == whole.size());
    }
  }
}

TEST_CASE("damage in the middle of the journal is an error that names file and byte") {
  const CrashFixture fixture;
  const auto size_now = [&] { return static_cast<std::size_t>(std::filesystem::file_size(fixture.journal())); };
  fixture.commit_some(0, 1);
  const std::size_t from = size_now();
  fixture.commit_some(1, 2);
  const std::size_t to = size_now();
  fixture.commit_some(2, 4);
  const std::string whole = slurp(fixture.journal());
  for (std::size_t at = from; at < to; ++at) {
    for (const int mask : {0x01, 0x80}) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      spew(fixture.journal(), bad);
      const std::string text = text_of([&] { static_cast<void>(fixture.open()); });
      CHECK(text.find(fixture.journal().string()) != std::string::npos);
      CHECK(text.find("byte " + std::to_string(from)) != std::string::npos);
    }
  }
  for (std::size_t at = 0; at < 40; ++at) {  // header and snapshot are never torn
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    spew(fixture.journal(), bad);
    CHECK_THROWS_AS(fixture.open(), Error);
  }
}

TEST_CASE("what a crashed writer left in segments is invisible and cut by the next one") {
  const CrashFixture fixture;
  fixture.commit_some(0, 2);
  const std::string segment = slurp(fixture.segment(0));
  spew(fixture.segment(0), segment + std::string(1000, 'x'));
  spew(fixture.segment(77), "no commit names this file");
  const auto log = fixture.open();
  CHECK(check_whole_commits(*log) == 2);
  const auto producer = log->open_producer("");
  commit_number(*producer, 2);
  CHECK(check_whole_commits(*log) == 3);
  CHECK(static_cast<std::int64_t>(std::filesystem::file_size(fixture.segment(0))) == log->bytes_between(kOne, 0, 6));
}

TEST_CASE("a damaged or missing segment is an error that names file and byte, never wrong records") {
  const CrashFixture fixture;
  fixture.commit_some(0, 3);
  const std::string good = slurp(fixture.segment(0));
  for (const std::size_t at : {std::size_t{9}, std::size_t{16}, std::size_t{70}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    spew(fixture.segment(0), bad);
    const std::string text = text_of([&] { static_cast<void>(read_all(*fixture.open(), kOne)); });
    CHECK(text.find(fixture.segment(0).string()) != std::string::npos);
    CHECK(text.find("byte") != std::string::npos);
  }
  spew(fixture.segment(0), good.substr(0, good.size() / 2));
  CHECK(text_of([&] { static_cast<void>(read_all(*fixture.open(), kOne)); }).find("shorter") != std::string::npos);
  CHECK(text_of([&] { fixture.commit_some(3, 4); }).find("shorter") != std::string::npos);
  std::filesystem::remove(fixture.segment(0));
  CHECK_THROWS_AS(read_all(*fixture.open(), kOne), Error);
  CHECK_THROWS_AS(fixture.commit_some(3, 4), Error);
}

TEST_CASE("a journal that is gone is no empty log") {
  const CrashFixture fixture;
  fixture.commit_some(0, 1);
  std::filesystem::remove(fixture.journal());
  CHECK(text_of([&] { static_cast<void>(fixture.open()); }).find("no journal") != std::string::npos);
}

TEST_CASE("a commit that does not get the lock names who has it") {
  CrashFixture fixture;
  fixture.options.lock_wait = std::chrono::milliseconds(20);
  const auto log = fixture.open();
  const auto producer = log->open_producer("");
  {
    const auto root = detail::Directory::open_root(fixture.options.directory, false);
    const auto lock = detail::FileLock::acquire(root, "lock", std::chrono::milliseconds(0));
    REQUIRE(lock.is_held());
    const std::string text = text_of([&] { commit_number(*producer, 0); });
    CHECK(text.find("process " + std::to_string(::getpid())) != std::string::npos);
    CHECK(text.find("log_test") != std::string::npos);
    producer->abort();
  }
  commit_number(*producer, 0);
  CHECK(check_whole_commits(*log) == 1);
}

TEST_CASE("the log's files are its owner's alone, and symbolic links are not followed") {
  using std::filesystem::perms;
  const CrashFixture fixture;
  fixture.commit_some(0, 1);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(fixture.options.directory)) {
    const auto expected = entry.is_directory() ? perms::owner_all : perms::owner_read | perms::owner_write;
    CHECK(entry.status().permissions() == expected);
  }
  std::filesystem::rename(fixture.segment(0), fixture.directory.path() / "elsewhere");
  std::filesystem::create_symlink(fixture.directory.path() / "elsewhere", fixture.segment(0));
  CHECK_THROWS_AS(read_all(*fixture.open(), kOne), Error);
  const auto link = fixture.directory.path() / "link";
  std::filesystem::create_symlink(fixture.options.directory, link);
  CHECK_THROWS_AS(open_local_log({.directory = link}), Error);
  CHECK_THROWS_AS(open_local_log({.directory = fixture.directory.path() / "none", .create = false}), Error);
  std::filesystem::permissions(fixture.options.directory, perms::all);
  CHECK_THROWS_AS(fixture.open(), Error);
}

}  // namespace
}  // namespace kappa::testkit
