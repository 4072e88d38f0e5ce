// kappa/operators/stream_end.h: the untyped half of the typed skin: where a chain of nodes ends in a graph under
// construction, and what is added there. operators/stream.h puts the user's types around it.
//
// Errors:   Error{usage} naming the node.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "kappa/operators/nodes.h"
#include "kappa/operators/row_function.h"

namespace kappa {

/// Where a source's records come from. docs/CPP.md and docs/SQL.md say more: these are the WITH options of CREATE
/// TABLE.
struct SourceSettings {
  std::string topic = {};
  std::string event_time = {};                                         // field; a kappa::Timestamp
  std::optional<std::chrono::microseconds> max_out_of_orderness = {};  // required
  std::string partitioned_by = {};                                     // field whose text is the record key
  bool partitioned_by_trust = false;                                   // do not check that it is
  std::chrono::microseconds max_future = std::chrono::hours(1);
  std::chrono::microseconds idle_timeout = std::chrono::microseconds(0);  // 0: wait for a quiet partition
  std::chrono::microseconds max_drift = std::chrono::microseconds(0);     // 0: read on, however far others are behind
  std::string format = "json";
  std::string timestamp_unit = "ms";                 // of integers in timestamps: ms, s, us
  std::map<std::string, std::string> paths = {};     // field → "user.id"
  std::map<std::string, std::string> metadata = {};  // field → "key", "header:NAME", "topic", "partition", "offset", …
};

/// Where results go.
struct SinkSettings {
  std::string topic = {};             // empty: the node's name
  std::vector<std::string> key = {};  // fields of the record key; empty: the stream's own key
  bool no_key = false;                // records without a key
  std::string partition_by = {};      // field; empty: task i writes partition i
};

namespace detail {

struct AggregateSpec {
  AggregateFunction function = AggregateFunction::count;
  std::string column;  // empty: count of rows
  std::string name;
};

class StreamEnd {
 public:
  StreamEnd(GraphDraft& graph, const std::string& name, const SourceSettings& settings, const Schema& columns);

  [[nodiscard]] const Schema& schema() const { return graph_->node(node_).schema; }
  [[nodiscard]] StreamEnd filter(const std::string& name, RowFunction function) const;
  [[nodiscard]] StreamEnd map(const std::string& name, const Schema& made, RowFunction function) const;
  [[nodiscard]] StreamEnd union_with(const std::string& name, const StreamEnd& other) const;
  [[nodiscard]] StreamEnd key_by(const std::string& name, const std::vector<std::string>& columns) const;
  /// Requires: it is the end behind key_by().
  [[nodiscard]] StreamEnd tumble(const std::string& name, std::chrono::microseconds size,
                                 const std::vector<AggregateSpec>& aggregates) const;
  /// The columns of `wanted`, checked by name, type and nullability.
  [[nodiscard]] StreamEnd as(const std::string& name, const Schema& wanted) const;
  void sink(const std::string& name, const SinkSettings& settings) const;
  void set_version(std::int64_t version) const;

 private:
  [[nodiscard]] StreamEnd with(int node) const;
  StreamEnd add_function(const std::string& name, NodeKind kind, const Schema& made, RowFunction function) const;
  [[nodiscard]] std::vector<std::string> default_key(const std::string& name) const;

  GraphDraft* graph_;
  int node_ = -1;
  std::vector<std::string> key_;  // columns of the record key that a sink writes unless it is told another
  bool windowed_ = false;         // key_ ends with a window's start
  bool is_function_ = false;      // the node has a version
};

}  // namespace detail
}  // namespace kappa
