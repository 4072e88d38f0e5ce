// kappa/engine/log/kafka/handles.h: librdkafka's objects with their destructors.
//
// Threads:  as librdkafka: an rd_kafka_t from any thread, the rest from one.
// Owns:     what it points to.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace kappa::detail {

template <auto Destroy>
struct KafkaDestroy {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};

using KafkaHandle = std::unique_ptr<rd_kafka_t, KafkaDestroy<rd_kafka_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDestroy<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDestroy<rd_kafka_queue_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaDestroy<rd_kafka_event_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, KafkaDestroy<rd_kafka_error_destroy>>;
using KafkaMetadata = std::unique_ptr<const struct rd_kafka_metadata, KafkaDestroy<rd_kafka_metadata_destroy>>;
using KafkaPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaDestroy<rd_kafka_topic_partition_list_destroy>>;
using KafkaAdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDestroy<rd_kafka_AdminOptions_destroy>>;
using KafkaGroupMetadata =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, KafkaDestroy<rd_kafka_consumer_group_metadata_destroy>>;

}  // namespace kappa::detail
