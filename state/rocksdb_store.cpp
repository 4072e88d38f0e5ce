#include "kappa/state/rocksdb_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kappa/engine/error.h"
#include "kappa/state/inspect.h"
#include "kappa/state/keys.h"
#include "kappa/state/task_state.h"

namespace kappa {
namespace {

using detail::Path;

/// An exclusive lock on <directory>/lock; the kernel frees it when the process ends in any way.
class DirectoryLock {
 public:
  explicit DirectoryLock(const Path& file)
      : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (descriptor_ < 0) fail("cannot open " + file.string() + ": " + std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const std::string holder = read_holder();
      ::close(descriptor_);
      refuse("the state in " + file.parent_path().string() + " is in use by process " + holder +
             "; stop it, or give another state.directory");
    }
    const std::string holder = std::to_string(::getpid()) + "\n";
    const bool written = ::ftruncate(descriptor_, 0) == 0 &&
                         ::pwrite(descriptor_, holder.data(), holder.size(), 0) == static_cast<ssize_t>(holder.size());
    if (written) return;
    ::close(descriptor_);
    fail("cannot write " + file.string() + ": " + std::strerror(errno));
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock() { ::close(descriptor_); }

 private:
  [[nodiscard]] std::string read_holder() const {
    char text[32] = {};
    const ssize_t size = ::pread(descriptor_, text, sizeof text - 1, 0);
    const std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    return holder.empty() ? "(unknown)" : holder.substr(0, holder.find('\n'));
  }

  int descriptor_;
};

class RocksStateStore : public StateStore {
 public:
  explicit RocksStateStore(std::shared_ptr<detail::StoreContext> context) : context_(std::move(context)) {}

  std::unique_ptr<TaskState> open(const TaskId& task) override {
    return std::make_unique<detail::RocksTaskState>(context_, task);
  }
  std::vector<TaskId> tasks() override {
    std::vector<TaskId> tasks;
    for (const std::string& name : detail::list_directory(context_->checkpoints)) {
      if (const auto task = detail::parse_task_directory_name(name)) tasks.push_back(*task);
    }
    return tasks;
  }

 private:
  std::shared_ptr<detail::StoreContext> context_;
};

}  // namespace

std::unique_ptr<StateStore> open_state_store(StateStoreOptions options) {
  if (options.directory.empty()) usage_error("state.directory is empty");
  if (options.checkpoints_retained < 1) usage_error("checkpoint.retained must be at least 1");
  auto context = std::make_shared<detail::StoreContext>();
  context->history = detail::parse_history(options.history);
  const Path root = std::filesystem::absolute(options.directory).lexically_normal();
  detail::make_private_directories(root);
  context->lock = std::make_shared<DirectoryLock>(root / "lock");
  context->live = root / "live";
  context->checkpoints = checkpoints_directory(options);
  detail::make_private_directories(context->live);
  detail::make_private_directories(context->checkpoints);
  context->resources.statistics = options.statistics;
  context->options = std::move(options);
  return std::make_unique<RocksStateStore>(std::move(context));
}

}  // namespace kappa
