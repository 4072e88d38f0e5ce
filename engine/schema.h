// kappa/engine/schema.h: names and types of the columns that flow along an edge of a graph.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kappa/engine/types.h"

namespace kappa {

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  bool operator==(const Field&) const = default;
};

class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] int size() const { return static_cast<int>(fields_.size()); }
  [[nodiscard]] const Field& operator[](int i) const { return fields_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::optional<int> find(std::string_view name) const;
  /// The name nearest to `name` by edit distance, for "did you mean"; empty where nothing is near.
  [[nodiscard]] std::string nearest(std::string_view name) const;
  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
};

/// "(bidder bigint, total numeric(38,0))": as in CREATE TABLE; not-null columns say NOT NULL.
[[nodiscard]] std::string to_string(const Schema& schema);

/// Of `candidates`, the one nearest to `word` (at most a third of its letters differ); empty if none is near.
[[nodiscard]] std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace kappa
