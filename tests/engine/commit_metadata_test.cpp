// The text beside a position (docs/FORMAT.md): what is written, what is read, what is refused.
#include "kappa/engine/commit_metadata.h"
#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"

using namespace kappa;
using Catch::Matchers::Contains;

namespace {
CommitMetadata sample() {
  return {12,
          0,
          1'357'038'000'000'000,
          1'357'037'990'000'000,
          0,
          "0123456789abcdef",
          RecordMark{1041, 1'357'038'000'123, 0x9f86d081}};
}

CommitMetadata parsed(const std::string& text) { return parse_commit_metadata({{"bids", 3}, 1042, text}); }

RecordView record(const char* key, const char* value, std::int64_t timestamp_ms = 5) {
  RecordView view;
  view.offset = 7;
  view.timestamp_ms = timestamp_ms;
  view.key_data = key;
  view.key_size = key ? static_cast<std::int32_t>(std::string_view(key).size()) : 0;
  view.value_data = value;
  view.value_size = value ? static_cast<std::int32_t>(std::string_view(value).size()) : 0;
  return view;
}

// As docs/FORMAT.md shows them.
constexpr const char* kWritten =
    "k1 seq=12 start=0 progress=1357038000000000 released=1357037990000000 decision=0 state=0123456789abcdef "
    "last=1041:1357038000123:9f86d081 crc=41be3d67";
constexpr const char* kWithoutLast =
    "k1 seq=12 start=0 progress=1357038000000000 released=1357037990000000 decision=0 state=0123456789abcdef "
    "crc=4bc9c440";
}  // namespace

TEST_CASE("commit metadata are pinned byte by byte, and read back", "[metadata]") {
  CHECK(to_string(sample()) == kWritten);
  CHECK(parsed(kWritten) == sample());
}

TEST_CASE("commit metadata without a last record are read, as they were written before", "[metadata]") {
  CommitMetadata before = sample();
  before.last.reset();
  CHECK(to_string(before) == kWithoutLast);
  CHECK(parsed(kWithoutLast) == before);
}

TEST_CASE("commit metadata of another tool, or garbled ones, are refused by the partition's name", "[metadata]") {
  const std::string good = to_string(sample());
  std::vector<std::string> bad{"", "k1", "k2" + good.substr(2), good + " ", good.substr(0, good.size() - 1)};
  for (std::size_t i = 0; i < good.size(); ++i) {
    bad.push_back(good);
    bad.back()[i] = good[i] == '7' ? '8' : '7';
  }
  for (const char* last : {" last=", " last=1", " last=1:2", " last=1:2:3", " last=::", " last=1:2:zzzzzzzz"}) {
    bad.push_back(good);
    bad.back().replace(good.find(" last="), good.find(" crc=") - good.find(" last="), last);
  }
  for (const std::string& text : bad) {
    INFO(text);
    try {
      static_cast<void>(parsed(text));
      FAIL_CHECK("read");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::refused);
      CHECK_THAT(error.what(), Contains("position 1042 committed for bids-3") && Contains("moved by another tool"));
    }
  }
}

TEST_CASE("a record's mark tells key, value, nulls and time apart", "[metadata]") {
  const RecordMark mark = mark_of(record("a", "b"));
  CHECK(mark == mark_of(record("a", "b")));
  CHECK(mark.offset == 7);
  CHECK(mark.timestamp_ms == 5);
  CHECK(mark != mark_of(record("a", "b", 6)));
  const std::vector<std::pair<const char*, const char*>> others{
      {"a", "c"},     {"b", "b"},     {"ab", ""}, {"", "ab"},    {"a", ""},     {"", "b"},
      {"a", nullptr}, {nullptr, "b"}, {"", ""},   {nullptr, ""}, {"", nullptr}, {nullptr, nullptr}};
  std::vector<std::uint32_t> hashes{mark.hash};
  for (const auto& [key, value] : others) hashes.push_back(mark_of(record(key, value)).hash);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(hashes[i] != hashes[j]);
  CHECK(mark_of(record("bidder-7", R"({"price":42})")).hash == 0xbc50fe6d);
}
