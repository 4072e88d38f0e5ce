// kappa/operators/format/raw_decoder.h: records as they are: columns `key`, `value` (text or bytea), `timestamp`.
//
// Threads:  belongs to one task.
#pragma once

#include <string>
#include <vector>

#include "kappa/operators/format/column_writer.h"
#include "kappa/operators/format/format.h"

namespace kappa {

class RawDecoder : public Decoder {
 public:
  /// Throws Error{usage} for columns that raw records do not have.
  explicit RawDecoder(const Schema& columns);
  void decode(std::span<const RecordView> records, Result& result) override;

 private:
  enum class Part : std::uint8_t { key, value, timestamp };
  struct Target {
    ColumnWriter writer;
    Part part = Part::value;
    bool nullable = true;
  };
  bool decode_part(Target& target, const RecordView& record, std::int64_t row);

  std::vector<Target> targets_;
  std::string cause_;
};

}  // namespace kappa
