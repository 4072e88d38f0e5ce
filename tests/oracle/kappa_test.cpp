// kappa's first step of a source (decode, future guard, progress) and the oracle's say the same of hostile records.
#include <nlohmann/json.hpp>

#include "kappa/engine/murmur2.h"
#include "kappa/engine/source_step.h"
#include "kappa/operators/format/format.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/oracle/pipeline.h"
#include "kappa/tests/oracle/random_input.h"

namespace oracle {
namespace {

kappa::Node source_node() {
  kappa::Node node;
  node.name = "in";
  node.kind = kappa::NodeKind::source;
  node.schema = kappa::Schema({{"k", kappa::Type::text()},
                               {"v", kappa::Type::bigint()},
                               {"x", kappa::Type::float64()},
                               {"at", kappa::Type::timestamptz()}});
  node.source.topic = "in";
  node.source.event_time = 3;
  kappa::JsonDecoderOptions options;
  options.columns = node.schema;
  node.source.decoder = [make = kappa::json_decoder(options)](const kappa::TopicPartition&) { return make(); };
  return node;
}

Pipeline pipeline() {
  Pipeline p;
  p.columns = {
      {"k", ColumnType::text}, {"v", ColumnType::bigint}, {"x", ColumnType::float64}, {"at", ColumnType::timestamp}};
  p.event_time = 3;
  return p;
}

kappa::RecordBlock block_of(const std::vector<Record>& records) {
  auto memory = std::make_shared<std::string>();
  for (const Record& r : records) *memory += r.value.value_or("");
  memory->append(64, ' ');
  kappa::RecordBlock block;
  std::size_t at = 0;
  for (const Record& r : records) {
    kappa::RecordView view;
    view.offset = r.offset;
    view.timestamp_ms = r.timestamp_ms;
    static constexpr char kNoHeaders[] = {0};
    view.headers_data = kNoHeaders;
    view.headers_size = 1;
    if (r.value) {
      view.value_data = memory->data() + at;
      view.value_size = static_cast<std::int32_t>(r.value->size());
      at += r.value->size();
    }
    block.records.push_back(view);
  }
  block.memory.push_back(memory);
  return block;
}

Value value_of(const kappa::Batch& batch, std::size_t column, std::int64_t row) {
  const kappa::Column& c = batch.columns[column];
  if (c.is_null(row)) return {};
  if (c.type().is_bytes()) return std::string(c.bytes(row));
  if (c.type().kind == kappa::TypeKind::float64) return c.f64()[row];
  return c.i64()[row];
}
}  // namespace

TEST_CASE("kappa and the oracle read the same rows and dead letters out of hostile records", "[oracle]") {
  const kappa::Node node = source_node();
  std::int64_t dead_seen = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    const std::vector<Record> records = random_input({.seed = seed, .rows = 1000, .partitions = 1, .text_keys = true});
    kappa::SourceStep step(node, {"in", 0}, 0, static_cast<std::int64_t>(records.size()));
    std::vector<kappa::SideRecord> dead;
    const kappa::Batch batch = step.step(block_of(records), dead);
    std::int64_t row = 0, progress = kNever;
    std::size_t dead_at = 0;
    for (const Record& record : records) {
      const auto decoded = decode(pipeline(), Source{"in", "in", 1, 0, 3'600'000'000}, record);
      INFO("offset " << record.offset << ": " << record.value.value_or("null"));
      if (const Row* want = std::get_if<Row>(&decoded)) {
        REQUIRE(row < batch.rows);
        progress = std::max(progress, want->event_time);
        REQUIRE(batch.positions()[row] == record.offset);
        REQUIRE(batch.event_times()[row] == want->event_time);
        REQUIRE(batch.progresses()[row] == progress);
        for (std::size_t c = 0; c < 4; ++c) REQUIRE(value_of(batch, c, row) == want->values[c]);
        ++row;
      } else {
        REQUIRE(dead_at < dead.size());
        REQUIRE(dead[dead_at++].position == record.offset);
      }
    }
    CHECK(row == batch.rows);
    CHECK(dead_at == dead.size());
    dead_seen += static_cast<std::int64_t>(dead.size());
  }
  CHECK(dead_seen > 100);
}

TEST_CASE("kappa and the oracle place keys alike", "[oracle]") {
  for (const Record& record : random_input({.seed = 4, .rows = 500, .text_keys = true})) {
    if (record.key) CHECK(kappa::partition_of(*record.key, 7) == place(*record.key, 7));
  }
}

}  // namespace oracle
