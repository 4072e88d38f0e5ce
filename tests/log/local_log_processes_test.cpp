// Many processes on one embedded log at the same time.
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <thread>

#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"

namespace kappa::testkit {
namespace {

constexpr int kWriters = 4, kCommits = 40, kRecords = 3;
const TopicPartition kBids0{"bids", 0}, kBids1{"bids", 1};

void write_commits(Log& log, int writer) {
  const auto producer = log.open_producer("writer-" + std::to_string(writer));
  for (int n = 0; n < kCommits; ++n) {
    for (int i = 0; i < kRecords; ++i) {
      const std::string key = std::to_string(writer), value = std::to_string(n * kRecords + i);
      OutRecord record;
      record.key = key;
      record.value = value;
      producer->append(kBids0, {&record, 1});
      producer->append(kBids1, {&record, 1});
    }
    const std::vector<Position> positions{{{"in", writer}, n + 1, ""}};
    if (producer->commit("app", positions) != CommitOutcome::committed) throw std::runtime_error("not committed");
  }
}

/// Follows a partition until it has what all writers write, checking the order of each.
class Follower {
 public:
  Follower(Log& log, const TopicPartition& at) : reader_(log.open_reader(at, 0)) {}

  bool step() {
    reader_->read(block_, 64, std::numeric_limits<std::int64_t>::max());
    for (const RecordView& record : block_.records) {
      CHECK(record.offset == count_++);
      const auto writer = static_cast<std::size_t>(std::stoi(std::string(record.key())));
      CHECK(std::stoi(std::string(record.value())) == next_.at(writer)++);
    }
    return !block_.records.empty();
  }
  [[nodiscard]] bool is_done() const { return count_ == kWriters * kCommits * kRecords; }

 private:
  std::unique_ptr<Reader> reader_;
  RecordBlock block_;
  std::int64_t count_ = 0;
  std::vector<int> next_ = std::vector<int>(kWriters, 0);
};

TEST_CASE("processes that append together lose nothing, double nothing, and keep their orders") {
  LocalLogFixture fixture;
  fixture.options.journal_bytes = GENERATE(2'000, 64 << 20);  // the journal rolls under readers and writers, or not
  fixture.options.segment_bytes = 5'000;
  const auto log = fixture.open();
  log->create_topic("bids", 2);
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        write_commits(*fixture.open(), writer);
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  Follower one(*log, kBids0), two(*log, kBids1);
  while (!one.is_done() || !two.is_done()) {
    const bool one_read = one.step(), two_read = two.step();
    if (!one_read && !two_read) log->wait(std::chrono::seconds(5));
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(log->end_offset(kBids0) == kWriters * kCommits * kRecords);
  for (int writer = 0; writer < kWriters; ++writer) {
    CHECK(log->committed("app").at({"in", writer}).offset == kCommits);
  }
}

TEST_CASE("threads share one log") {
  LocalLogFixture fixture;
  fixture.options.journal_bytes = 2'000;
  const auto log = fixture.open();
  log->create_topic("bids", 2);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) threads.emplace_back([&, writer] { write_commits(*log, writer); });
  Follower one(*log, kBids0);
  while (!one.is_done()) {
    if (!one.step()) log->wait(std::chrono::seconds(5));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(log->end_offset(kBids1) == kWriters * kCommits * kRecords);
}

TEST_CASE("a lock of a group ends with the process that held it") {
  const LocalLogFixture fixture;
  const auto log = fixture.open();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = fixture.open()->lock_group("app");
    ::_exit(lock != nullptr ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(log->lock_group("app") != nullptr);
}

}  // namespace
}  // namespace kappa::testkit
