// How often a run commits where a commit takes long, by a clock that reads and commits move.
#include <atomic>
#include <vector>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
class MovedClock : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(passed_ms_.load()));
  }
  std::int64_t wall_ms() const override { return 1'767'225'600'000 + passed_ms_; }
  void move(std::int64_t ms) { passed_ms_ += ms; }
  std::int64_t passed_ms() const { return passed_ms_; }

 private:
  std::atomic<std::int64_t> passed_ms_{1};
};

class SlowReader : public Reader {
 public:
  SlowReader(std::unique_ptr<Reader> reader, MovedClock& clock) : reader_(std::move(reader)), clock_(clock) {}
  void read(RecordBlock& block, std::int64_t records_max, std::int64_t before) override {
    clock_.move(1);
    reader_->read(block, records_max, before);
  }
  std::int64_t position() const override { return reader_->position(); }

 private:
  std::unique_ptr<Reader> reader_;
  MovedClock& clock_;
};

struct Commits {
  std::int64_t ms = 0;  // that each takes
  std::vector<std::int64_t> began_ms;
};

class SlowProducer : public Producer {
 public:
  SlowProducer(std::unique_ptr<Producer> producer, MovedClock& clock, Commits& commits)
      : producer_(std::move(producer)), clock_(clock), commits_(commits) {}
  void append(const TopicPartition& to, std::span<const OutRecord> records) override { producer_->append(to, records); }
  std::int64_t pending_bytes() const override { return producer_->pending_bytes(); }
  CommitOutcome commit(const std::string& group, std::span<const Position> positions) override {
    commits_.began_ms.push_back(clock_.passed_ms());
    clock_.move(commits_.ms);
    return producer_->commit(group, positions);
  }
  void abort() override { producer_->abort(); }

 private:
  std::unique_ptr<Producer> producer_;
  MovedClock& clock_;
  Commits& commits_;
};

/// The embedded log, on which reading takes 1 ms and a commit as long as `commits` says.
class SlowLog : public Log {
 public:
  SlowLog(Log& log, MovedClock& clock, Commits& commits) : log_(log), clock_(clock), commits_(commits) {}
  std::vector<TopicInfo> topics() override { return log_.topics(); }
  std::optional<TopicInfo> topic(const std::string& name) override { return log_.topic(name); }
  void create_topic(const std::string& name, std::int32_t partitions) override { log_.create_topic(name, partitions); }
  std::int64_t start_offset(const TopicPartition& at) override { return log_.start_offset(at); }
  std::int64_t end_offset(const TopicPartition& at) override { return log_.end_offset(at); }
  std::optional<std::int64_t> offset_at(const TopicPartition& at, std::int64_t timestamp_ms) override {
    return log_.offset_at(at, timestamp_ms);
  }
  std::int64_t bytes_between(const TopicPartition& at, std::int64_t from, std::int64_t to) override {
    return log_.bytes_between(at, from, to);
  }
  std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) override {
    return std::make_unique<SlowReader>(log_.open_reader(at, from), clock_);
  }
  std::unique_ptr<Producer> open_producer(const std::string& id, const Membership* member) override {
    return std::make_unique<SlowProducer>(log_.open_producer(id, member), clock_, commits_);
  }
  std::unique_ptr<Membership> join_group(const GroupMember& member) override { return log_.join_group(member); }
  std::map<TopicPartition, Position> committed(const std::string& group) override { return log_.committed(group); }
  void forget_group(const std::string& group) override { log_.forget_group(group); }
  std::unique_ptr<RunLock> lock_group(const std::string& group) override { return log_.lock_group(group); }
  void wait(std::chrono::milliseconds timeout) override { log_.wait(timeout); }
  void wake() override { log_.wake(); }

 private:
  Log& log_;
  MovedClock& clock_;
  Commits& commits_;
};

// From each commit to the next, but for the first and the last one, which belong to the start and the end.
std::vector<std::int64_t> periods_of_run(std::int64_t commit_ms) {
  const Place place;
  fill(place, 2000);
  const auto log = open_local_log({.directory = place.path("kappa-data/log"), .sync_on_commit = false});
  const Pipeline parsed = parse_pipeline(pipeline(), "p.sql");
  MovedClock clock;
  Commits commits{commit_ms, {}};
  SlowLog slow(*log, clock, commits);
  RunOptions options;
  options.until_end = true;
  options.batch_rows = 1;
  options.commit_interval = std::chrono::milliseconds(100);
  options.clock = &clock;
  CHECK(run_graph(parsed.graph, slow, nullptr, options, {}).records_read == 2000);
  std::vector<std::int64_t> periods;
  for (std::size_t i = 2; i + 1 < commits.began_ms.size(); ++i)
    periods.push_back(commits.began_ms[i] - commits.began_ms[i - 1]);
  REQUIRE(periods.size() > 3);
  return periods;
}
}  // namespace

TEST_CASE("the commit interval counts from the beginning of a commit", "[cadence]") {
  for (const std::int64_t ms : periods_of_run(40)) CHECK(ms <= 104);  // and one round of the tasks
}

TEST_CASE("half of the commit interval is for work, however slow commits are", "[cadence]") {
  for (const std::int64_t ms : periods_of_run(400)) {
    CHECK(ms >= 400 + 50);
    CHECK(ms <= 400 + 54);
  }
}
