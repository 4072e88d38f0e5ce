#include "kappa/tests/campaign/round.h"

#include <signal.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace kappa::campaign {

namespace {
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{90};
constexpr milliseconds kTick{4};
constexpr std::size_t kFeedMost = 24;

// Small commits and checkpoints all the time, so that faults land among them.
testkit::Settings settings_of(const RoundOptions& options, const Broker& broker) {
  testkit::Settings all{"bootstrap.servers=" + (options.bootstrap.empty() ? broker.address() : options.bootstrap),
                        "kafka.transaction.timeout.ms=" + std::to_string(kTransactionTimeout.count()),
                        "kafka.session.timeout.ms=2000",
                        "kafka.heartbeat.interval.ms=500",
                        "commit.interval=10ms",
                        "commit.records=60",
                        "batch.rows=30",
                        "checkpoint.interval=30ms",
                        "workers=2"};
  all.insert(all.end(), options.settings.begin(), options.settings.end());
  return all;
}

Subject prepared(Broker& broker, const RoundOptions& options) {
  Subject made = subject(options.shape, options.name, options.seed, options.rows);
  if (options.close) expect_close(made);
  std::map<std::string, int> topics = made.sinks;
  for (const auto& [topic, partitions] : made.scenario.topics) topics[topic] = partitions;
  broker.create_topics(topics);
  return made;
}

testkit::Published by_name(const Seen& seen) {
  testkit::Published all;
  for (const auto& [at, records] : seen)
    for (const SeenRecord& one : records) all[to_string(at)].push_back(one.record);
  return all;
}
}  // namespace

Round::Round(Broker& broker, RoundOptions options)
    : broker_(broker),
      options_(std::move(options)),
      subject_(prepared(broker, options_)),
      feeder_(broker.address(), options_.name + "-feed", subject_.scenario.input, options_.seed),
      reader_(std::make_unique<CommittedReader>(broker.address(), subject_.sinks)) {
  add_instance();
  feeder_.feed_to(feeder_.size() / 8);
}

// What is left is not read again; thousands of partitions would slow the broker down.
Round::~Round() {
  instances_.clear();
  reader_.reset();
  try {
    std::vector<std::string> mine;
    for (const std::string& topic : broker_.topics())
      if (topic.rfind(options_.name + "-", 0) == 0) mine.push_back(topic);
    broker_.delete_topics(mine);
  } catch (const std::exception&) {
    return;  // a failed round may leave a broker that does not answer
  }
}

std::size_t Round::add_instance(const testkit::Settings& settings) {
  testkit::Settings all = settings_of(options_, broker_);
  all.insert(all.end(), settings.begin(), settings.end());
  instances_.push_back(std::make_unique<Instance>(options_.name, subject_.scenario.sql, all));
  return instances_.size() - 1;
}

void Round::start(std::size_t number, std::map<std::string, std::string> variables) {
  variables.insert(options_.variables.begin(), options_.variables.end());
  instances_.at(number)->variables = options_.variables;
  instances_.at(number)->start(variables);
}

// More than is allowed only where nothing comes, and slowly: open windows may need it.
void Round::turn() {
  const auto now = Steady::now();
  const bool is_needed = is_quiet_for(milliseconds(1000)) && now - last_extra_ >= milliseconds(200);
  if (feeding && !feeder_.is_done() && (feeder_.fed() < allowed_ || is_needed)) {
    if (feeder_.fed() >= allowed_) last_extra_ = now;
    feeder_.feed_some(kFeedMost);
  }
  for (const auto& instance : instances_) instance->tend();
  reader_->wait_for(reader_->count() + 1, kTick);
  if (reader_->count() == last_count_) return;
  last_count_ = reader_->count();
  last_seen_ = Steady::now();
}

bool Round::is_quiet_for(milliseconds time) const { return Steady::now() - last_seen_ >= time; }

void Round::await(const std::function<bool()>& condition, const std::string& what) {
  const auto until = Steady::now() + kPatience;
  while (!condition()) {
    if (Steady::now() >= until) throw std::runtime_error("waited in vain for " + what);
    turn();
  }
}

void Round::await_progress(std::int64_t records) {
  const std::int64_t goal = reader_->count() + records;
  await([&] { return reader_->count() >= goal || (feeder_.is_done() && is_quiet_for(milliseconds(4000))); },
        "progress");
}

void Round::work_for(milliseconds time) {
  for (const auto until = Steady::now() + time; Steady::now() < until;) turn();
}

