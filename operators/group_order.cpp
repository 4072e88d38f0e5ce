#include "kappa/operators/group_order.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kappa {

namespace {
constexpr std::size_t kRadixFrom = 512;  // fewer are sorted faster by comparing

void radix_sort(std::vector<OrderedGroup>& groups) {
  std::array<std::array<std::uint32_t, 256>, 8> counts{};
  for (const OrderedGroup& group : groups)
    for (std::size_t byte = 0; byte < 8; ++byte) ++counts[byte][group.key >> (8 * byte) & 0xff];
  std::vector<OrderedGroup> other(groups.size());
  for (std::size_t byte = 0; byte < 8; ++byte) {
    auto& count = counts[byte];
    if (count[groups.front().key >> (8 * byte) & 0xff] == groups.size()) continue;  // this byte is the same in all
    std::uint32_t at = 0;
    for (std::uint32_t& c : count) c = std::exchange(at, at + c);
    for (const OrderedGroup& group : groups) other[count[group.key >> (8 * byte) & 0xff]++] = group;
    groups.swap(other);
  }
}
}  // namespace

void sort_groups(std::vector<OrderedGroup>& groups, bool fixed_key) {
  if (groups.size() < 2) return;
  if (!fixed_key) {
    std::sort(groups.begin(), groups.end(),
              [](const OrderedGroup& a, const OrderedGroup& b) { return stored_key(a.row) < stored_key(b.row); });
    return;
  }
  const auto null = std::find_if(groups.begin(), groups.end(), [](const OrderedGroup& group) {
    return (group.row[GroupLayout::kFlags] & GroupLayout::kNullKey) != 0;
  });
  OrderedGroup last;
  if (null != groups.end()) {
    last = *null;
    groups.erase(null);
  }
  for (OrderedGroup& group : groups) group.key = load<std::uint64_t>(group.row) ^ 0x8000'0000'0000'0000ULL;
  if (groups.size() >= kRadixFrom)
    radix_sort(groups);
  else
    std::sort(groups.begin(), groups.end(), [](const OrderedGroup& a, const OrderedGroup& b) { return a.key < b.key; });
  if (last.row != nullptr) groups.push_back(last);
}

}  // namespace kappa
