#include "kappa/replay/catalog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
constexpr const char* kFile = "replay.json";

void sync_path(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || ::fsync(fd) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    fail(fmt::format("{}: {}", path.string(), why));
  }
  ::close(fd);
}

CatalogEntry read_entry(const std::filesystem::path& file) {
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    const nlohmann::json j = nlohmann::json::parse(text);
    return {parse_replay_plan(j.at("plan").dump(), file.string()), j.at("application"), j.at("fingerprint"),
            j.at("finished")};
  } catch (const nlohmann::json::exception& error) {
    fail(fmt::format("{} is damaged ({}): remove it and give the replay another name", file.string(), error.what()));
  }
}
}  // namespace

Catalog::Catalog(std::filesystem::path state_directory, std::string application)
    : state_directory_(std::move(state_directory)), application_(std::move(application)) {}

std::filesystem::path Catalog::directory_of(const std::string& name) const {
  return state_directory_ / (application_ + "." + name);
}

std::optional<CatalogEntry> Catalog::find(const std::string& name) const {
  const std::filesystem::path file = directory_of(name) / kFile;
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_entry(file);
}

std::vector<CatalogEntry> find_replays(const std::filesystem::path& state_directory, const std::string& name) {
  std::vector<CatalogEntry> entries;
  if (!std::filesystem::exists(state_directory)) return entries;
  for (const auto& directory : std::filesystem::directory_iterator(state_directory))
    if (std::filesystem::exists(directory.path() / kFile))
      if (CatalogEntry entry = read_entry(directory.path() / kFile); entry.plan.spec.name == name)
        entries.push_back(std::move(entry));
  std::sort(entries.begin(), entries.end(),
            [](const CatalogEntry& a, const CatalogEntry& b) { return a.application < b.application; });
  return entries;
}

void Catalog::put(const CatalogEntry& entry) const {
  const std::filesystem::path directory = directory_of(entry.plan.spec.name);
  std::filesystem::create_directories(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  const nlohmann::ordered_json j{{"application", entry.application},
                                 {"fingerprint", entry.fingerprint},
                                 {"finished", entry.finished},
                                 {"plan", nlohmann::ordered_json::parse(to_json(entry.plan))}};
  const std::filesystem::path temporary = directory / "replay.json.tmp";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << j.dump(2) << "\n";
    if (!out.flush()) fail(fmt::format("{} cannot be written", temporary.string()));
  }
  sync_path(temporary, O_RDONLY);
  std::filesystem::rename(temporary, directory / kFile);
  sync_path(directory, O_RDONLY | O_DIRECTORY);
}

std::string fingerprint_of(const Graph& graph) {
  std::string text;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) text += graph.fingerprint(static_cast<int>(i));
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

}  // namespace kappa