int Round::restarts() const {
  int all = 0;
  for (const auto& instance : instances_) all += instance->restarts;
  return all;
}

std::string Round::ends() const {
  std::string text;
  for (std::size_t i = 0; i < instances_.size(); ++i)
    for (const testkit::Exit& exit : instances_[i]->exits)
      text += "instance " + std::to_string(i) + " ended with code " + std::to_string(exit.code) + ", signal " +
              std::to_string(exit.signal) + ": " +
              exit.errors.substr(exit.errors.rfind("\n", exit.errors.size() - 2) + 1) +
              (exit.errors.empty() ? "\n" : "");
  return text;
}

std::map<std::string, int> Round::all_topics() const {
  std::map<std::string, int> all = subject_.sinks;
  for (const auto& [topic, partitions] : subject_.scenario.topics) all[topic] = partitions;
  for (const std::string& topic : broker_.topics())
    if (topic.rfind(options_.name + "-", 0) == 0) all.try_emplace(topic, subject_.scenario.topics.begin()->second);
  return all;
}

// No transaction may be left that readers would wait for: within its timeout, and what the broker takes to notice.
std::string Round::await_stable_ends(const std::map<std::string, int>& topics) const {
  const auto until = Steady::now() + kTransactionTimeout + std::chrono::seconds(4);
  for (;;) {
    const auto committed = ends_of(broker_.address(), topics, "read_committed");
    const auto all = ends_of(broker_.address(), topics, "read_uncommitted");
    if (committed == all) return {};
    if (Steady::now() < until) continue;
    std::string text = "a transaction hangs:";
    for (const auto& [at, end] : all)
      if (committed.at(at) < end)
        text +=
            " " + to_string(at) + " is stable up to " + std::to_string(committed.at(at)) + " of " + std::to_string(end);
    return text + "\n";
  }
}

std::string Round::check_input() {
  const std::map<std::string, int> topics{subject_.scenario.topics.begin(), subject_.scenario.topics.end()};
  CommittedReader reader(broker_.address(), topics);
  const Seen seen = reader.up_to(ends_of(broker_.address(), topics, "read_committed"));
  testkit::Published want;
  for (const auto& in : feeder_.input()) {
    const TopicPartition at{in.topic, in.partition};
    auto& records = want[to_string(at)];
    const auto& there = seen.at(at);
    if (records.size() < there.size())
      index_of_[at][std::to_string(there[records.size()].offset)] = std::to_string(records.size());
    records.push_back({in.key, in.value, in.timestamp_ms, {}});
  }
  const std::string difference = testkit::difference(want, by_name(seen));
  return difference.empty() ? "" : "the harness did not feed what it meant to: " + difference;
}

// Headers that name offsets of the input are compared by the index of the record there.
std::string Round::check_output(const Seen& seen, const std::string& who) const {
  testkit::Published found = by_name(seen);
  const std::string& topic = subject_.scenario.topics.begin()->first;
  for (auto& [name, records] : found)
    for (auto& record : records) {
      std::string partition;
      for (auto& [header, value] : record.headers) {
        if (header == "kappa-partition") partition = value;
        if (header != "kappa-offset") continue;
        const auto& indices = index_of_.at({topic, std::stoi(partition)});
        const auto index = indices.find(value);
        value = index == indices.end() ? "not of the input: " + value : index->second;
      }
    }
  const std::string difference = campaign::difference(subject_.expected, found);
  return difference.empty() ? "" : who + " sees other results: " + difference;
}

std::string Round::finish() {
  feeder_.feed_to(feeder_.size());
  for (const auto& instance : instances_) {
    instance->supervised = false;
    instance->send(SIGCONT);
    instance->stop();
  }
  // The last run, too, is started as often as a supervisor would.
  testkit::Exit exit;
  for (int tries = 0; tries < 5; ++tries) {
    current().variables = options_.variables;
    current().start(options_.variables, {options_.close ? "--close" : "--until-end"});
    exit = current().wait();
    if (exit.signal == 0 && exit.code != 4) break;
  }
  if (exit.code != 0) return "the last run ended with code " + std::to_string(exit.code) + ":\n" + exit.errors;
  const auto topics = all_topics();
  std::string wrong = await_stable_ends(topics) + check_input();
  const auto ends = ends_of(broker_.address(), subject_.sinks, "read_committed");
  CommittedReader after(broker_.address(), subject_.sinks);
  wrong += check_output(after.up_to(ends), "the reader after the faults");
  return wrong + check_output(reader_->up_to(ends), "the reader during the faults");
}

}  // namespace kappa::campaign
