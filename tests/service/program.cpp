#include "kappa/tests/service/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace kappa::cli {

namespace fs = std::filesystem;

namespace {
constexpr int kPatienceMs = 60'000;

// What a command sees on standard input: a file, so that nobody has to feed a pipe.
int input_file(std::string_view text) {
  char name[] = "/tmp/kappa_cli_input_XXXXXX";
  const int fd = ::mkostemp(name, O_CLOEXEC);
  ::unlink(name);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("no input file");
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (const std::string text = *variable; more.count(text.substr(0, text.find('='))) == 0) all.push_back(text);
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

// Not by fork(): the test has threads, whose locks a copy of it would wait for.
pid_t spawn(const fs::path& directory, std::vector<std::string> arguments,
            const std::map<std::string, std::string>& environment, const int (&descriptors)[3]) {
  arguments.insert(arguments.begin(), "kappa");
  std::vector<std::string> variables = environment_with(environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; ++fd) ::posix_spawn_file_actions_adddup2(&actions, descriptors[fd], fd);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  pid_t pid = -1;
  const int problem =
      ::posix_spawn(&pid, KAPPA_PROGRAM, &actions, nullptr, pointers(arguments).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw std::runtime_error(std::string("the program cannot be started: ") + std::strerror(problem));
  return pid;
}
}  // namespace

Running::Running(const fs::path& directory, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment, std::string_view input) {
  int out[2], err[2];
  const int in = input_file(input);
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = spawn(directory, arguments, environment, {in, out[1], err[1]});
  ::close(in);
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Running::~Running() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {out_, err_})
    if (fd >= 0) ::close(fd);
}

bool Running::read_some() {
  pollfd both[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};  // a closed one is -1, which poll() leaves out
  if (out_ < 0 && err_ < 0) return false;
  if (::poll(both, 2, kPatienceMs) <= 0)
    throw std::runtime_error("the program says nothing for a minute; so far:\n" + seen_.out + seen_.err);
  char bytes[65536];
  for (const bool is_out : {true, false}) {
    int& fd = is_out ? out_ : err_;
    if (fd < 0 || both[is_out ? 0 : 1].revents == 0) continue;
    const ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n > 0) {
      (is_out ? seen_.out : seen_.err).append(bytes, static_cast<std::size_t>(n));
    } else {
      ::close(fd);
      fd = -1;
    }
  }
  return true;
}

void Running::until(std::string_view text) {
  while (seen_.out.find(text) == std::string::npos && seen_.err.find(text) == std::string::npos)
    if (!read_some()) throw std::runtime_error("it ended without \"" + std::string(text) + "\":\n" + seen_.err);
}

void Running::signal(int number) const { ::kill(pid_, number); }

Outcome Running::wait() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  seen_.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
  return seen_;
}

Place::Place() {
  std::string name = (fs::temp_directory_path() / "kappa_cli_XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no scratch directory");
  directory_ = name;
}

Place::~Place() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

Running Place::start(const std::vector<std::string>& arguments) const {
  return Running(directory_, arguments, environment, "");
}

Outcome Place::run(const std::vector<std::string>& arguments, std::string_view input) const {
  return Running(directory_, arguments, environment, input).wait();
}

Outcome Place::good(const std::vector<std::string>& arguments, std::string_view input) const {
  Outcome outcome = run(arguments, input);
  std::string command;
  for (const std::string& argument : arguments) command += " " + argument;
  if (outcome.code != 0)
    throw std::runtime_error(fmt::format("kappa{} ended with {}:\n{}", command, outcome.code, outcome.err));
  return outcome;
}

void Place::write(const std::string& name, std::string_view text) const {
  std::ofstream(path(name), std::ios::binary) << text;
}

std::string Place::read(const std::string& name) const {
  std::ifstream in(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> Place::listing(const std::string& name) const {
  std::vector<std::string> lines;
  if (!fs::exists(path(name))) return lines;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path(name)))
    if (const fs::path parent = entry.path().parent_path().filename(); parent != "locks")
      lines.push_back(fmt::format("{} {}", fs::relative(entry.path(), directory_).string(),
                                  entry.is_regular_file() ? entry.file_size() : 0));
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string Place::topic(const std::string& name) const { return good({"log", "read", name}).out; }

std::string pipeline(const std::string& application, int window_seconds, const std::string& with) {
  return fmt::format(R"(SET application.id = '{}';
CREATE TABLE bids (bidder bigint, price bigint, at timestamptz)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s'{}{});
CREATE MATERIALIZED VIEW totals WITH (topic = 'totals') AS
  SELECT bidder, window_start, window_end, count(*) AS bids, sum(price) AS total
  FROM TUMBLE(bids, at, INTERVAL '{} seconds')
  GROUP BY bidder, window_start, window_end;
)",
                     application, with.empty() ? "" : ", ", with, window_seconds);
}

std::string bids(int count, int first) {
  std::string lines;
  for (int i = first; i < first + count; ++i)
    lines += fmt::format("{{\"bidder\":{},\"price\":{},\"at\":{}}}\n", i % 7, i,
                         1'767'225'600'000 + static_cast<std::int64_t>(i) * 100);
  return lines;
}

void import_bids(const Place& place, int count, int first) {
  place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at"}, bids(count, first));
}

void fill(const Place& place, int count) {
  place.write("p.sql", pipeline());
  place.good({"log", "import", "bids", "-", "--key", "bidder", "--timestamp", "at", "--partitions", "2"}, bids(count));
}

}  // namespace kappa::cli
