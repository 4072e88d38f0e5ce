// kappa/operators/format/json_decoder.h: JSON records → columns. See format.h for the rules.
//
// Threads:  belongs to one task.
// Owns:     all memory that a record needs, reused from record to record: none is allocated per row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kappa/operators/format/column_writer.h"
#include "kappa/operators/format/format.h"
#include "kappa/operators/format/json_scanner.h"

namespace kappa {

class JsonDecoder : public Decoder {
 public:
  /// Throws Error{usage} for options that make no sense.
  explicit JsonDecoder(const JsonDecoderOptions& options);
  void decode(std::span<const RecordView> records, Result& result) override;

 private:
  struct Target {
    ColumnWriter writer;
    std::string field;  // as a message names it: its path
    bool nullable = true;
  };
  bool decode_record(const RecordView& record, std::int64_t row);
  bool convert(Target& target, std::int64_t offset, std::int64_t row);
  bool convert_number(Target& target, const char* text, std::int64_t row);
  bool convert_timestamp(Target& target, const char* text, std::int64_t row);
  bool convert_string(Target& target, const char* text, std::int64_t row);
  [[nodiscard]] std::string_view string_content(const char* text);
  bool reject(const Target& target, const char* text, const char* why);
  bool reject_null(const Target& target, bool missing);

  std::vector<Target> targets_;
  std::unique_ptr<JsonScanner> scanner_;
  std::int64_t unit_us_ = 1000;  // of integer timestamps
  std::int64_t record_bytes_max_ = 0;
  std::string_view document_;
  std::string content_, cause_;
};

}  // namespace kappa
