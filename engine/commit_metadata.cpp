#include "kappa/engine/commit_metadata.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
std::uint32_t checksum(std::string_view text) {
  return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

std::string body(const CommitMetadata& m) {
  std::string text = fmt::format("k1 seq={} start={} progress={} released={} decision={} state={}", m.sequence, m.start,
                                 m.progress, m.released, m.decision, m.state);
  if (m.last) text += fmt::format(" last={}:{}:{:08x}", m.last->offset, m.last->timestamp_ms, m.last->hash);
  return text;
}

std::string_view field(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(" " + std::string(name) + "=");
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find(' ', begin) - begin);
}

std::int64_t number(std::string_view text, std::string_view name) {
  const std::string_view digits = field(text, name);
  std::int64_t v = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), v);
  return v;
}

// Whatever does not read back as it was written is refused as a whole.
std::optional<RecordMark> mark(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char* const end = text.data() + text.size();
  RecordMark mark;
  const auto skip = [end](const char* at) { return at < end ? at + 1 : end; };
  const char* at = skip(std::from_chars(text.data(), end, mark.offset).ptr);
  at = skip(std::from_chars(at, end, mark.timestamp_ms).ptr);
  std::from_chars(at, end, mark.hash, 16);
  return mark;
}
}  // namespace

RecordMark mark_of(const RecordView& record) {
  const std::uint64_t nulls = (record.key_is_null() ? 1U : 0U) | (record.value_is_null() ? 2U : 0U);
  const std::uint64_t key = XXH3_64bits_withSeed(record.key_data, static_cast<std::size_t>(record.key_size), nulls);
  const std::uint64_t both = XXH3_64bits_withSeed(record.value_data, static_cast<std::size_t>(record.value_size), key);
  return {record.offset, record.timestamp_ms, static_cast<std::uint32_t>(both)};
}

std::string to_string(const CommitMetadata& metadata) {
  const std::string text = body(metadata);
  return fmt::format("{} crc={:08x}", text, checksum(text));
}

CommitMetadata parse_commit_metadata(const Position& position) {
  const std::string_view text = position.metadata;
  const CommitMetadata parsed{number(text, "seq"),      number(text, "start"),    number(text, "progress"),
                              number(text, "released"), number(text, "decision"), std::string(field(text, "state")),
                              mark(field(text, "last"))};
  if (to_string(parsed) != text)
    refuse(fmt::format(
        "the position {} committed for {} was not written by kappa (metadata \"{}\"): it was moved by another tool. "
        "To correct history use `kappa replay`; to start over use another application.id",
        position.offset, to_string(position.at), text));
  return parsed;
}

}  // namespace kappa
