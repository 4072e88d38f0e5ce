// kappa/engine/group.h: how a log shares out partitions among the instances of an application.
//
// Threads:  a Membership belongs to one thread.
// Errors:   kappa::Error failed where a membership has ended for good, refused where it is not allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace kappa {

/// What befell a member of a group since it was asked last.
struct GroupChange {
  enum class Kind : std::uint8_t {
    none,
    assigned,  // the partitions are the member's own now
    revoked,   // commit what is done, then release()
    lost,      // they are another's already: nothing can be committed any more; release()
  } kind = Kind::none;
  std::vector<std::int32_t> partitions;  // of `assigned`, the same of each topic; may be empty
};

/// A place in a group, among whose members the log shares out the partitions of some topics.
class Membership {
 public:
  virtual ~Membership() = default;
  /// Never blocks. To be called often, also while nothing is assigned: a member that is silent for minutes is put out.
  [[nodiscard]] virtual GroupChange poll() = 0;
  /// Answers `revoked` and `lost`: the others may go on.
  virtual void release() = 0;
  /// How long a member that has died keeps its partitions.
  [[nodiscard]] virtual std::chrono::milliseconds session() const = 0;
};

struct GroupMember {
  std::string group;
  std::vector<std::string> topics;  // of equal partition counts
  /// Not empty: the member keeps its partitions if it comes back under this name before its session has timed out.
  std::string static_name;
  /// Producers that commit as this member publish at once, and commit positions afterwards: where that fails, results
  /// come again.
  bool at_least_once = false;
};

}  // namespace kappa
