// kappa/engine/log/kafka/group_lock.h: one run of a group at a time in this process and, with a directory, on this
// machine.
//
// Between machines there is no lock: the producers of a newer run fence those of the older one, which then ends.
//
// Threads:  safe from any thread.
// Owns:     the lock file; it ends with the object or the process.
// Errors:   kappa::Error refused, naming the holder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kappa/engine/log.h"

namespace kappa::detail {

/// `directory` may be empty.
[[nodiscard]] std::unique_ptr<RunLock> lock_kafka_group(const std::string& brokers, const std::string& group,
                                                        const std::filesystem::path& directory);

}  // namespace kappa::detail
