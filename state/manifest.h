// kappa/state/manifest.h: manifest.json of a checkpoint: what it belongs to, and every file of it with size and
// checksum. RocksDB opens a database with a cut MANIFEST at an older state without a word; this one is why that cannot
// happen here.
//
// Threads:  values; pure functions, and such that only read files.
// Errors:   Error{failed}; those that read files name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/state_store.h"
#include "kappa/state/files.h"

namespace kappa::detail {

inline constexpr const char* kManifestName = "manifest.json";

struct FileEntry {
  std::string name;
  std::uint64_t size = 0;
  std::string xxh3;
  bool operator==(const FileEntry&) const = default;
};

struct Manifest {
  TaskId task;
  CheckpointMeta meta;
  std::vector<std::string> nodes;  // names, ascending; their ids are node_id(name)
  std::vector<FileEntry> files;    // all but manifest.json, ascending by name
};

/// One JSON object; its last member is the checksum of all bytes before it.
[[nodiscard]] std::string encode_manifest(const Manifest& manifest);
[[nodiscard]] Manifest decode_manifest(std::string_view bytes);

/// `<sequence, 10 digits>-<id>`.
[[nodiscard]] std::string checkpoint_directory_name(const CheckpointMeta& meta);
/// Reads and checks the manifest of a checkpoint directory, and that the directory has the name that belongs to it.
[[nodiscard]] Manifest read_manifest(const Path& checkpoint);
/// Throws Error{failed} if the file is missing or has another size.
void check_size(const Path& file, const FileEntry& expected);
/// The same for its bytes. `file` is named in the error, `where` (it, or a link or copy of it) is read.
FileDigest check_content(const Path& file, const Path& where, const FileEntry& expected);
/// Throws KAPPA_CHECK's error: ids and sequences come from the engine.
void check_meta(const CheckpointMeta& meta);

}  // namespace kappa::detail
