#include "kappa/engine/log/kafka/group_lock.h"

#include <mutex>
#include <set>

#include "kappa/engine/error.h"
#include "kappa/engine/log/local/file.h"

namespace kappa::detail {

namespace {
/// The groups that are locked in this process.
struct Held {
  std::mutex mutex;
  std::set<std::string> names;
};

Held& held() {
  static Held instance;
  return instance;
}

class GroupLock : public RunLock {
 public:
  GroupLock(std::string name, FileLock file) : name_(std::move(name)), file_(std::move(file)) {}
  ~GroupLock() override {
    const std::lock_guard lock(held().mutex);
    held().names.erase(name_);
  }

 private:
  std::string name_;
  FileLock file_;
};

FileLock lock_file(const std::filesystem::path& path, const std::string& group) {
  const Directory directory = Directory::open_root(path, true);
  FileLock lock = FileLock::acquire(directory, group, std::chrono::milliseconds(0));
  if (!lock.is_held())
    refuse("'" + group + "' is running already: " + FileLock::holder(directory, group) +
           " holds its lock; stop that one first");
  return lock;
}
}  // namespace

std::unique_ptr<RunLock> lock_kafka_group(const std::string& brokers, const std::string& group,
                                          const std::filesystem::path& directory) {
  check_name("group", group);
  const std::string name = brokers + "/" + group;
  const std::lock_guard lock(held().mutex);
  if (held().names.count(name) > 0) refuse("'" + group + "' is running already: this process holds its lock");
  auto locked =
      std::make_unique<GroupLock>(name, directory.empty() ? FileLock() : lock_file(directory / ".locks", group));
  held().names.insert(name);
  return locked;
}

}  // namespace kappa::detail
