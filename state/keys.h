// kappa/state/keys.h: how entries of many nodes share one database, and how tasks become directory names.
//
// A key in the database is the node's id (8 bytes, big-endian) followed by the node's own key. The id is FNV-1a 64 of
// the node's name. docs/FORMAT.md pins both.
//
// Threads:  pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kappa/engine/state_store.h"

namespace kappa::detail {

[[nodiscard]] std::uint64_t node_id(std::string_view name);
/// The 8 bytes in front of the keys of a node.
[[nodiscard]] std::string node_prefix(std::uint64_t id);

/// `<stage>-<partition>`; bytes of the stage outside [A-Za-z0-9._-], and a leading dot, are written %XX.
/// Throws Error{refused} if the name would be empty or too long for a file system.
[[nodiscard]] std::string task_directory_name(const TaskId& task);
/// The inverse; nothing for a name that task_directory_name() never returns.
[[nodiscard]] std::optional<TaskId> parse_task_directory_name(std::string_view name);

}  // namespace kappa::detail
