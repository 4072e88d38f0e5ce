// kappa/service/instance.h: which of an application's processes this one is, where the log shares out partitions.
//
// An instance has an id that no other has, and a directory below state.directory. Both are kept from one start to the
// next, so that a service that is restarted is the same member of its groups and finds its checkpoints. Several
// processes with one state.directory take the first that is free.
//
// Threads:  one.
// Owns:     <state.directory>/.instances/<application>@<n or id> (a lock) and ….id.
// Errors:   kappa::Error refused where an id that was asked for is in use; failed for I/O.
#pragma once

#include <filesystem>
#include <string>

#include "kappa/engine/log/local/file.h"

namespace kappa {

class Instance {
 public:
  /// `id` may be empty: then a random one is made at the first start.
  Instance(const std::filesystem::path& state_directory, const std::string& application, const std::string& id);

  [[nodiscard]] const std::string& id() const { return id_; }
  /// Of the directory that holds its state: "<application>" for the first, "<application>@<n or id>" for others.
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  bool try_take(const std::filesystem::path& state_directory, const std::string& application, const std::string& name);

  std::string id_, directory_;
  detail::FileLock lock_;
};

/// The directories below `parent` that hold state of the application's instances, other than `own`; sorted.
[[nodiscard]] std::vector<std::filesystem::path> other_instances(const std::filesystem::path& parent,
                                                                 const std::string& application,
                                                                 const std::string& own);

}  // namespace kappa
