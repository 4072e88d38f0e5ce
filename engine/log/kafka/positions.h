// kappa/engine/log/kafka/positions.h: positions as librdkafka takes them.
//
// Threads:  a value.
// Owns:     copies of the metadata.
#pragma once

#include <algorithm>
#include <span>

#include "kappa/engine/log.h"
#include "kappa/engine/log/kafka/handles.h"

namespace kappa::detail {

[[nodiscard]] inline KafkaPartitions list_of(std::span<const Position> positions) {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const Position& position : positions) {
    rd_kafka_topic_partition_t* one =
        rd_kafka_topic_partition_list_add(list.get(), position.at.topic.c_str(), position.at.partition);
    one->offset = position.offset;
    one->metadata_size = position.metadata.size();
    one->metadata = rd_kafka_mem_malloc(nullptr, std::max<std::size_t>(position.metadata.size(), 1));
    std::copy(position.metadata.begin(), position.metadata.end(), static_cast<char*>(one->metadata));
  }
  return list;
}

}  // namespace kappa::detail
