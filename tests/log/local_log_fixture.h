// kappa/tests/log/local_log_fixture.h: an embedded log in a temporary directory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "kappa/engine/log/local/local_log.h"
#include "kappa/tests/log/log_contract.h"

namespace kappa::testkit {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "kappa-log-XXXXXX") {
    std::string name = path_.string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A log that does not sync (its tests kill processes, never the machine), with sizes small enough to roll often.
struct LocalLogFixture {
  TemporaryDirectory directory;
  LocalLogOptions options{.directory = directory.path() / "log", .sync_on_commit = false};
  TopicPartition at{"bids", 0};

  [[nodiscard]] std::unique_ptr<LocalLog> open() const { return open_local_log(options); }
  [[nodiscard]] LogFactory factory() const {
    return {[this] { return std::unique_ptr<Log>(open()); }};
  }
  [[nodiscard]] std::filesystem::path journal() const { return options.directory / "journal" / "journal"; }
  [[nodiscard]] std::filesystem::path segment(std::int64_t base) const {
    std::string digits = std::to_string(base);
    return options.directory / "topics" / at.topic / std::to_string(at.partition) /
           (std::string(20 - digits.size(), '0') + digits + ".log");
  }
};

[[nodiscard]] inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spew(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace kappa::testkit
