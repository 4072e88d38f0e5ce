// Tumbling aggregates over random rows, for the tests.
#pragma once

#include <map>
#include <memory>

#include "kappa/operators/tumble.h"
#include "kappa/tests/operators/tumble_oracle.h"

namespace kappa::testkit {

[[nodiscard]] std::shared_ptr<const TumblePlan> plan_of(const TumbleCase& test);
[[nodiscard]] std::unique_ptr<Tumble> make_tumble(const TumbleCase& test, std::int64_t batch_rows = kBatchRows);

/// A column of every type and every aggregate over it, keyed by the columns `key_columns` (index into that schema).
[[nodiscard]] TumbleCase every_aggregate(std::vector<int> key_columns);
/// Out-of-order rows for the schema of every_aggregate(): few keys, some of them hot, many nulls.
[[nodiscard]] std::vector<Row> random_rows(std::mt19937_64& rng, const TumbleCase& test, std::size_t count);

/// What a checkpoint of one node holds, as the state store would keep it; checks what a StateWriter requires.
class MemoryState : public StateWriter {
 public:
  void put(std::string_view key, std::string_view value) override;
  void erase_range(std::string_view from, std::string_view to) override;
  /// Writes a checkpoint; one that says that it is complete must equal all that is kept here.
  void checkpoint(Operator& op);
  [[nodiscard]] int complete() const { return complete_; }
  [[nodiscard]] int partial() const { return partial_; }
  void restore_into(Operator& op) const;
  using Entries = std::map<std::string, std::string>;
  [[nodiscard]] const Entries& entries() const { return entries_; }

 private:
  Entries entries_;
  std::string last_;
  std::string erased_to_;
  Entries* also_ = nullptr;  // takes what is put, as an empty database would
  int complete_ = 0, partial_ = 0;
};

}  // namespace kappa::testkit
