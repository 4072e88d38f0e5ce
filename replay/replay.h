// kappa/replay/replay.h: runs a plan: the same graph over a range of history, muted before --from (law L1).
//
// A replay has its own state, positions and repartition topics, so live cannot be hurt (law L8). Stopped in the middle,
// it goes on with the same frozen ends when it is started again under the same name.
//
// Threads:  see engine/run.h.
// Errors:   Error{refused} for a name in use, a changed pipeline, an upsert beside a running live.
#pragma once

#include <stop_token>

#include "kappa/replay/catalog.h"

namespace kappa {

struct ReplayOptions {
  ReplaySpec spec;
  RunOptions run;  // workers, intervals, rate, callbacks; bounds and output are set by the replay
};

struct SinkDigest {
  std::string topic;
  std::int64_t records = 0;
  std::string digest;  // 16 hex digits over all partitions; equal sequences have equal digests
};

struct ReplayReport {
  ReplayPlan plan;
  RunReport run;
  bool resumed = false, finished = false;
  std::vector<SinkDigest> sinks;
};

/// `state` is the replay's own store; it may borrow live's checkpoints.
[[nodiscard]] ReplayReport run_replay(const Graph& graph, Log& log, StateStore* state, const Catalog& catalog,
                                      ReplayOptions options, std::stop_token stop);

/// Over the records of a topic, partition after partition: key, value, timestamp.
[[nodiscard]] SinkDigest digest_of(Log& log, const std::string& topic);

}  // namespace kappa
