#include "kappa/tests/identity/arena.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "kappa/engine/kill_region.h"

namespace kappa::testkit {

namespace {
std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string show(const PublishedRecord& record) {
  std::string text =
      record.key.value_or("null") + " " + record.value.value_or("null") + " @" + std::to_string(record.timestamp_ms);
  for (const auto& [name, value] : record.headers) text.append(" ").append(name).append("=").append(value);
  return text;
}

// In memory where that is possible: a kill does not lose what only the disk could lose, and checkpoints wait for it.
std::filesystem::path new_directory() {
  const bool in_memory = std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK) == 0;
  const std::filesystem::path parent = in_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
  std::string name = (parent / "kappa-identity-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  return name;
}

PublishedRecord record_of(const RecordView& view) {
  PublishedRecord record;
  if (!view.key_is_null()) record.key = view.key();
  if (!view.value_is_null()) record.value = view.value();
  record.timestamp_ms = view.timestamp_ms;
  for (const Header& header : headers_of(view))
    if (header.name != "kappa-run") record.headers.emplace_back(header.name, header.value);
  std::sort(record.headers.begin(), record.headers.end());
  return record;
}

std::string header(const PublishedRecord& record, const std::string& name) {
  for (const auto& [each, value] : record.headers)
    if (each == name) return value;
  return {};
}
}  // namespace

std::string difference(const Published& want, const Published& got) {
  std::string text;
  Published all = want;
  for (const auto& [name, records] : got) all.try_emplace(name);
  for (const auto& [name, records] : all) {
    const auto found = got.find(name);
    const std::vector<PublishedRecord> other = found == got.end() ? std::vector<PublishedRecord>() : found->second;
    const auto [a, b] = std::mismatch(records.begin(), records.end(), other.begin(), other.end());
    if (a == records.end() && b == other.end()) continue;
    text += name + " differs at record " + std::to_string(a - records.begin()) + " (" + std::to_string(records.size()) +
            " wanted, " + std::to_string(other.size()) + " found)\n  wanted " +
            (a == records.end() ? "nothing" : show(*a)) + "\n  found  " + (b == other.end() ? "nothing" : show(*b)) +
            "\n";
  }
  return text;
}

void operator+=(Kills& a, const Kills& b) {
  a.all += b.all;
  a.in_commit += b.in_commit;
  a.in_checkpoint += b.in_checkpoint;
}

std::string to_string(const Kills& kills) {
  return std::to_string(kills.all) + " kills, " + std::to_string(kills.in_commit) + " inside a commit, " +
         std::to_string(kills.in_checkpoint) + " inside a checkpoint";
}

Process::Process(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
                 const std::filesystem::path& directory)
    : out_(directory / "out"), errors_(directory / "errors") {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each)
    if (std::string(*each).rfind("KAPPA_", 0) != 0) variables.emplace_back(*each);
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<std::string> words = arguments;
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int errors = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  // A signal for the program must not reach Catch2's handlers, which the child has until it becomes the program.
  sigset_t term, before;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  child_ = ::fork();
  if (child_ == 0) {
    ::signal(SIGTERM, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::dup2(out, 1);
    ::dup2(errors, 2);
    if (::chdir(directory.c_str()) == 0) ::execve(argv.front(), argv.data(), envp.data());
    ::_exit(127);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(out);
  ::close(errors);
  if (child_ < 0) throw std::runtime_error("fork failed");
}

Process::~Process() {
  if (status_) return;
  ::kill(child_, SIGKILL);
  int status = 0;
  ::waitpid(child_, &status, 0);
}

void Process::send(int signal) const {
  if (!status_) ::kill(child_, signal);
}

bool Process::is_held() const {
  siginfo_t info{};
  return child_ > 0 && ::waitid(P_PID, static_cast<id_t>(child_), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == child_;
}

bool Process::has_ended() {
  int status = 0;
  if (!status_ && ::waitpid(child_, &status, WNOHANG) == child_) status_ = status;
  return status_.has_value();
}

Exit Process::wait() {
  int status = 0;
  if (!status_ && ::waitpid(child_, &status, 0) == child_) status_ = status;
  Exit exit;
  exit.code = WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -1;
  exit.signal = WIFSIGNALED(*status_) ? WTERMSIG(*status_) : 0;
  exit.out = file_text(out_);
  exit.errors = file_text(errors_);
  return exit;
}

Arena::Arena(const Scenario& scenario) : scenario_(scenario), directory_(new_directory()) {
  std::ofstream(directory_ / "pipeline.sql") << scenario.sql;
  LocalLogOptions options;
  options.directory = directory_ / "log";
  options.sync_on_commit = false;
  log_ = open_local_log(options);
  for (const auto& [topic, partitions] : scenario.topics) log_->create_topic(topic, partitions);
  producer_ = log_->open_producer("feed");
}

Arena::~Arena() {
  producer_.reset();
  log_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Arena::feed(std::size_t to) {
  for (; fed_ < std::min(to, scenario_.input.size()); ++fed_) {
    const InputRecord& in = scenario_.input[fed_];
    OutRecord out;
    out.key_is_null = !in.key;
    out.value_is_null = !in.value;
    if (in.key) out.key = *in.key;
    if (in.value) out.value = *in.value;
    out.timestamp_ms = in.timestamp_ms;
    producer_->append({in.topic, in.partition}, {&out, 1});
  }
  if (producer_->commit("", {}) != CommitOutcome::committed) throw std::runtime_error("the input was not committed");
}

std::unique_ptr<Process> Arena::start(const std::string& verb, const std::vector<std::string>& arguments,
                                      const Settings& settings, const std::string& kill_point) {
  std::vector<std::string> words{KAPPA_PROGRAM, verb, "pipeline.sql"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  Settings all{"log.directory=" + (directory_ / "log").string(), "state.directory=" + (directory_ / "state").string(),
               "log.sync=never"};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const std::string& setting : all) words.insert(words.end(), {"--set", setting});
  std::ofstream(directory_ / "inside", std::ios::binary) << std::string(detail::kKillRegionBytes, '\0');
  std::map<std::string, std::string> environment = variables;
  environment["KAPPA_INSIDE"] = directory_ / "inside";
  if (!kill_point.empty()) environment["KAPPA_KILL"] = kill_point;
  return std::make_unique<Process>(words, environment, directory_);
}

Exit Arena::call(const std::string& verb, const std::vector<std::string>& arguments, const Settings& settings,
                 const std::string& kill_point) {
  Exit exit = start(verb, arguments, settings, kill_point)->wait();
  count_kill(exit, false);
  return exit;
}

void Arena::count_kill(const Exit& exit, bool at_any_moment) {
  if (exit.signal != SIGKILL) return;
  std::int32_t inside[2] = {};
  const std::string bytes = file_text(directory_ / "inside");
  if (bytes.size() != sizeof inside) throw std::runtime_error("the regions of a killed process are gone");
  std::memcpy(inside, bytes.data(), sizeof inside);
  const auto is_inside = [&](detail::KillRegion region) {
    return inside[static_cast<std::size_t>(region)] > 0 ? 1 : 0;
  };
  (at_any_moment ? kills_at_any_moment : kills_at_points) +=
      Kills{1, is_inside(detail::KillRegion::commit), is_inside(detail::KillRegion::checkpoint)};
  published_at_kills.push_back(published_count());
}

Exit Arena::finish(const Settings& settings, const std::vector<std::string>& arguments) {
  Exit exit = call("run", arguments, settings);
  if (exit.code == 0) return exit;
  throw std::runtime_error(scenario_.name + ": kappa run ended with code " + std::to_string(exit.code) + ", signal " +
                           std::to_string(exit.signal) + ": " + exit.errors);
}

void Arena::remove_checkpoints() const {
  for (const auto& run : std::filesystem::directory_iterator(directory_ / "state"))
    std::filesystem::remove_all(run.path() / "checkpoints");
}

std::int64_t Arena::published_count(const std::string& run) {
  const std::string topic = scenario_.sink + (run.empty() ? "" : "." + run);
  const auto info = log_->topic(topic);
  std::int64_t count = 0;
  for (std::int32_t p = 0; info && p < info->partitions; ++p) count += log_->end_offset({topic, p});
  return count;
}

void Arena::collect(const std::string& what, const std::string& topic, bool by_source, Published& all) {
  const auto info = log_->topic(topic);
  for (std::int32_t p = 0; info && p < info->partitions; ++p) {
    const TopicPartition at{topic, p};
    const std::unique_ptr<Reader> reader = log_->open_reader(at, log_->start_offset(at));
    const std::int64_t end = log_->end_offset(at);
    RecordBlock block;
    while (reader->position() < end) {
      reader->read(block, 4096, end);
      for (const RecordView& view : block.records) {
        PublishedRecord record = record_of(view);
        std::string name = what + "-" + std::to_string(p);
        if (by_source) name = what + " of " + header(record, "kappa-topic") + "-" + header(record, "kappa-partition");
        all[name].push_back(std::move(record));
      }
    }
  }
}

Published Arena::published(const std::string& run) {
  Published all;
  const std::string suffix = run.empty() ? "" : "." + run;
  collect("sink", scenario_.sink + suffix, false, all);
  collect("late", scenario_.application + "-late" + suffix, true, all);
  collect("dead", scenario_.application + "-dead-letters" + suffix, true, all);
  // Behind a repartition a late record does not name its source: it is a set.
  for (auto& [name, records] : all)
    if (name == "late of -" || name == "dead of -")
      std::sort(records.begin(), records.end(),
                [](const PublishedRecord& a, const PublishedRecord& b) { return show(a) < show(b); });
  return all;
}

}  // namespace kappa::testkit
