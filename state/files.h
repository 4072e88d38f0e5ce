// kappa/state/files.h: the few things that checkpoints ask of a file system, each with the file's name in its error.
//
// Directories are made 0700 and files 0600; nothing follows a symbolic link. A failed fsync is never retried: the pages
// may be gone.
//
// Threads:  any; no shared state.
// Errors:   Error{failed} with the path and the system's reason; Error{refused} for a directory that others may change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::detail {

using Path = std::filesystem::path;

struct FileDigest {
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::string xxh3;  // XXH3-128, 32 hex digits
};

/// Makes what is missing of the path. The last component must be a directory, no link, and writable by its owner only.
void make_private_directories(const Path& directory);

/// Takes the rights of others on a directory (or file) of ours away.
void make_private_directory(const Path& directory);
void make_private_file(const Path& file);

[[nodiscard]] std::string xxh3_hex(std::string_view bytes);
[[nodiscard]] FileDigest digest_file(const Path& file);
/// Size and inode only.
[[nodiscard]] FileDigest stat_file(const Path& file);
/// False where the path names nothing.
[[nodiscard]] bool path_exists(const Path& path);
/// Requires: the file is not longer than `size_max`, else Error{failed}.
[[nodiscard]] std::string read_file(const Path& file, std::uint64_t size_max);
/// The file must not exist yet. Synced.
void write_file(const Path& file, std::string_view bytes);
/// `to` must not exist yet. Synced.
void copy_private_file(const Path& from, const Path& to);
/// False where the two lie on different file systems (or linking is not allowed): copy instead.
[[nodiscard]] bool hard_link(const Path& from, const Path& to);
void sync_directory(const Path& directory);
void rename_path(const Path& from, const Path& to);
/// Removes a directory and what it holds; nothing to remove is fine.
void remove_tree(const Path& directory);
/// Names in a directory, ascending; empty where the directory does not exist.
[[nodiscard]] std::vector<std::string> list_directory(const Path& directory);

}  // namespace kappa::detail
