// kappa/tests/service/moved_clock.h: runs by a clock that the test moves, over the embedded log.
//
// Threads:  MovedClock from any; ForwardedLog as the log behind it.
#pragma once

#include <atomic>
#include <memory>

#include "kappa/engine/clock.h"
#include "kappa/engine/log.h"

namespace kappa::cli {

/// Begins at 2026-01-01.
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

/// Another log as it is; what a test wants otherwise, it overrides.
class ForwardedLog : public Log {
 public:
  explicit ForwardedLog(Log& log) : log_(log) {}
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
    return log_.open_reader(at, from);
  }
  std::unique_ptr<Producer> open_producer(const std::string& id, const Membership* member) override {
    return log_.open_producer(id, member);
  }
  std::unique_ptr<Membership> join_group(const GroupMember& member) override { return log_.join_group(member); }
  std::map<TopicPartition, Position> committed(const std::string& group) override { return log_.committed(group); }
  void forget_group(const std::string& group) override { log_.forget_group(group); }
  std::unique_ptr<RunLock> lock_group(const std::string& group) override { return log_.lock_group(group); }
  void wait(std::chrono::milliseconds timeout) override { log_.wait(timeout); }
  void wake() override { log_.wake(); }

 private:
  Log& log_;
};

}  // namespace kappa::cli
