// kappa/replay/catalog.h: what the machine remembers of its replays: one file each, beside their state.
//
// "<state.directory>/<application>.<name>/replay.json": the plan as frozen, the application, the pipeline's
// fingerprint, and whether it is finished. A replay of the same name goes on from it.
//
// Threads:  one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kappa/replay/plan.h"

namespace kappa {

struct CatalogEntry {
  ReplayPlan plan;
  std::string application;
  std::string fingerprint;  // over all nodes of the graph
  bool finished = false;
};

class Catalog {
 public:
  /// `state_directory` is the setting state.directory.
  Catalog(std::filesystem::path state_directory, std::string application);
  [[nodiscard]] std::filesystem::path directory_of(const std::string& name) const;
  [[nodiscard]] std::optional<CatalogEntry> find(const std::string& name) const;
  /// Durable when it returns (written beside, synced, renamed).
  void put(const CatalogEntry& entry) const;

 private:
  std::filesystem::path state_directory_;
  std::string application_;
};

/// All replays named `name`, of whatever application, under a state directory.
[[nodiscard]] std::vector<CatalogEntry> find_replays(const std::filesystem::path& state_directory,
                                                     const std::string& name);

/// Of the whole graph: a resumed replay must have the same.
[[nodiscard]] std::string fingerprint_of(const Graph& graph);

}  // namespace kappa
