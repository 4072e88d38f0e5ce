#include "kappa/engine/held_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kappa/engine/bytes.h"
#include "kappa/engine/row_codec.h"

namespace kappa {

namespace {
struct FrozenPiece {
  int input = 0;
  std::string port;
  Batch batch;  // columns are immutable and shared with the merge
};

void append_held_row(std::string& out, const std::string& port, const Batch& batch, std::int64_t row) {
  append_sized(out, port);
  append_i64_be(out, batch.event_times()[row]);
  append_i64_be(out, batch.progresses()[row]);
  append_i64_be(out, batch.positions()[row]);
  append_u32_be(out, static_cast<std::uint32_t>(batch.indexes()[row]));
  append_u32_be(out, static_cast<std::uint32_t>(batch.inputs()[row]));
  const bool has_key = batch.upstream_keys.size() > 0 && !batch.upstream_keys.is_null(row);
  append_u8(out, has_key ? 1 : 0);
  if (has_key) append_sized(out, batch.upstream_keys.bytes(row));
  append_row(out, batch.columns, row);
}

class FrozenHeld final : public Frozen {
 public:
  FrozenHeld(std::vector<FrozenPiece> pieces, std::int64_t generation)
      : pieces_(std::move(pieces)), generation_(generation) {}

  bool is_complete() const override { return true; }
  void write(StateWriter& writer) override {
    std::string prefix;
    append_ordered_i64(prefix, generation_);
    writer.erase_range("", prefix);
    std::uint32_t number = 0;
    int input = -1;
    std::string key, value;
    for (const FrozenPiece& piece : pieces_) {
      if (piece.input != input) number = 0;
      input = piece.input;
      for (std::int64_t row = 0; row < piece.batch.rows; ++row) {
        key = prefix;
        append_u32_be(key, static_cast<std::uint32_t>(input));
        append_u32_be(key, number++);
        value.clear();
        append_held_row(value, piece.port, piece.batch, row);
        writer.put(key, value);
      }
    }
  }

 private:
  std::vector<FrozenPiece> pieces_;
  std::int64_t generation_;
};

int node_named(const Graph& graph, std::string_view name) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    if (graph.nodes()[i].name == name) return static_cast<int>(i);
  fail(fmt::format("a checkpoint holds rows of node \"{}\", which the graph does not have", name));
}

Batch parse_held_row(const Graph& graph, ByteReader& bytes, int& port) {
  port = node_named(graph, bytes.sized());
  Batch batch = make_batch(1);
  batch.event_time.as_mutable<std::int64_t>()[0] = bytes.i64_be();
  batch.progress.as_mutable<std::int64_t>()[0] = bytes.i64_be();
  batch.position.as_mutable<std::int64_t>()[0] = bytes.i64_be();
  batch.index.as_mutable<std::int32_t>()[0] = static_cast<std::int32_t>(bytes.u32_be());
  batch.input.as_mutable<std::int32_t>()[0] = static_cast<std::int32_t>(bytes.u32_be());
  if (bytes.u8() != 0) {
    ColumnBuilder keys(Type::bytea());
    keys.append_bytes(bytes.sized());
    batch.upstream_keys = keys.finish();
  }
  RowReader rows(graph.node(port).schema);
  rows.add(bytes.rest());
  batch.columns = rows.finish();
  return batch;
}
}  // namespace

std::unique_ptr<Frozen> freeze_held(const Graph& graph, const Merge& merge, int inputs, std::int64_t generation) {
  std::vector<FrozenPiece> pieces;
  for (int input = 0; input < inputs; ++input)
    for (const Merge::Held& held : merge.held(input)) pieces.push_back({input, graph.node(held.port).name, held.batch});
  return std::make_unique<FrozenHeld>(std::move(pieces), generation);
}

std::int64_t restore_held(const Graph& graph, StateReader& entries, const std::function<void(int, int, Batch)>& add) {
  std::int64_t newest = 0;
  std::string_view key, value;
  std::vector<Batch> run;  // rows of one input and port
  int run_input = -1, run_port = -1;
  const auto flush = [&] {
    if (!run.empty()) add(run_input, run_port, concat(run));
    run.clear();
  };
  while (entries.next(key, value)) {
    ByteReader head(key, "a held row's key");
    newest = std::max(newest, head.ordered_i64());
    const auto input = static_cast<int>(head.u32_be());
    ByteReader body(value, "a held row");
    int port = -1;
    Batch batch = parse_held_row(graph, body, port);
    if (input != run_input || port != run_port || run.size() >= static_cast<std::size_t>(kBatchRows)) flush();
    run_input = input;
    run_port = port;
    run.push_back(std::move(batch));
  }
  flush();
  return newest;
}

}  // namespace kappa
