// kappa/service/topic_check.h: what the settings of Kafka's topics mean for a graph, looked at before anything is
// written.
//
// Threads:  one.
// Errors:   Error{refused} where a replay cannot be right.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kappa/engine/topology.h"

namespace kappa {

/// As the brokers have them, such as "retention.ms".
using TopicSettings = std::map<std::string, std::string>;
/// None where there is no such topic, or the brokers do not tell.
using DescribeTopic = std::function<std::optional<TopicSettings>(const std::string& topic)>;

struct TopicCheck {
  const Graph& graph;
  const Topology& topology;
  DescribeTopic settings;
  std::int64_t batch_bytes = 0;  // how large a producer makes its batches
};

/// Topics that a run writes and that would refuse, remove or restamp results: a line each. Topics that do not exist yet
/// give none.
[[nodiscard]] std::vector<std::string> sink_warnings(const TopicCheck& check);
/// These, and inputs that may not hold what a start without a checkpoint reads again, or lose records unseen.
[[nodiscard]] std::vector<std::string> topic_warnings(const TopicCheck& check);
/// What a plan has to say about the sources. Refuses a compacted one: what is read again is not what was read.
[[nodiscard]] std::vector<std::string> check_replayable(const TopicCheck& check);

}  // namespace kappa
