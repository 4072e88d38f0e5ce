// kappa/tests/service/program.h: the `kappa` program run as a user runs it, in a directory of its own.
//
// Threads:  one.
// Errors:   std::runtime_error for what the test could not do; the program's own failures are results.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::cli {

struct Outcome {
  int code = -1;  // exit code, or -1 - signal
  std::string out, err;
};

/// A program that runs beside the test.
class Running {
 public:
  Running(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment, std::string_view input);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  /// Returns once its output (both streams) holds `text`; throws after a minute or at its end.
  void until(std::string_view text);
  /// Its output so far, errors first.
  [[nodiscard]] std::string said() const { return seen_.err + seen_.out; }
  void signal(int number) const;
  [[nodiscard]] int pid() const { return pid_; }
  /// Its output and exit code, once it has ended; throws after a minute.
  Outcome wait();

 private:
  /// Reads what is there, waiting for it; false at the end of both streams.
  bool read_some();

  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  Outcome seen_;
};

/// A scratch directory, removed at the end, in which commands run.
class Place {
 public:
  Place();
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Outcome run(const std::vector<std::string>& arguments, std::string_view input = "") const;
  /// As run(), and throws unless the exit code is 0.
  Outcome good(const std::vector<std::string>& arguments, std::string_view input = "") const;
  [[nodiscard]] Running start(const std::vector<std::string>& arguments) const;

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, std::string_view text) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  /// Every file and directory below `name` with its size, locks left out: equal iff nothing was written.
  [[nodiscard]] std::vector<std::string> listing(const std::string& name = ".") const;
  /// The records of a topic as `kappa log read` prints them.
  [[nodiscard]] std::string topic(const std::string& name) const;

  std::map<std::string, std::string> environment;  // for the commands, beside the test's own

 private:
  std::filesystem::path directory_;
};

/// The pipeline most tests run: ten-second windows over topic `bids`, into topic `totals`.
[[nodiscard]] std::string pipeline(const std::string& application = "hot", int window_seconds = 10,
                                   const std::string& with = "partitioned_by = 'bidder'");
/// JSON lines {bidder, price, at}: a record every 100 ms from 2026-01-01, the first numbered `first`.
[[nodiscard]] std::string bids(int count, int first = 0);
/// Imports bids(count, first) into topic `bids`.
void import_bids(const Place& place, int count, int first);
/// A place with p.sql and `count` bids in topic `bids` (two partitions).
void fill(const Place& place, int count = 2000);

}  // namespace kappa::cli
