// How often a run commits where a commit takes long, by a clock that reads and commits move.
#include <vector>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/engine/run.h"
#include "kappa/sql/pipeline.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/service/moved_clock.h"
#include "kappa/tests/service/program.h"

using namespace kappa;
using namespace kappa::cli;

namespace {
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
class SlowLog : public ForwardedLog {
 public:
  SlowLog(Log& log, MovedClock& clock, Commits& commits) : ForwardedLog(log), clock_(clock), commits_(commits) {}
  std::unique_ptr<Reader> open_reader(const TopicPartition& at, std::int64_t from) override {
    return std::make_unique<SlowReader>(ForwardedLog::open_reader(at, from), clock_);
  }
  std::unique_ptr<Producer> open_producer(const std::string& id, const Membership* member) override {
    return std::make_unique<SlowProducer>(ForwardedLog::open_producer(id, member), clock_, commits_);
  }

 private:
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
