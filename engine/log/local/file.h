// kappa/engine/log/local/file.h: files and directories of the embedded log: no symbolic links, 0600 and 0700, errors
// with the path.
//
// Threads:  values that own a descriptor; a File may be read (read_at) from several threads.
// Owns:     descriptors, closed by the destructor; move only.
// Errors:   kappa::Error `failed` with path and system error, unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kappa::detail {

/// "cannot X PATH: reason", from errno.
[[noreturn]] void fail_on(const char* action, const std::string& path);

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class File {
 public:
  File() = default;
  File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  [[nodiscard]] bool is_open() const { return fd_.is_open(); }
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::int64_t size() const;
  /// The file's identity; survives renames, differs between two files that exist at the same time.
  [[nodiscard]] std::uint64_t inode() const;
  /// Reads until `size` bytes or the end of the file; how many it got.
  [[nodiscard]] std::int64_t read_at(char* out, std::int64_t size, std::int64_t at) const;
  void write_at(std::string_view bytes, std::int64_t at) const;
  void truncate(std::int64_t size) const;
  /// Data to the disk; false, with errno, when that failed: what was written may be lost then, and trying again lies.
  [[nodiscard]] bool sync() const;

 private:
  Descriptor fd_;
  std::string path_;
};

enum class OpenMode : std::uint8_t {
  read,          // must exist
  write,         // must exist; read and write
  create,        // read and write, created if missing
  create_empty,  // read and write, emptied if it exists
};

class Directory {
 public:
  Directory() = default;
  /// Opens it; with `create`, makes it and its parents. Refused if others may write to it.
  static Directory open_root(const std::filesystem::path& path, bool create);

  [[nodiscard]] Directory subdirectory(const std::string& name) const;
  /// As subdirectory, created if missing (not synced: see sync()).
  [[nodiscard]] Directory create_subdirectory(const std::string& name) const;
  [[nodiscard]] File open(const std::string& name, OpenMode mode) const;
  /// The same, but a missing file is a closed File.
  [[nodiscard]] File open_if_exists(const std::string& name, OpenMode mode) const;
  /// 0 if there is no such file.
  [[nodiscard]] std::uint64_t inode_of(const std::string& name) const;
  void rename(const std::string& from, const std::string& to) const;
  void remove(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  /// Names that were made, renamed or removed to the disk; false, with errno, when that failed.
  [[nodiscard]] bool sync() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Directory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Descriptor fd_;
  std::string path_;
};

/// An exclusive lock on a file of `directory` among all threads and processes; the file names its holder. Ends with the
/// object or the process.
class FileLock {
 public:
  FileLock() = default;
  /// Waits at most `wait`; a closed lock if somebody else holds it then.
  static FileLock acquire(const Directory& directory, const std::string& name, std::chrono::milliseconds wait);
  [[nodiscard]] bool is_held() const { return file_.is_open(); }
  /// "process 4711 (kappa)", as the holder wrote it, for messages.
  [[nodiscard]] static std::string holder(const Directory& directory, const std::string& name);

 private:
  File file_;
};

/// Refuses all but 1–249 of [A-Za-z0-9._-], "." and "..": such a name is safe as a file's. `what` goes into the
/// message.
void check_name(const char* what, const std::string& name);

}  // namespace kappa::detail
