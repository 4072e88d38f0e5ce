// kappa/engine/log/kafka/news.h: lets threads sleep until records have arrived in some reader's queue, or wake().
//
// Threads:  safe from any thread; arrived() is called by librdkafka's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace kappa::detail {

class KafkaNews {
 public:
  void arrived() { raise(news_); }
  void wake() { raise(wakes_, news_); }
  /// How often wake() was called: a read that waits compares it with what it was.
  [[nodiscard]] std::uint64_t wakes();
  void wait(std::chrono::milliseconds timeout);

 private:
  template <typename... Counts>
  void raise(Counts&... counts) {
    const std::lock_guard lock(mutex_);
    (++counts, ...);
    changed_.notify_all();
  }

  static constexpr std::size_t kThreadsMax = 1024;  // beyond it all forget what they have seen, and return once more
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t news_ = 0, wakes_ = 0;
  std::map<std::thread::id, std::uint64_t> seen_;
};

inline std::uint64_t KafkaNews::wakes() {
  const std::lock_guard lock(mutex_);
  return wakes_;
}

inline void KafkaNews::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (seen_.size() > kThreadsMax) seen_.clear();
  const std::uint64_t seen = seen_[std::this_thread::get_id()];
  changed_.wait_for(lock, timeout, [&] { return news_ != seen; });
  seen_[std::this_thread::get_id()] = news_;
}

}  // namespace kappa::detail
