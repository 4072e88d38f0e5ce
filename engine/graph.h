// kappa/engine/graph.h: the immutable description of a pipeline: named nodes, edges, schemas, operator factories,
// fingerprints.
//
// A Graph holds no running thing: runs instantiate it, as often as they like, side by side.
//
// Threads:  a Graph is immutable and may be shared; a GraphDraft belongs to one thread.
// Errors:   GraphDraft throws Error{usage} naming the node.
// Example:  operators/stream.h (the typed skin) and sql/ build graphs; see examples/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/operator.h"
#include "kappa/engine/schema.h"

namespace kappa {

enum class NodeKind : std::uint8_t { source, filter, project, key_by, union_all, window_aggregate, repartition, sink };
[[nodiscard]] std::string to_string(NodeKind kind);

struct SourceSpec {
  std::string topic;
  int event_time = -1;  // column; must be timestamptz
  std::int64_t out_of_orderness_us = 0;
  std::int64_t max_future_us = 3'600'000'000;  // event time above record timestamp + this is a dead letter
  std::int64_t idle_timeout_us = 0;            // 0: wait for a quiet partition
  std::int64_t max_drift_us = 0;               // 0: read on, however far others are behind
  std::string partitioned_by;                  // column whose text is the record key; empty: unknown
  bool partitioned_by_trust = false;
  std::vector<std::string> fields;  // JSON: the field, or dotted path, that each column is taken from; "": from none
  std::function<std::unique_ptr<Decoder>(const TopicPartition&)> decoder;  // of one partition's records
};

struct SinkSpec {
  std::string topic;
  bool keyed = false;     // by group and window: a newer record with the same key replaces an older one
  int partition_by = -1;  // column whose text is hashed (murmur2); -1: task i writes partition i
  std::function<std::unique_ptr<Encoder>()> encoder;
};

/// Rows go to the partition that murmur2 gives for the key's text, as a Java producer would place them.
struct RepartitionSpec {
  std::vector<int> key_columns;
  std::int32_t partitions = 0;  // 0: as many as the largest input
};

struct Node {
  std::string name;
  NodeKind kind = NodeKind::project;
  std::vector<int> inputs;  // indexes of nodes, all smaller than this node's own
  Schema schema;            // of the rows that leave it
  /// Everything that decides what the node does, in a canonical text: goes into the fingerprint and into describe().
  std::string detail;
  std::int64_t version = 0;     // of a user's function, since its body cannot be seen
  std::int64_t horizon_us = 0;  // how far back in event time its state reaches; kForever: unbounded
  bool stateful = false;
  /// Column i is column carried[i] of every input, passed on unchanged; -1: made here. Empty: all columns pass.
  std::vector<int> carried;
  /// filter, project, window_aggregate: makes the operator. key_by and union_all pass rows on, the engine itself runs
  /// the others.
  std::function<std::unique_ptr<Operator>(const OperatorContext&)> factory;
  SourceSpec source;
  SinkSpec sink;
  RepartitionSpec repartition;
};

class Graph {
 public:
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const Node& node(int i) const { return nodes_[static_cast<std::size_t>(i)]; }
  /// 32 hex digits: a hash over the node and, Merkle-wise, its inputs. Equal fingerprints: equal results from equal
  /// logs.
  [[nodiscard]] const std::string& fingerprint(int i) const { return fingerprints_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::vector<int> consumers(int i) const;
  /// The largest out-of-orderness of the sources that reach node `i`, also through repartitions.
  [[nodiscard]] std::int64_t out_of_orderness_us(int i) const;
  /// The sum of horizons along the longest path from a source to a sink; kForever if unbounded.
  [[nodiscard]] std::int64_t horizon_us() const;
  /// Settings that the pipeline text carries (SET name = 'value'), in order.
  [[nodiscard]] const std::map<std::string, std::string>& settings() const { return settings_; }

 private:
  friend class GraphDraft;
  std::string name_;
  std::vector<Node> nodes_;
  std::vector<std::string> fingerprints_;
  std::map<std::string, std::string> settings_;
};

class GraphDraft {
 public:
  /// `name` is the application.id unless a setting says otherwise; [A-Za-z0-9._-]{1,100}.
  explicit GraphDraft(std::string name);
  /// Checks name, inputs and schema; returns the node's index.
  int add(Node node);
  /// Of the function of node `i`, which was added before.
  void set_version(int i, std::int64_t version) { graph_.nodes_[static_cast<std::size_t>(i)].version = version; }
  void set(const std::string& name, const std::string& value) { graph_.settings_[name] = value; }
  [[nodiscard]] const Node& node(int i) const { return graph_.node(i); }
  /// Checks the whole: at least one sink, no node without a consumer but sinks, one stage per sink topic.
  [[nodiscard]] Graph build() &&;

 private:
  Graph graph_;
};

enum class GraphFormat : std::uint8_t { text, json, dot };
[[nodiscard]] std::string describe(const Graph& graph, GraphFormat format);

}  // namespace kappa
