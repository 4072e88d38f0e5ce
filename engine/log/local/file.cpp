#include "kappa/engine/log/local/file.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"

namespace kappa::detail {
namespace {

constexpr int kSafe = O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kFileMode = 0600, kDirectoryMode = 0700;

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read: return O_RDONLY | kSafe;
    case OpenMode::write: return O_RDWR | kSafe;
    case OpenMode::create: return O_RDWR | O_CREAT | kSafe;
    case OpenMode::create_empty: return O_RDWR | O_CREAT | O_TRUNC | kSafe;
  }
  return O_RDONLY | kSafe;
}

}  // namespace

void fail_on(const char* action, const std::string& path) {
  fail("cannot " + std::string(action) + " " + path + ": " + std::generic_category().message(errno));
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::int64_t File::size() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) fail_on("examine", path_);
  return status.st_size;
}

std::uint64_t File::inode() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) fail_on("examine", path_);
  return status.st_ino;
}

std::int64_t File::read_at(char* out, std::int64_t size, std::int64_t at) const {
  std::int64_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd_.get(), out + done, static_cast<std::size_t>(size - done), at + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_on("read", path_);
    if (got == 0) break;
    done += got;
  }
  return done;
}

void File::write_at(std::string_view bytes, std::int64_t at) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_on("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    at += put;
  }
}

void File::truncate(std::int64_t size) const {
  if (::ftruncate(fd_.get(), size) != 0) fail_on("cut", path_);
}

bool File::sync() const {
  if (KAPPA_FAULT("log.sync")) {
    errno = EIO;
    return false;
  }
  return ::fdatasync(fd_.get()) == 0;
}

Directory Directory::open_root(const std::filesystem::path& path, bool create) {
  const std::filesystem::path full = std::filesystem::absolute(path);
  const std::string name = full.string();
  if (create) {
    std::error_code problem;
    if (full.has_parent_path()) std::filesystem::create_directories(full.parent_path(), problem);
    if (problem) fail("cannot create " + full.parent_path().string() + ": " + problem.message());
    if (::mkdir(name.c_str(), kDirectoryMode) != 0 && errno != EEXIST) fail_on("create", name);
  }
  Directory root(::open(name.c_str(), O_RDONLY | O_DIRECTORY | kSafe), name);
  if (!root.fd_.is_open()) {
    if (errno == ENOENT) refuse("there is no log at " + name + "; check log.directory");
    if (errno == ELOOP) refuse("the log directory " + name + " is a symbolic link; name the directory itself");
    fail_on("open", name);
  }
  struct stat status {};
  if (::fstat(root.fd_.get(), &status) != 0) fail_on("examine", name);
  if ((status.st_mode & S_IWOTH) != 0) {
    refuse("everybody may write to the log directory " + name + "; take that right away (chmod o-w)");
  }
  return root;
}

Directory Directory::subdirectory(const std::string& name) const {
  std::string path = path_ + "/" + name;
  const int fd = ::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | kSafe);
  if (fd < 0) fail_on("open", path);
  return {fd, std::move(path)};
}

Directory Directory::create_subdirectory(const std::string& name) const {
  if (::mkdirat(fd_.get(), name.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    fail_on("create", path_ + "/" + name);
  }
  return subdirectory(name);
}

File Directory::open(const std::string& name, OpenMode mode) const {
  File file = open_if_exists(name, mode);
  if (!file.is_open()) {
    errno = ENOENT;
    fail_on("open", path_ + "/" + name);
  }
  return file;
}

File Directory::open_if_exists(const std::string& name, OpenMode mode) const {
  File file(::openat(fd_.get(), name.c_str(), flags_of(mode), kFileMode), path_ + "/" + name);
  if (!file.is_open() && errno != ENOENT) fail_on("open", file.path());
  return file;
}

std::uint64_t Directory::inode_of(const std::string& name) const {
  struct stat status {};
  if (::fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status.st_ino;
  if (errno != ENOENT) fail_on("examine", path_ + "/" + name);
  return 0;
}

void Directory::rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) != 0) fail_on("rename", path_ + "/" + from);
}

void Directory::remove(const std::string& name) const {
  if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) fail_on("remove", path_ + "/" + name);
}

std::vector<std::string> Directory::names() const {
  const int fd = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_on("list", path_);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), &::closedir);
  if (stream == nullptr) fail_on("list", path_);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (const std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Directory::sync() const { return ::fsync(fd_.get()) == 0; }

FileLock FileLock::acquire(const Directory& directory, const std::string& name, std::chrono::milliseconds wait) {
  FileLock lock;
  File file = directory.open(name, OpenMode::create);
  // There is no flock() with a bound, so it is tried again at intervals that stay far below a commit's duration.
  for (std::int64_t waited_ms = 0; ::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0; ++waited_ms) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail_on("lock", file.path());
    if (waited_ms >= wait.count()) return lock;
    ::poll(nullptr, 0, 1);
  }
  const std::string holder = "process " + std::to_string(::getpid()) + " (" + program_invocation_short_name + ")\n";
  file.truncate(0);
  file.write_at(holder, 0);
  lock.file_ = std::move(file);
  return lock;
}

std::string FileLock::holder(const Directory& directory, const std::string& name) {
  std::string text(256, '\0');
  text.resize(static_cast<std::size_t>(directory.open(name, OpenMode::read).read_at(text.data(), 256, 0)));
  text.resize(std::min(text.size(), text.find('\n')));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return text.empty() ? "an unknown process" : text;
}

void check_name(const char* what, const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  if (!name.empty() && name.size() <= 249 && name != "." && name != ".." &&
      std::all_of(name.begin(), name.end(), is_allowed)) {
    return;
  }
  refuse("'" + name.substr(0, 260) + "' is no name for a " + what + ": 1 to 249 of A-Z a-z 0-9 . _ - are");
}

}  // namespace kappa::detail
