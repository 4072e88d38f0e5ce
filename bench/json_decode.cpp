// json_decode: what JSON costs per record: three fields of a NEXMark bid (211 bytes) into columns, by our decoder and
// by simdjson's own interfaces; a five-column row back into JSON. Variants take turns, chunk by chunk, and the best
// chunk of each counts: what other programs do in between then shows in all or in none.
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "kappa/operators/format/format.h"
#include "kappa/operators/format/json_scanner.h"
#include "kappa/service/nexmark.h"

using namespace kappa;

namespace {

constexpr std::size_t kChunk = 4096, kRounds = 300;
std::int64_t sink = 0;  // printed at the end, so that no work can be left out

struct Variant {
  const char* name;
  std::function<void(std::span<const RecordView>)> run;
  double best_ns = 1e9;
};

class Bids {
 public:
  Bids() {
    NexmarkGenerator generator({.events = static_cast<std::int64_t>(kChunk * 16)});
    NexmarkRecord record;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    while (generator.next(record)) {
      places.emplace_back(memory_.size(), record.value.size());
      memory_ += std::string(record.value) + "\x01\x02key and headers";
    }
    memory_.append(64, ' ');
    for (const auto& [begin, size] : places) {
      RecordView view;
      view.value_data = memory_.data() + begin;
      view.value_size = static_cast<std::int32_t>(size);
      views_.push_back(view);
    }
  }
  [[nodiscard]] std::span<const RecordView> chunk(std::size_t i) const {
    return std::span(views_).subspan(i % 16 * kChunk, kChunk);
  }

 private:
  std::string memory_;
  std::vector<RecordView> views_;
};

void measure(std::vector<Variant>& variants, const Bids& bids) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Variant& variant : variants) {
      const auto start = std::chrono::steady_clock::now();
      variant.run(bids.chunk(round));
      const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
      variant.best_ns = std::min(variant.best_ns, spent.count() / static_cast<double>(kChunk));
    }
  }
  for (const Variant& variant : variants) std::printf("%-48s %6.1f ns\n", variant.name, variant.best_ns);
}

// Five columns, as a windowed sum has them.
Batch totals() {
  Batch batch = make_batch(static_cast<std::int64_t>(kChunk));
  ColumnBuilder bidder(Type::bigint()), start(Type::timestamptz()), end(Type::timestamptz()), bids(Type::bigint()),
      total(Type::numeric(38, 0));
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    bidder.append_i64(1000 + i * 7);
    start.append_i64(1'767'225'600'000'000 + i / 100 * 10'000'000);
    end.append_i64(1'767'225'610'000'000 + i / 100 * 10'000'000);
    bids.append_i64(i % 97);
    total.append_i128(i * 1'234'567);
  }
  batch.columns = {bidder.finish(), start.finish(), end.finish(), bids.finish(), total.finish()};
  return batch;
}

}  // namespace

int main() {
  simdjson::dom::parser dom;
  simdjson::ondemand::parser on_demand;
  JsonScanner scanner(JsonFields({{"bidder"}, {"price"}, {"dateTime"}}));
  const Schema columns({{"bidder", Type::bigint()}, {"price", Type::bigint()}, {"dateTime", Type::timestamptz()}});
  const auto decoder = json_decoder({.columns = columns})();
  Decoder::Result result;
  const auto size_of = [](const RecordView& record) { return static_cast<std::size_t>(record.value_size); };

  std::vector<Variant> variants;
  variants.push_back({"simdjson DOM, 3 fields", [&](std::span<const RecordView> records) {
                        for (const RecordView& record : records) {
                          const auto document = dom.parse(record.value_data, size_of(record), false);
                          for (const char* name : {"bidder", "price", "dateTime"}) {
                            sink += document[name].get_int64().value();
                          }
                        }
                      }});
  variants.push_back({"simdjson on demand, 3 fields, the rest unchecked", [&](std::span<const RecordView> records) {
                        for (const RecordView& record : records) {
                          auto document = on_demand.iterate(record.value_data, size_of(record), size_of(record) + 64);
                          for (const char* name : {"bidder", "price", "dateTime"}) {
                            sink += document[name].get_int64().value();
                          }
                        }
                      }});
  variants.push_back({"ours: check all, find 3 fields", [&](std::span<const RecordView> records) {
                        for (const RecordView& record : records) sink += scanner.scan(record.value()) ? 1 : 0;
                      }});
  variants.push_back({"ours: decode 3 fields into columns", [&](std::span<const RecordView> records) {
                        decoder->decode(records, result);
                        sink += result.columns[1].i64()[0];
                      }});
  const Batch batch = totals();
  const Schema out_columns({{"bidder", Type::bigint()},
                            {"window_start", Type::timestamptz()},
                            {"window_end", Type::timestamptz()},
                            {"bids", Type::bigint()},
                            {"total", Type::numeric(38, 0)}});
  const auto encoder = json_encoder({.columns = out_columns, .key_columns = {0}})();
  EncodedRows encoded;
  variants.push_back({"ours: encode a row of 5 columns and its key", [&](std::span<const RecordView>) {
                        encoded.bytes.clear();
                        encoded.entries.clear();
                        encoder->encode(batch, encoded);
                        sink += static_cast<std::int64_t>(encoded.bytes.size());
                      }});
  measure(variants, Bids());
  std::printf("checksum %lld\n", static_cast<long long>(sink));
}
