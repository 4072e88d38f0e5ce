#include "kappa/operators/window_state.h"

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/operators/state_key.h"

namespace kappa {

namespace {
constexpr char kVersion = 1;
constexpr char kGroup = 0, kMember = 1;

// Bytes of an accumulator other than a text extreme: it is written as it lies in memory, which is little-endian.
std::size_t plain_width(const GroupLayout& layout, std::size_t call) {
  const auto& all = layout.accumulators();
  return (call + 1 < all.size() ? all[call + 1].offset : layout.stride()) - all[call].offset;
}

bool always_has_value(AccumulatorKind kind) {
  return kind == AccumulatorKind::count || kind == AccumulatorKind::distinct;
}

void append_accumulator(std::string& out, const GroupLayout& layout, std::size_t call, const std::uint8_t* row) {
  const Accumulator& a = layout.accumulators()[call];
  if (!always_has_value(a.kind)) {
    out += static_cast<char>(row[a.seen]);
    if (row[a.seen] == 0) return;
  }
  const std::uint8_t* place = row + a.offset;
  if (a.kind == AccumulatorKind::extreme_bytes) {
    const auto state = load<ExtremeBytes>(place);
    out.append(reinterpret_cast<const char*>(&state.size), 4);
    out.append(state.data, state.size);
    return;
  }
  out.append(reinterpret_cast<const char*>(place), plain_width(layout, call));
}

std::string_view take(std::string_view& bytes, std::size_t n) {
  if (bytes.size() < n) fail("the state of a window's group ends early");
  const std::string_view taken = bytes.substr(0, n);
  bytes.remove_prefix(n);
  return taken;
}

void read_accumulator(std::string_view& bytes, const GroupLayout& layout, std::size_t call, GroupRow row,
                      ByteArena& arena) {
  const Accumulator& a = layout.accumulators()[call];
  if (!always_has_value(a.kind)) {
    const char seen = take(bytes, 1)[0];
    if (seen != 0 && seen != 1) fail("the state of a window's group is damaged");
    row[a.seen] = static_cast<std::uint8_t>(seen);
    if (seen == 0) return;
  }
  if (a.kind != AccumulatorKind::extreme_bytes) {
    const std::size_t width = plain_width(layout, call);
    std::memcpy(row + a.offset, take(bytes, width).data(), width);
    return;
  }
  ExtremeBytes state;
  std::memcpy(&state.size, take(bytes, 4).data(), 4);
  const std::string_view text = take(bytes, state.size);
  state.capacity = state.size;
  state.data = arena.allocate(state.size);
  if (!text.empty()) std::memcpy(state.data, text.data(), text.size());
  store(row + a.offset, state);
}

// Makes what the copied row points to its own.
void copy_bytes(const GroupLayout& layout, GroupRow row, ByteArena& arena) {
  if (!layout.fixed_key()) {
    const auto* key = load<const char*>(row);
    store(row, arena.store({key, 4 + stored_key(row).size()}));
  }
  for (const Accumulator& a : layout.accumulators()) {
    if (a.kind != AccumulatorKind::extreme_bytes || row[a.seen] == 0) continue;
    auto state = load<ExtremeBytes>(row + a.offset);
    char* place = arena.allocate(state.size);
    if (state.size > 0) std::memcpy(place, state.data, state.size);
    state.data = place;
    store(row + a.offset, state);
  }
}
}  // namespace

void FrozenWindows::add(std::int64_t end, WindowTable& table) {
  const GroupLayout& layout = plan_->layout;
  Window& window = windows_.emplace_back();
  window.end = end;
  window.groups = complete_ ? table.size() : table.dirty().size();
  window.rows.reset(static_cast<std::uint8_t*>(allocate_huge(window.groups * layout.stride())));
  GroupRow row = window.rows.get();
  const auto copy = [&](std::uint32_t number) {
    std::memcpy(row, table.group(number), layout.stride());
    copy_bytes(layout, row, window.arena);
    row += layout.stride();
  };
  if (complete_)
    for (std::uint32_t number = 0; number < table.size(); ++number) copy(number);
  else
    for (const std::uint32_t number : table.dirty()) copy(number);
  for (std::size_t call = 0; call < table.distinct().size(); ++call) {
    if (!table.distinct()[call]) continue;
    const DistinctSet& set = *table.distinct()[call];
    for (std::size_t k = complete_ ? 0 : set.first_dirty(); k < set.members().size(); ++k)
      window.members.push_back(
          {set.members()[k].group, static_cast<std::uint32_t>(call), std::string(set.members()[k].value())});
  }
  table.mark_clean();
}

void FrozenWindows::write(StateWriter& writer) {
  if (erase_) {
    std::string to;
    append_ordered(to, erase_end_ + 1);
    writer.erase_range({}, to);
  }
  for (Window& window : windows_) write_window(writer, window);
}

void FrozenWindows::write_window(StateWriter& writer, Window& window) const {
  const GroupLayout& layout = plan_->layout;
  std::vector<OrderedGroup> groups(window.groups);
  for (std::size_t k = 0; k < groups.size(); ++k) groups[k].row = window.rows.get() + k * layout.stride();
  sort_groups(groups, layout.fixed_key());
  std::sort(window.members.begin(), window.members.end(), [](const Member& a, const Member& b) {
    return std::tie(a.group, a.call, a.value) < std::tie(b.group, b.call, b.value);
  });
  std::string key, value;
  append_ordered(key, window.end);
  const std::size_t end_size = key.size();
  constexpr std::size_t kAhead = 16;  // rows lie in the order of insertion: each is a cache miss
  for (std::size_t k = 0; k < groups.size(); ++k) {
    if (k + kAhead < groups.size()) __builtin_prefetch(groups[k + kAhead].row);
    const OrderedGroup& group = groups[k];
    key.resize(end_size);
    write_group(writer, key, value, group.row);
    const auto number = load<std::uint32_t>(group.row + GroupLayout::kNumber);
    if (window.members.empty()) continue;
    auto member = std::lower_bound(window.members.begin(), window.members.end(), number,
                                   [](const Member& a, std::uint32_t b) { return a.group < b; });
    key.back() = kMember;
    const std::size_t prefix = key.size();
    for (; member != window.members.end() && member->group == number; ++member) {
      key.resize(prefix);
      key += static_cast<char>(member->call >> 8);
      key += static_cast<char>(member->call);
      key += member->value;
      writer.put(key, {});
    }
  }
}

// Leaves `key` as the group's own, which ends in its kind.
void FrozenWindows::write_group(StateWriter& writer, std::string& key, std::string& value,
                                const std::uint8_t* row) const {
  const GroupLayout& layout = plan_->layout;
  if (!layout.fixed_key())
    key += stored_key(row);
  else if ((row[GroupLayout::kFlags] & GroupLayout::kNullKey) != 0)
    key += '\2';
  else
    append_state_key(key, load<std::int64_t>(row));
  key += kGroup;
  value.assign(1, kVersion);
  for (std::size_t call = 0; call < layout.accumulators().size(); ++call) append_accumulator(value, layout, call, row);
  writer.put(key, value);
}

void WindowRestorer::add(WindowTable& table, std::string_view key, std::string_view value) {
  const GroupLayout& layout = plan_.layout;
  const std::string_view state_key = take(key, state_key_size(key, plan_.key_types));
  GroupRow row = table.restore_group(state_key);
  const char kind = take(key, 1)[0];
  if (kind == kMember) {
    const std::string_view call = take(key, 2);
    const auto index = static_cast<std::size_t>(static_cast<std::uint8_t>(call[0])) << 8 |
                       static_cast<std::size_t>(static_cast<std::uint8_t>(call[1]));
    if (index >= table.distinct().size() || !table.distinct()[index])
      fail("a distinct value in the state of a window belongs to no count(DISTINCT …)");
    table.distinct()[index]->insert(load<std::uint32_t>(row + GroupLayout::kNumber), key, table.arena());
    table.distinct()[index]->mark_clean();
    return;
  }
  if (kind != kGroup || take(value, 1)[0] != kVersion) fail("the state of a window has an unknown format");
  for (std::size_t call = 0; call < layout.accumulators().size(); ++call)
    read_accumulator(value, layout, call, row, table.arena());
  if (!value.empty()) fail("the state of a window's group is longer than its aggregates");
}

}  // namespace kappa
