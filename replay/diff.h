// kappa/replay/diff.h: compares what a replay published with what live published, per sink and key.
//
// The last record of a key counts on each side; records without a key are compared as a multiset of (timestamp, value).
// Only records whose timestamps lie in the replay's range are looked at. Memory is bounded: keys are compared in passes
// by hash, as many passes as `keys_max` asks for.
//
// Threads:  one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kappa/engine/log.h"

namespace kappa {

struct DiffOptions {
  std::int64_t from_us = 0, to_us = 0;
  std::int64_t keys_max = 1'000'000;  // held in memory at a time, about
  int examples_max = 10;              // per sink
};

struct DiffExample {
  std::string kind;  // changed, only-old, only-new
  std::string key, old_value, new_value;
};

struct SinkDiff {
  std::string old_topic, new_topic;
  std::int64_t same = 0, changed = 0, only_old = 0, only_new = 0;
  std::vector<DiffExample> examples;
  [[nodiscard]] bool differs() const { return changed + only_old + only_new > 0; }
};

/// Both topics are read up to their ends now. Refused if one does not exist.
[[nodiscard]] SinkDiff diff_topics(Log& log, const std::string& old_topic, const std::string& new_topic,
                                   const DiffOptions& options);

}  // namespace kappa
