// kappa/operators/format/metadata.h: columns taken from what a record carries beside its value: key, headers, topic,
// partition, offset, timestamp. All of it is part of the log, so a replay sees what live saw.
//
// Threads:  as format.h.
// Errors:   Error{usage} when the factory is made; a record that cannot be decoded is a Decoder::Failure.
#pragma once

#include <map>
#include <string>

#include "kappa/operators/format/format.h"

namespace kappa {

/// Column → 'key', 'header:trace-id', 'topic', 'partition', 'offset' or 'timestamp'.
using MetadataColumns = std::map<std::string, std::string>;

/// Error{usage} where there is no such metadata (with the nearest word), or `column` cannot hold it: topic is text,
/// partition and offset bigint, timestamp timestamptz. Key and headers are text, bytea, or read from text as any other
/// type.
void check_metadata(const Field& column, const std::string& metadata);

/// Makes decoders of one partition.
using PartitionDecoderFactory = std::function<std::unique_ptr<Decoder>(const TopicPartition&)>;

/// `values` makes the decoder of the other columns, in their order; none where there are no others. Of headers with one
/// name the last one counts. A null key, an absent header and a header without a value are null; in a NOT NULL column
/// that is a failure, as is a key or header that is not of the column's type. `timestamp_unit`: of keys and headers
/// that are integers, in timestamptz columns.
[[nodiscard]] PartitionDecoderFactory with_metadata(DecoderFactory values, const Schema& columns,
                                                    const MetadataColumns& metadata,
                                                    const std::string& timestamp_unit = "ms");

}  // namespace kappa
