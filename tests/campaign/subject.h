// tests/campaign/subject.h: the pipelines that are tortured, their input, and what they must publish.
//
// What is expected comes from a run without faults on the embedded log. For the windows that must be what the
// independent recomputation of tests/oracle expects, too; the stateless pipeline is outside of its family.
//
// Threads:  values.
// Errors:   std::runtime_error where the two do not agree, or the embedded run does not end well.
#pragma once

#include "kappa/tests/identity/arena.h"

namespace kappa::campaign {

enum class Shape : std::uint8_t { windows, repartition, stateless };
[[nodiscard]] std::string to_string(Shape shape);

struct Subject {
  Shape shape = Shape::windows;
  testkit::Scenario scenario;        // names of its topics begin with the application's
  std::map<std::string, int> sinks;  // that readers see: results, late records, dead letters
  testkit::Published expected;       // by "topic-partition"; kappa-offset counts the input's records
};

/// A pure function of these; `name` is the application's.
[[nodiscard]] Subject subject(Shape shape, const std::string& name, std::uint64_t seed, std::int64_t rows);
/// By "topic-partition", headers as they are.
[[nodiscard]] testkit::Published published(Log& log, const std::map<std::string, int>& topics);
/// Empty if equal, else the first difference of each sequence. A dead letter of a node is in order with those of that
/// node alone: how batches are cut decides which of two nodes comes first.
[[nodiscard]] std::string difference(const testkit::Published& want, const testkit::Published& got);
/// What `--close` publishes, instead of what `--until-end` does.
void expect_close(Subject& subject);

}  // namespace kappa::campaign
