#include "kappa/engine/log/local/journal_state.h"

#include <algorithm>
#include <tuple>

#include "kappa/engine/log/varint.h"

namespace kappa::detail {
namespace {

constexpr std::int64_t kPartitionsMax = 100'000;

void append_text(std::string& out, std::string_view text) {
  append_varint(out, static_cast<std::int64_t>(text.size()));
  out.append(text);
}

void append_at(std::string& out, const TopicPartition& at) {
  append_text(out, at.topic);
  append_varint(out, at.partition);
}

void append_partition(std::string& out, const PartitionState& state) {
  append_varint(out, state.start);
  append_varint(out, state.end);
  append_varint(out, static_cast<std::int64_t>(state.segments.size()));
  for (const Segment& segment : state.segments) {
    append_varint(out, segment.base);
    append_varint(out, segment.bytes);
    append_varint(out, segment.is_adopted ? 1 : 0);
  }
  append_varint(out, state.aborted == nullptr ? 0 : static_cast<std::int64_t>(state.aborted->size()));
  if (state.aborted == nullptr) return;
  for (const AbortedRange& range : *state.aborted) {
    append_varint(out, range.producer_id);
    append_varint(out, range.first);
    append_varint(out, range.last);
  }
}

void append_position(std::string& out, const Position& position) {
  append_at(out, position.at);
  append_varint(out, position.offset);
  append_text(out, position.metadata);
}

/// Reads a payload; after a mistake every further value is empty and ok() is false.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : left_(payload) {}

