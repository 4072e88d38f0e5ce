// Signals, progress and tables.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "kappa/service/context.h"
#include "kappa/service/messages.h"

namespace kappa {

namespace {
std::atomic<int> received{0};
bool drawn = false;

std::stop_source& stopper() {
  static std::stop_source source;
  return source;
}
}  // namespace

// A thread waits for the signals, so that stopping runs ordinary code and not a signal handler. All threads made later
// inherit the mask.
void install_signals() {
  static std::atomic<bool> installed{false};
  if (installed.exchange(true)) return;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    for (;;) {
      int number = 0;
      if (sigwait(&signals, &number) != 0) continue;
      if (received.exchange(number) != 0) _exit(128 + number);
      stopper().request_stop();
    }
  }).detach();
}

std::stop_token signal_stop() { return stopper().get_token(); }

int signal_exit_code() { return received.load() == 0 ? 0 : 128 + received.load(); }

void show_progress(const std::string& line) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!terminal || message_format().json) return;
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  drawn = true;
}

void end_progress() {
  if (drawn) fmt::print(stderr, "\n");
  drawn = false;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  const auto length = [](const std::string& s) {  // code points
    return static_cast<std::size_t>(
        std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (width.size() <= c) width.push_back(0);
      width[c] = std::max(width[c], length(row[c]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) line += row[c] + std::string(width[c] - length(row[c]) + 2, ' ');
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

}  // namespace kappa
