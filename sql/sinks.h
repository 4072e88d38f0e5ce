// kappa/sql/sinks.h: CREATE MATERIALIZED VIEW and INSERT INTO: what writes topics.
#pragma once

#include <map>
#include <string>

#include "kappa/sql/planner.h"

namespace kappa::sql {

class Sinks {
 public:
  void materialize(const SourceText& source, Planner& planner, const Json& statement, int location);
  void insert(const SourceText& source, Planner& planner, const Json& statement, int location);
  /// There is a sink, and none writes a topic that the pipeline reads.
  void check(const SourceText& source, const Planner& planner) const;

 private:
  void add_topic(const SourceText& source, const std::string& topic, int location);

  std::map<std::string, int> topics_;  // → where it is written
};

}  // namespace kappa::sql
