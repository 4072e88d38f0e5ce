#include "kappa/service/instance.h"

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/random_id.h"

namespace kappa {

namespace {
constexpr const char* kInstances = ".instances";
constexpr int kInstancesMax = 256;
constexpr std::size_t kIdDigits = 12;

// Kept in a file beside the lock; made once, whole.
std::string kept_id(const detail::Directory& directory, const std::string& name) {
  const std::string file = name + ".id";
  if (const detail::File kept = directory.open_if_exists(file, detail::OpenMode::read); kept.is_open()) {
    std::string id(kIdDigits, '\0');
    if (kept.read_at(id.data(), static_cast<std::int64_t>(kIdDigits), 0) == static_cast<std::int64_t>(kIdDigits))
      return id;
  }
  const std::string id = random_id().substr(0, kIdDigits);
  const detail::File fresh = directory.open(file + ".tmp", detail::OpenMode::create_empty);
  fresh.write_at(id, 0);
  if (!fresh.sync()) detail::fail_on("write", fresh.path());
  directory.rename(file + ".tmp", file);
  return id;
}
}  // namespace

Instance::Instance(const std::filesystem::path& state_directory, const std::string& application,
                   const std::string& id) {
  if (!id.empty()) {
    detail::check_name("instance.id", id);
    if (!try_take(state_directory, application, id))
      refuse("instance \"" + id + "\" of \"" + application +
             "\" is running already with this state.directory: give another instance.id, or none");
    id_ = id;
    return;
  }
  for (int n = 1; n <= kInstancesMax; ++n)
    if (try_take(state_directory, application, std::to_string(n))) return;
  refuse(std::to_string(kInstancesMax) + " instances of \"" + application + "\" run with this state.directory");
}

bool Instance::try_take(const std::filesystem::path& state_directory, const std::string& application,
                        const std::string& name) {
  const detail::Directory root = detail::Directory::open_root(state_directory, true);
  const detail::Directory directory = root.create_subdirectory(kInstances);
  const std::string file = application + "@" + name;  // no name of either holds an @
  lock_ = detail::FileLock::acquire(directory, file, std::chrono::milliseconds(0));
  if (!lock_.is_held()) return false;
  id_ = kept_id(directory, file);
  directory_ = name == "1" ? application : application + "@" + name;
  return true;
}

std::vector<std::filesystem::path> other_instances(const std::filesystem::path& parent, const std::string& application,
                                                   const std::string& own) {
  std::vector<std::filesystem::path> others;
  if (!std::filesystem::exists(parent)) return others;
  for (const auto& entry : std::filesystem::directory_iterator(parent)) {
    const std::string name = entry.path().filename().string();
    if (name != own && (name == application || name.rfind(application + "@", 0) == 0)) others.push_back(entry.path());
  }
  std::sort(others.begin(), others.end());
  return others;
}

}  // namespace kappa
