#include "kappa/engine/schema.h"

#include <algorithm>
#include <numeric>

namespace kappa {

std::optional<int> Schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].name == name) return static_cast<int>(i);
  return std::nullopt;
}

std::string Schema::nearest(std::string_view name) const {
  std::vector<std::string> names;
  for (const Field& field : fields_) names.push_back(field.name);
  return nearest_word(name, names);
}

std::string to_string(const Schema& schema) {
  std::string out = "(";
  for (const Field& field : schema.fields()) {
    if (out.size() > 1) out += ", ";
    out += field.name + " " + to_string(field.type) + (field.nullable ? "" : " NOT NULL");
  }
  return out + ")";
}

namespace {
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}
}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, (word.size() + 2) / 3) + 1;
  for (const std::string& candidate : candidates)
    if (const std::size_t distance = edit_distance(word, candidate); distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  return best ? *best : std::string();
}

}  // namespace kappa
