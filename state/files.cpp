#include "kappa/state/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"

namespace kappa::detail {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

[[noreturn]] void fail_on(const char* action, const Path& path) {
  const int reason = errno;
  fail(std::string("cannot ") + action + " " + path.string() + ": " + std::strerror(reason));
}

class Descriptor {
 public:
  Descriptor(const Path& path, int flags, const char* action)
      : path_(path), value_(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (value_ < 0) fail_on(action, path);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }

  [[nodiscard]] struct stat stat() const {
    struct stat info {};
    if (::fstat(value_, &info) != 0) fail_on("stat", path_);
    if (!S_ISREG(info.st_mode)) fail(path_.string() + " is not a regular file");
    return info;
  }
  [[nodiscard]] std::size_t read(char* into, std::size_t size) const {
    for (;;) {
      const ssize_t got = ::read(value_, into, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail_on("read", path_);
    }
  }
  void write(std::string_view bytes) const {
    const bool disk_is_full = KAPPA_FAULT("state.write");
    if (disk_is_full) bytes = bytes.substr(0, bytes.size() / 2);
    while (!bytes.empty()) {
      const ssize_t done = ::write(value_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail_on("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    if (!disk_is_full) return;
    errno = ENOSPC;
    fail_on("write", path_);
  }
  void sync() const {
    const bool fails = KAPPA_FAULT("state.sync");
    if (fails) errno = EIO;
    if (fails || ::fsync(value_) != 0) fail_on("sync", path_);
  }

 private:
  Path path_;
  int value_;
};

std::string hex(const XXH128_hash_t& hash) {
  static constexpr char kHex[] = "0123456789abcdef";
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::string out;
  for (const unsigned char byte : canonical.digest) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

void check_private(const Path& directory) {
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0) fail_on("stat", directory);
  if (S_ISLNK(info.st_mode)) refuse(directory.string() + " is a symbolic link; give the directory itself");
  if (!S_ISDIR(info.st_mode)) refuse(directory.string() + " is not a directory");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    refuse("others may write to " + directory.string() + "; run: chmod go-w " + directory.string());
  }
}

}  // namespace

void make_private_directories(const Path& directory) {
  Path part;
  for (const Path& name : directory) {
    part /= name;
    if (part.empty() || ::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int reason = errno;
    struct stat info {};
    if (::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    errno = reason;
    fail_on("create", part);
  }
  check_private(directory);
}

void make_private_directory(const Path& directory) {
  if (::chmod(directory.c_str(), 0700) != 0) fail_on("change the mode of", directory);
}

void make_private_file(const Path& file) {
  if (::chmod(file.c_str(), 0600) != 0) fail_on("change the mode of", file);
}

std::string xxh3_hex(std::string_view bytes) { return hex(XXH3_128bits(bytes.data(), bytes.size())); }

FileDigest digest_file(const Path& file) {
  const Descriptor in(file, O_RDONLY, "open");
  const struct stat info = in.stat();
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  FileDigest digest{.size = 0, .inode = info.st_ino, .xxh3 = {}};
  while (const std::size_t got = in.read(block.get(), kBlockBytes)) {
    XXH3_128bits_update(state.get(), block.get(), got);
    digest.size += got;
  }
  digest.xxh3 = hex(XXH3_128bits_digest(state.get()));
  return digest;
}

FileDigest stat_file(const Path& file) {
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0) fail_on("stat", file);
  if (!S_ISREG(info.st_mode)) fail(file.string() + " is not a regular file");
  return {.size = static_cast<std::uint64_t>(info.st_size), .inode = info.st_ino, .xxh3 = {}};
}

bool path_exists(const Path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string read_file(const Path& file, std::uint64_t size_max) {
  const Descriptor in(file, O_RDONLY, "open");
  const auto size = static_cast<std::uint64_t>(in.stat().st_size);
  if (size > size_max) fail(file.string() + " is too large: " + std::to_string(size) + " bytes");
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (const std::size_t got = in.read(bytes.data() + done, bytes.size() - done)) done += got;
  bytes.resize(done);
  return bytes;
}

void write_file(const Path& file, std::string_view bytes) {
  const Descriptor out(file, O_WRONLY | O_CREAT | O_EXCL, "create");
  out.write(bytes);
  out.sync();
}

void copy_private_file(const Path& from, const Path& to) {
  const Descriptor in(from, O_RDONLY, "open");
  const Descriptor out(to, O_WRONLY | O_CREAT | O_EXCL, "create");
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  while (const std::size_t got = in.read(block.get(), kBlockBytes)) out.write({block.get(), got});
  out.sync();
}

bool hard_link(const Path& from, const Path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  if (errno == EXDEV || errno == EPERM || errno == EMLINK || errno == ENOTSUP) return false;
  fail_on("link", from);
}

void sync_directory(const Path& directory) { Descriptor(directory, O_RDONLY | O_DIRECTORY, "open").sync(); }

void rename_path(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_on("rename", from);
}

void remove_tree(const Path& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) fail("cannot remove " + directory.string() + ": " + error.message());
}

std::vector<std::string> list_directory(const Path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    fail("cannot list " + directory.string() + ": " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kappa::detail
