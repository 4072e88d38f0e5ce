#include "kappa/tests/oracle/random_input.h"

#include <nlohmann/json.hpp>
#include <random>

namespace oracle {

namespace {
using nlohmann::ordered_json;

const std::vector<std::string>& text_keys() {
  static const std::vector<std::string> kKeys{"a",
                                              "B",
                                              "",
                                              " ",
                                              "\xC3\xA4",
                                              "Zo\"\xC3\xAB",
                                              "back\\slash",
                                              "tab\t",
                                              "nl\n",
                                              "null",
                                              "7",
                                              "[x,y]",
                                              std::string("nul\0b", 5),
                                              "\xF0\x9F\x98\x80",
                                              "a/b",
                                              "ab",
                                              "a b",
                                              "\x01\x7F",
                                              std::string(300, 'l')};
  return kKeys;
}

class Generator {
 public:
  explicit Generator(const RandomInput& options) : options_(options), random_(options.seed) { start(); }
  std::vector<Record> run();

 private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  bool one_in(std::int64_t n) { return below(n) == 0; }
  void start();
  Value draw_key();
  std::int32_t draw_place(const Value& key);
  std::int64_t draw_time(std::int32_t partition);
  ordered_json draw_number();
  ordered_json document(const Value& key, std::int64_t at_ms, std::int64_t ts_ms);
  void spoil(ordered_json& document, std::int64_t ts_ms);
  std::string spoil_text(std::string text);

  const RandomInput& options_;
  std::mt19937_64 random_;
  std::vector<std::int64_t> clock_, speed_, next_offset_;
  std::int32_t empty_ = -1;
  std::vector<Value> keys_;
};

void Generator::start() {
  const auto n = static_cast<std::size_t>(options_.partitions);
  next_offset_.assign(n, 0);
  for (std::size_t p = 0; p < n; ++p) {
    clock_.push_back(options_.begin_ms + below(20'000));
    speed_.push_back(1 + (one_in(3) ? below(5) : 0));
  }
  if (options_.partitions > 1 && one_in(4)) empty_ = static_cast<std::int32_t>(below(options_.partitions));
  if (options_.text_keys) {
    for (const std::string& key : text_keys()) keys_.emplace_back(key);
  } else {
    for (std::int64_t key = -3; key < 20; ++key) keys_.emplace_back(key);
    keys_.emplace_back(std::numeric_limits<std::int64_t>::max());
    keys_.emplace_back(std::numeric_limits<std::int64_t>::min());
  }
  keys_.emplace_back();
}

Value Generator::draw_key() {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    Value key = keys_[static_cast<std::size_t>(below(static_cast<std::int64_t>(keys_.size())))];
    if (!options_.key_is_partition_key || place(key, options_.partitions) != empty_) return key;
  }
  return keys_.back();
}

std::int32_t Generator::draw_place(const Value& key) {
  if (options_.key_is_partition_key) return place(key, options_.partitions);
  auto partition = static_cast<std::int32_t>(below(options_.partitions));
  if (partition == empty_) partition = (partition + 1) % options_.partitions;
  return partition;
}

// Event time: mostly within the out-of-orderness, now and then far behind it, or on a full second.
std::int64_t Generator::draw_time(std::int32_t partition) {
  std::int64_t& clock = clock_[static_cast<std::size_t>(partition)];
  clock += below(2 * options_.step_ms) * speed_[static_cast<std::size_t>(partition)];
  if (one_in(200)) clock += 30'000;
  std::int64_t at = clock;
  if (one_in(3)) at -= below(options_.out_of_orderness_ms + 1);
  if (one_in(25)) at -= below(10 * options_.out_of_orderness_ms + 20'000);
  if (one_in(10)) at -= at % 1000;
  return std::max<std::int64_t>(0, at);
}

ordered_json Generator::draw_number() {
  if (one_in(12)) return nullptr;
  if (one_in(100))
    return one_in(2) ? std::int64_t{4'611'686'018'427'387'904} : -std::int64_t{4'611'686'018'427'387'904};
  return below(150) - 50;
}

ordered_json Generator::document(const Value& key, std::int64_t at_ms, std::int64_t ts_ms) {
  ordered_json fields;
  if (const auto* number = std::get_if<std::int64_t>(&key)) fields["k"] = *number;
  if (const auto* text = std::get_if<std::string>(&key)) fields["k"] = *text;
  if (is_null(key)) fields["k"] = nullptr;
  fields["v"] = draw_number();
  if (!one_in(15)) fields["x"] = static_cast<double>(below(2'000'001) - 1'000'000) / 1000.0;
  fields["at"] = at_ms;
  if (one_in(8)) fields["at"] = timestamp_text(at_ms * 1000);
  if (one_in(5)) fields["other"] = {{"nested", {1, 2.5, "x"}}, {"flag", true}};
  fields["ts"] = ts_ms;
  return fields;
}

// A document that is good JSON and a dead letter.
void Generator::spoil(ordered_json& document, std::int64_t ts_ms) {
  switch (below(9)) {
    case 0: document["at"] = nullptr; return;
    case 1: document.erase("at"); return;
    case 2: document["at"] = -1; return;
    case 3: document["at"] = ts_ms + 3'600'001; return;
    case 4: document["at"] = std::int64_t{9'300'000'000'000}; return;
    case 5: document["at"] = "yesterday"; return;
    case 6: document["v"] = "12"; return;
    case 7: document["v"] = 1.5; return;
    default: document["x"] = true;
  }
}

// A value that is no JSON object.
std::string Generator::spoil_text(std::string text) {
  switch (below(6)) {
    case 0: return text.substr(0, static_cast<std::size_t>(below(static_cast<std::int64_t>(text.size()))));
    case 1: return text + "}";
    case 2: return "[" + text + "]";
    case 3: return "";
    case 4: return "{\"k\":1,\"v\":2,\"at\":}";
    default: return "not json";
  }
}

std::vector<Record> Generator::run() {
  std::vector<Record> records;
  for (std::int64_t i = 0; i < options_.rows; ++i) {
    const Value key = draw_key();
    Record record;
    record.topic = options_.topic;
    record.partition = draw_place(key);
    const std::int64_t at_ms = draw_time(record.partition);
    record.timestamp_ms = clock_[static_cast<std::size_t>(record.partition)] + below(500);
    ordered_json fields = document(key, at_ms, record.timestamp_ms);
    if (one_in(60)) spoil(fields, record.timestamp_ms);
    if (!is_null(key)) record.key = key_text(key);
    record.value = fields.dump();
    if (!options_.documents && one_in(80)) record.value = spoil_text(*record.value);
    if (!options_.documents && one_in(300)) record.value.reset();
    for (int copies = one_in(40) ? 2 : 1; copies > 0; --copies) {
      record.offset = next_offset_[static_cast<std::size_t>(record.partition)]++;
      records.push_back(record);
    }
  }
  return records;
}
}  // namespace

std::vector<Record> random_input(const RandomInput& options) { return Generator(options).run(); }

}  // namespace oracle
