#include "kappa/engine/log/local/waiter.h"

#include <algorithm>
#include <array>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace kappa::detail {
namespace {

constexpr std::size_t kWaitersMax = 64;  // beyond it, those of threads that do not wait now are closed
constexpr int kBlindWaitMs = 5;

void drain(const Descriptor& fd) {
  std::array<char, 4096> ignored;
  while (fd.is_open() && ::read(fd.get(), ignored.data(), ignored.size()) > 0) {
  }
}

}  // namespace

struct Waiters::Waiter {
  explicit Waiter(const std::string& directory)
      : events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), woken(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    const bool watches = events.is_open() && woken.is_open() &&
                         ::inotify_add_watch(events.get(), directory.c_str(), IN_MODIFY | IN_MOVED_TO) >= 0;
    if (!watches) events = Descriptor();
  }

  Descriptor events, woken;
  std::uint64_t seen_sequence = 0;  // used by its thread only
  std::uint64_t seen_wakes = 0;     // guarded by Waiters::mutex_
};

Waiters::~Waiters() = default;

std::shared_ptr<Waiters::Waiter> Waiters::mine() {
  const std::lock_guard lock(mutex_);
  auto& waiter = waiters_[std::this_thread::get_id()];
  if (waiter == nullptr) {
    waiter = std::make_shared<Waiter>(core_.journal_directory().path());
    if (waiters_.size() > kWaitersMax) {
      std::erase_if(waiters_, [&](const auto& one) { return one.second != waiter && one.second.use_count() == 1; });
    }
  }
  return waiters_[std::this_thread::get_id()];
}

void Waiters::wait(std::chrono::milliseconds timeout) {
  const std::shared_ptr<Waiter> waiter = mine();
  // Events go first: what happens after this line is seen either by the refresh or by the poll.
  drain(waiter->events);
  drain(waiter->woken);
  const std::uint64_t sequence = core_.refresh();
  {
    const std::lock_guard lock(mutex_);
    const bool is_news = sequence != waiter->seen_sequence || wakes_ != waiter->seen_wakes;
    waiter->seen_sequence = sequence;
    waiter->seen_wakes = wakes_;
    if (is_news) return;
  }
  auto wait_ms = static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 3'600'000));
  if (!waiter->events.is_open()) wait_ms = std::min(wait_ms, kBlindWaitMs);
  std::array<pollfd, 2> fds{pollfd{waiter->events.get(), POLLIN, 0}, pollfd{waiter->woken.get(), POLLIN, 0}};
  ::poll(fds.data(), fds.size(), wait_ms);
  waiter->seen_sequence = core_.refresh();
  const std::lock_guard lock(mutex_);
  waiter->seen_wakes = wakes_;
}

void Waiters::wake() {
  const std::lock_guard lock(mutex_);
  ++wakes_;
  for (const auto& [thread, waiter] : waiters_) {
    const std::uint64_t one = 1;
    if (waiter->woken.is_open()) static_cast<void>(::write(waiter->woken.get(), &one, sizeof(one)));
  }
}

}  // namespace kappa::detail
