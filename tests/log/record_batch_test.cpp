#include "kappa/engine/log/record_batch.h"

#include <limits>
#include <random>

#include "kappa/engine/error.h"
#include "kappa/engine/log/batch_builder.h"
#include "kappa/engine/log/crc32c.h"
#include "kappa/engine/log/varint.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/log/local_log_fixture.h"

namespace kappa::testkit {
namespace {

constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();

/// A copy with exactly the readable bytes that the decoder asks for, so that a sanitizer sees any step beyond.
struct Padded {
  explicit Padded(const std::string& bytes) : size(bytes.size()), data(new char[bytes.size() + kBatchPadding]) {
    bytes.copy(data.get(), bytes.size());
    std::fill_n(data.get() + bytes.size(), kBatchPadding, '\x81');
  }
  std::size_t size;
  std::unique_ptr<char[]> data;
};

/// Decodes one batch; what is wrong with it, or null.
const char* decode(const Padded& bytes, std::vector<RecordView>& records, BatchDecoder& decoder) {
  if (bytes.size < static_cast<std::size_t>(kBatchHeaderBytes)) return "cut";
  BatchHeader header;
  if (const char* problem = parse_batch_header(bytes.data.get(), header)) return problem;
  if (header.bytes > static_cast<std::int64_t>(bytes.size)) return "cut";
  if (const char* problem = decoder.open(header, bytes.data.get())) return problem;
  return decoder.read(records, kUnbounded, 0, kUnbounded);
}

std::string seal(std::string batch) {
  detail::store_big_endian<std::uint32_t>(batch.data() + 17, crc32c(batch.data() + 21, batch.size() - 21));
  return batch;
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

// Three records at offset 7, made by an independent program: (key, value, headers h=1 and n=null), (null, "") 200 ms
// earlier, ("", null) 5 ms later.
const std::string kGolden = from_hex(
    "000000000000000700000056ffffffff02668805f80000000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff"
    "000000032a000000066b65790a76616c75650402680231026e010e008f03020100000c000a04000100");

std::string built_golden() {
  const std::vector<Header> headers{{"h", "1", false}, {"n", {}, true}};
  OutRecord first;
  first.key = "key";
  first.value = "value";
  first.timestamp_ms = 1'700'000'000'000;
  first.headers = headers;
  OutRecord second;
  second.key_is_null = true;
  second.timestamp_ms = first.timestamp_ms - 200;
  OutRecord third;
  third.value_is_null = true;
  third.timestamp_ms = first.timestamp_ms + 5;
  BatchBuilder builder;
  for (const OutRecord& record : {first, second, third}) builder.add(record);
  builder.finish();
  builder.rebase(7);
  return builder.bytes();
}

TEST_CASE("CRC-32C has the check value of its definition, by instruction and by table") {
  CHECK(crc32c("123456789", 9) == 0xe306'9283);
  CHECK(detail::crc32c_by_table("123456789", 9) == 0xe306'9283);
  std::mt19937 random(1);
  std::string bytes(20'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (const std::size_t size : {0, 1, 7, 8, 1023, 1024, 3071, 3072, 3073, 9216, 19'990}) {
    for (const std::size_t from : {0, 1, 5}) {
      CHECK(crc32c(bytes.data() + from, size) == detail::crc32c_by_table(bytes.data() + from, size));
    }
  }
  CHECK(crc32c(bytes.data() + 5000, 15'000, crc32c(bytes.data(), 5000)) == crc32c(bytes.data(), 20'000));
}

TEST_CASE("the builder writes Kafka's bytes") { CHECK(built_golden() == kGolden); }

TEST_CASE("the decoder reads Kafka's bytes") {
  std::vector<RecordView> records;
  BatchDecoder decoder;
  const Padded bytes(kGolden);
  REQUIRE(decode(bytes, records, decoder) == nullptr);
  REQUIRE(records.size() == 3);
  CHECK(records[0].offset == 7);
  CHECK(records[0].key() == "key");
  CHECK(records[0].value() == "value");
  CHECK(headers_of(records[0]).size() == 2);
  CHECK(headers_of(records[0])[1].value_is_null);
  CHECK(records[1].key_is_null());
  CHECK_FALSE(records[1].value_is_null());
  CHECK(records[1].timestamp_ms == 1'699'999'999'800);
  CHECK(records[2].value_is_null());
  CHECK_FALSE(records[2].key_is_null());
  CHECK(headers_of(records[2]).empty());
}

TEST_CASE("a decoder hands out a batch in pieces and between bounds") {
  const Padded bytes(kGolden);
  BatchHeader header;
  REQUIRE(parse_batch_header(bytes.data.get(), header) == nullptr);
  BatchDecoder decoder;
  std::vector<RecordView> records;
  REQUIRE(decoder.open(header, bytes.data.get()) == nullptr);
  REQUIRE(decoder.read(records, 1, 8, kUnbounded) == nullptr);
  REQUIRE(records.size() == 1);
  CHECK(records[0].offset == 8);
  REQUIRE(decoder.read(records, 10, 8, 9) == nullptr);
  CHECK(records.size() == 1);
  CHECK(decoder.is_held());
  REQUIRE(decoder.read(records, 10, 8, 10) == nullptr);
  CHECK(records.back().offset == 9);
  CHECK(decoder.is_done());
}

TEST_CASE("records of all sizes survive, with senseless timestamps too") {
  std::mt19937_64 random(7);
  std::vector<std::string> values;
  for (int i = 0; i < 500; ++i) values.emplace_back(std::size_t{1} << (i % 17), static_cast<char>('a' + i % 26));
  BatchBuilder builder(1 << 30);
  std::vector<std::int64_t> times;
  for (const std::string& value : values) {
    times.push_back(static_cast<std::int64_t>(random()));
    OutRecord record;
    record.key = record.value = value;
    record.timestamp_ms = times.back();
    builder.add(record);
  }
  builder.finish();
  std::vector<RecordView> records;
  BatchDecoder decoder;
  const Padded bytes(builder.bytes());
  REQUIRE(decode(bytes, records, decoder) == nullptr);
  REQUIRE(records.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(records[i].value() == values[i]);
    CHECK(records[i].timestamp_ms == times[i]);
  }
}

TEST_CASE("a record that is too large is refused and leaves the others") {
  BatchBuilder builder;
  const std::string huge(static_cast<std::size_t>(kRecordBytesMax), 'x');
  OutRecord record;
  record.value = huge;
  CHECK_THROWS_AS(builder.add(record), Error);
  builder.finish();
  CHECK(builder.bytes().empty());
  record.value = "small";
  builder.add(record);
  CHECK_THROWS_AS((record.value = huge, builder.add(record)), Error);
  builder.finish();
  CHECK(builder.records() == 1);
}

TEST_CASE("any flipped bit under the checksum is noticed") {
  for (std::size_t at = 8; at < kGolden.size(); ++at) {
    if (at >= 12 && at < 16) continue;  // the leader epoch lies outside
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = kGolden;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      std::vector<RecordView> records;
      BatchDecoder decoder;
      CHECK(decode(Padded(bad), records, decoder) != nullptr);
    }
  }
}

TEST_CASE("a cut batch is noticed at every length") {
  for (std::size_t size = 0; size < kGolden.size(); ++size) {
    std::vector<RecordView> records;
    BatchDecoder decoder;
    CHECK(decode(Padded(kGolden.substr(0, size)), records, decoder) != nullptr);
    if (size < static_cast<std::size_t>(kBatchHeaderBytes)) continue;
    std::string lying = kGolden.substr(0, size);  // its length and checksum are right, its records are not all there
    detail::store_big_endian<std::int32_t>(lying.data() + 8, static_cast<std::int32_t>(size) - 12);
    CHECK(decode(Padded(seal(lying)), records, decoder) != nullptr);
  }
}

/// All views lie inside the batch or the memory that it opened into.
void check_views(const std::vector<RecordView>& records) {
  std::size_t sum = 0;
  for (const RecordView& record : records) {
    for (const char c : record.key()) sum += static_cast<unsigned char>(c);
    for (const char c : record.value()) sum += static_cast<unsigned char>(c);
    for (const Header& header : headers_of(record)) {
      for (const char c : header.name) sum += static_cast<unsigned char>(c);
      for (const char c : header.value) sum += static_cast<unsigned char>(c);
    }
  }
  CHECK(sum + 1 > 0);
}

TEST_CASE("hostile bytes with a right checksum never lead outside, and mostly are refused") {
  const std::string file = slurp(std::string(KAPPA_SOURCE_DIR) + "/tests/log/fixtures/mixed/00000000000000000000.log");
  std::vector<std::string> batches{kGolden};
  for (std::size_t at = 0; at < file.size();) {
    BatchHeader header;
    REQUIRE(parse_batch_header(file.data() + at, header) == nullptr);
    batches.push_back(file.substr(at, static_cast<std::size_t>(header.bytes)));
    at += static_cast<std::size_t>(header.bytes);
  }
  REQUIRE(batches.size() > 8);
  std::mt19937_64 random(20'231'114);
  int refused = 0;
  constexpr int kRounds = 6000;
  for (int round = 0; round < kRounds; ++round) {
    std::string batch = batches[random() % batches.size()];
    if (random() % 4 == 0) {
      batch.resize(static_cast<std::size_t>(kBatchHeaderBytes) + random() % (batch.size() - kBatchHeaderBytes));
      detail::store_big_endian<std::int32_t>(batch.data() + 8, static_cast<std::int32_t>(batch.size()) - 12);
    }
    for (auto flips = random() % 4; flips > 0 && batch.size() > 21; --flips) {
      batch[21 + random() % (batch.size() - 21)] = static_cast<char>(random());
    }
    std::vector<RecordView> records;
    BatchDecoder decoder;
    const Padded bytes(seal(batch));
    refused += decode(bytes, records, decoder) != nullptr ? 1 : 0;
    check_views(records);
  }
  CHECK(refused > kRounds / 4);
}

TEST_CASE("lengths that would need absurd memory are refused before it is asked for") {
  std::string opened;
  CHECK(detail::inflate(detail::Compression::snappy, std::string("\xff\xff\xff\xff\x0f\x00", 6), opened) != nullptr);
  CHECK(detail::inflate(detail::Compression::gzip, "", opened) != nullptr);
  CHECK(detail::inflate(detail::Compression::lz4, "", opened) != nullptr);
  CHECK(detail::inflate(detail::Compression::zstd, "", opened) != nullptr);
  std::string batch = kGolden;
  detail::store_big_endian<std::int32_t>(batch.data() + 23, std::numeric_limits<std::int32_t>::max());
  detail::store_big_endian<std::int32_t>(batch.data() + 57, std::numeric_limits<std::int32_t>::max());
  std::vector<RecordView> records;
  BatchDecoder decoder;
  CHECK(decode(Padded(seal(batch)), records, decoder) != nullptr);
}

}  // namespace
}  // namespace kappa::testkit