  std::int64_t number() {
    std::uint64_t raw = 0;
    for (unsigned shift = 0; shift <= 63; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      raw |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
      if ((byte & 0x80u) == 0) return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
    }
    ok_ = false;
    left_ = {};
    return 0;
  }
  std::string text() {
    const auto size = count();
    std::string out(left_.substr(0, size));
    left_.remove_prefix(size);
    return out;
  }
  /// A number of things that follow, each of at least a byte.
  std::size_t count() {
    const std::int64_t value = number();
    if (value >= 0 && value <= static_cast<std::int64_t>(left_.size())) return static_cast<std::size_t>(value);
    ok_ = false;
    left_ = {};
    return 0;
  }
  TopicPartition at() {
    TopicPartition out;
    out.topic = text();
    out.partition = static_cast<std::int32_t>(number());
    return out;
  }
  Position position() {
    Position out;
    out.at = at();
    out.offset = number();
    out.metadata = text();
    return out;
  }
  PartitionState partition() {
    PartitionState out;
    out.start = number();
    out.end = number();
    for (auto left = count(); left > 0; --left) {
      Segment& segment = out.segments.emplace_back();
      segment.base = number();
      segment.bytes = number();
      segment.is_adopted = number() != 0;
    }
    std::vector<AbortedRange> aborted;
    for (auto left = count(); left > 0; --left) {
      AbortedRange& range = aborted.emplace_back();
      range.producer_id = number();
      range.first = number();
      range.last = number();
    }
    if (!aborted.empty()) out.aborted = std::make_shared<const std::vector<AbortedRange>>(std::move(aborted));
    return out;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is_done() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

PartitionState* find_mutable(JournalState& state, const TopicPartition& at) {
  return const_cast<PartitionState*>(state.find(at));
}

bool apply_topic(JournalState& state, PayloadReader& in) {
  const std::string name = in.text();
  const std::int64_t partitions = in.number();
  if (!in.is_done() || partitions < 1 || partitions > kPartitionsMax) return false;
  return state.topics.try_emplace(name, static_cast<std::size_t>(partitions)).second;
}

bool apply_commit(JournalState& state, PayloadReader& in) {
  for (auto left = in.count(); left > 0; --left) {
    const TopicPartition at = in.at();
    const std::int64_t end = in.number();
    const std::int64_t base = in.number();
    const std::int64_t bytes = in.number();
    PartitionState* partition = find_mutable(state, at);
    if (!in.ok() || partition == nullptr || end < partition->end || bytes < 0) return false;
    auto& segments = partition->segments;
    if (segments.empty() || segments.back().base < base) segments.push_back({base, 0, false});
    if (segments.back().base != base || segments.back().bytes > bytes) return false;
    segments.back().bytes = bytes;
    partition->end = end;
  }
  const std::string group = in.text();
  const auto positions = in.count();
  for (auto left = positions; left > 0; --left) {
    Position position = in.position();
    if (in.ok()) state.groups[group].insert_or_assign(position.at, position);
  }
  return in.is_done();
}

bool apply_adopt(JournalState& state, PayloadReader& in) {
  PartitionState* partition = find_mutable(state, in.at());
  PartitionState added = in.partition();
  if (!in.is_done() || partition == nullptr) return false;
  partition->start = added.start;
  partition->end = added.end;
  partition->segments.insert(partition->segments.end(), added.segments.begin(), added.segments.end());
  if (added.aborted == nullptr) return true;
  std::vector<AbortedRange> all(*added.aborted);
  if (partition->aborted != nullptr) all.insert(all.end(), partition->aborted->begin(), partition->aborted->end());
  std::sort(all.begin(), all.end(), [](const AbortedRange& a, const AbortedRange& b) {
    return std::tie(a.producer_id, a.first) < std::tie(b.producer_id, b.first);
  });
  partition->aborted = std::make_shared<const std::vector<AbortedRange>>(std::move(all));
  return true;
}

bool apply_snapshot(JournalState& state, PayloadReader& in) {
  JournalState fresh;
  for (auto topics = in.count(); topics > 0; --topics) {
    auto& partitions = fresh.topics[in.text()];
    for (auto left = in.count(); left > 0; --left) partitions.push_back(in.partition());
  }
  for (auto groups = in.count(); groups > 0; --groups) {
    auto& positions = fresh.groups[in.text()];
    for (auto left = in.count(); left > 0; --left) {
      Position position = in.position();
      positions.insert_or_assign(position.at, position);
    }
  }
  for (auto producers = in.count(); producers > 0; --producers) {
    const std::string id = in.text();
    fresh.producer_epochs[id] = in.number();
  }
  if (!in.is_done()) return false;
  fresh.sequence = state.sequence;
  state = std::move(fresh);
  return true;
}

}  // namespace

bool JournalState::apply(JournalKind kind, std::string_view payload) {
  PayloadReader in(payload);
  switch (kind) {
    case JournalKind::snapshot: return apply_snapshot(*this, in);
    case JournalKind::topic: return apply_topic(*this, in);
    case JournalKind::commit: return apply_commit(*this, in);
    case JournalKind::forget: groups.erase(in.text()); return in.is_done();
    case JournalKind::producer: {
      const std::string id = in.text();
      producer_epochs[id] = in.number();
      return in.is_done();
    }
    case JournalKind::adopt: return apply_adopt(*this, in);
  }
  return false;
}

const PartitionState* JournalState::find(const TopicPartition& at) const {
  const auto topic = topics.find(at.topic);
  if (topic == topics.end() || at.partition < 0) return nullptr;
  const auto index = static_cast<std::size_t>(at.partition);
  return index < topic->second.size() ? &topic->second[index] : nullptr;
}

std::string snapshot_payload(const JournalState& state) {
  std::string out;
  append_varint(out, static_cast<std::int64_t>(state.topics.size()));
  for (const auto& [name, partitions] : state.topics) {
    append_text(out, name);
    append_varint(out, static_cast<std::int64_t>(partitions.size()));
    for (const PartitionState& partition : partitions) append_partition(out, partition);
  }
  append_varint(out, static_cast<std::int64_t>(state.groups.size()));
  for (const auto& [name, positions] : state.groups) {
    append_text(out, name);
    append_varint(out, static_cast<std::int64_t>(positions.size()));
    for (const auto& [at, position] : positions) append_position(out, position);
  }
  append_varint(out, static_cast<std::int64_t>(state.producer_epochs.size()));
  for (const auto& [id, epoch] : state.producer_epochs) {
    append_text(out, id);
    append_varint(out, epoch);
  }
  return out;
}

std::string topic_payload(const std::string& name, std::int32_t partitions) {
  std::string out;
  append_text(out, name);
  append_varint(out, partitions);
  return out;
}

std::string commit_payload(const std::vector<CommitPart>& parts, const std::string& group,
                           std::span<const Position> positions) {
  std::string out;
  append_varint(out, static_cast<std::int64_t>(parts.size()));
  for (const CommitPart& part : parts) {
    append_at(out, part.at);
    append_varint(out, part.end);
    append_varint(out, part.segment);
    append_varint(out, part.bytes);
  }
  append_text(out, group);
  append_varint(out, static_cast<std::int64_t>(positions.size()));
  for (const Position& position : positions) append_position(out, position);
  return out;
}

std::string forget_payload(const std::string& group) {
  std::string out;
  append_text(out, group);
  return out;
}

std::string producer_payload(const std::string& transactional_id, std::int64_t epoch) {
  std::string out;
  append_text(out, transactional_id);
  append_varint(out, epoch);
  return out;
}

std::string adopt_payload(const TopicPartition& at, const PartitionState& added) {
  std::string out;
  append_at(out, at);
  append_partition(out, added);
  return out;
}

bool is_aborted(const std::vector<AbortedRange>* ranges, std::int64_t producer_id, std::int64_t base) {
  if (ranges == nullptr) return false;
  auto behind = std::upper_bound(ranges->begin(), ranges->end(), std::pair(producer_id, base),
                                 [](const std::pair<std::int64_t, std::int64_t>& wanted, const AbortedRange& range) {
                                   return wanted < std::pair(range.producer_id, range.first);
                                 });
  return behind != ranges->begin() && (--behind)->producer_id == producer_id && base <= behind->last;
}

}  // namespace kappa::detail
