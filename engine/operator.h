// kappa/engine/operator.h: what a node of a running graph does, batch in → batches out.
//
// An operator is a function from a sequence of rows to a sequence of rows; batches are only how pieces of it travel.
// The engine works in rounds: each node gets the round's batches of its inputs in order, then advance() with the
// round's last progress, even when a filter let nothing through.
//
// Threads:  an operator, decoder or encoder belongs to one task, so to one thread at a time; it holds no locks.
// Errors:   a row that fails becomes a DeadLetter; an exception ends the task and nothing of the commit is published.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/batch.h"
#include "kappa/engine/log.h"
#include "kappa/engine/schema.h"
#include "kappa/engine/state_store.h"

namespace kappa {

/// A row that could not be processed (or came late), on its way to the dead-letter (or late) topic.
struct SideRecord {
  std::int32_t input = 0;       // kDueInput: a result of a due, which has no source record
  std::int64_t position = 0;    // source offset
  std::int64_t progress = 0;    // µs, at its row
  std::int64_t event_time = 0;  // µs
  std::string cause;            // "division by zero in total / bids"
  std::string key, value;       // value: the original bytes where decoding failed, else the row as JSON
  bool key_is_null = true, value_is_null = false;
};

/// How many of the rows that reached a node went where. in = out + folded + filtered + late + dead, checked in every
/// test run (L4).
struct NodeCounters {
  std::int64_t in = 0;
  std::int64_t out = 0;     // rows handed on that stand for a row that came in
  std::int64_t folded = 0;  // rows that went into state; their results count as emitted
  std::int64_t filtered = 0;
  std::int64_t late = 0;  // late for all their windows
  std::int64_t dead = 0;
  std::int64_t emitted = 0;       // results of dues: new rows
  std::int64_t emitted_dead = 0;  // results of dues that failed
};

struct Output {
  std::vector<Batch> batches;
  std::vector<SideRecord> late, dead;
  NodeCounters counters;
};

/// What keeps windows open: how many, and the least and greatest end (--close raises the progress past the greatest).
struct OpenWindows {
  std::int64_t count = 0;
  std::int64_t least_end = kForever;   // µs
  std::int64_t greatest_end = kNever;  // µs
};

class Operator {
 public:
  virtual ~Operator() = default;
  virtual void process(Batch batch, Output& out) = 0;
  /// Everything due at or below `progress` − out-of-orderness fires; later rows have at least this progress.
  virtual void advance(std::int64_t /*progress*/, Output& /*out*/) {}
  /// A copy of what changed since the last freeze (or restore), taken at a commit boundary; null for a node without
  /// state.
  [[nodiscard]] virtual std::unique_ptr<Frozen> freeze() { return nullptr; }
  virtual void restore(StateReader& /*entries*/) {}
  [[nodiscard]] virtual OpenWindows open_windows() const { return {}; }
  /// Bytes of working state, for metrics and bounds.
  [[nodiscard]] virtual std::int64_t state_bytes() const { return 0; }
};

/// What the engine tells an operator when it makes it.
struct OperatorContext {
  std::string node;
  std::int64_t out_of_orderness_us = 0;  // watermark = progress − this
  std::int64_t batch_rows = kBatchRows;
};

/// Turns raw records into columns.
class Decoder {
 public:
  virtual ~Decoder() = default;
  struct Failure {
    std::int32_t record = 0;  // index into the span given
    std::string cause;
  };
  struct Result {
    std::vector<Column> columns;
    /// For each row, the index of its record; ascending. Empty means: all records, row i is record i.
    std::vector<std::int32_t> records;
    std::vector<Failure> failures;
  };
  virtual void decode(std::span<const RecordView> records, Result& result) = 0;
  /// Whether it looks at the records' headers; else they may be left out.
  [[nodiscard]] virtual bool reads_headers() const { return false; }
};

/// Records made of rows: row i is [ends[i-1], ends[i]) of `bytes`, key then value, split at key_ends[i].
struct EncodedRows {
  std::string bytes;
  struct Entry {
    std::size_t key_begin = 0, key_end = 0, value_end = 0;
    bool key_is_null = false, value_is_null = false;
    std::int32_t row = 0;
  };
  std::vector<Entry> entries;
  std::vector<SideRecord> dead;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Appends one entry per row that can be encoded, in order.
  virtual void encode(const Batch& batch, EncodedRows& out) = 0;
};

}  // namespace kappa
