#include "kappa/tests/campaign/instance.h"

#include <signal.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "kappa/engine/kill_region.h"

namespace kappa::campaign {

namespace fs = std::filesystem;

Instance::Instance(const std::string& name, const std::string& sql, testkit::Settings settings)
    : settings_(std::move(settings)) {
  std::string path = (fs::temp_directory_path() / ("kappa-" + name + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = path;
  std::ofstream(directory_ / "pipeline.sql") << sql;
  settings_.push_back("state.directory=" + (directory_ / "state").string());
}

Instance::~Instance() {
  if (process_) process_->send(SIGCONT);  // held processes are killed too
  process_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Instance::start(const std::map<std::string, std::string>& extra, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{KAPPA_PROGRAM, "run", "pipeline.sql"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (const std::string& setting : settings_) words.insert(words.end(), {"--set", setting});
  std::map<std::string, std::string> environment = extra;
  environment["KAPPA_INSIDE"] = directory_ / "inside";
  std::ofstream(directory_ / "inside", std::ios::binary) << std::string(detail::kKillRegionBytes, '\0');
  process_.reset();
  process_ = std::make_unique<testkit::Process>(words, environment, directory_);
}

bool Instance::is_running() { return process_ && !process_->has_ended(); }

void Instance::tend() {
  if (!supervised || !process_ || !process_->has_ended()) return;
  const testkit::Exit exit = wait();
  if (exit.signal == 0 && exit.code != 4)
    throw std::runtime_error("kappa run ended with code " + std::to_string(exit.code) +
                             ", and no supervisor starts it again:\n" + exit.errors);
  ++restarts;
  start(variables);
}

void Instance::send(int signal) const {
  if (process_) process_->send(signal);
}

testkit::Exit Instance::wait() {
  testkit::Exit exit = process_->wait();
  process_.reset();
  exits.push_back(exit);
  for (const char* text : {"defect of kappa", "do not add up", "must hold"})
    if (exit.errors.find(text) != std::string::npos) throw std::runtime_error(exit.errors);
  return exit;
}

void Instance::stop() {
  if (!process_) return;
  send(SIGTERM);
  const testkit::Exit exit = wait();
  if (exit.signal == SIGTERM) return;  // it had only just begun
  if (exit.signal != 0 || (exit.code != 0 && exit.code != 143 && exit.code != 4))
    throw std::runtime_error("SIGTERM ended kappa run with code " + std::to_string(exit.code) + ", signal " +
                             std::to_string(exit.signal) + ":\n" + exit.errors);
}

void Instance::note(Landed& landed) const {
  std::ifstream in(directory_ / "inside", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::int32_t inside[2] = {};
  if (bytes.size() != sizeof inside) throw std::runtime_error("the regions of a process are gone");
  std::memcpy(inside, bytes.data(), sizeof inside);
  ++landed.injected;
  landed.in_commit += inside[static_cast<std::size_t>(detail::KillRegion::commit)] > 0 ? 1 : 0;
  landed.in_checkpoint += inside[static_cast<std::size_t>(detail::KillRegion::checkpoint)] > 0 ? 1 : 0;
}

void Instance::remove_state() const { fs::remove_all(directory_ / "state"); }

}  // namespace kappa::campaign
