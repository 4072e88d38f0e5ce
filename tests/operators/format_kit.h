// kappa/tests/operators/format_kit.h: records as a log gives them, for the tests of the formats.
#pragma once

#include <string>
#include <vector>

#include "kappa/engine/value_text.h"
#include "kappa/operators/format/format.h"

namespace kappa::testkit {

/// Records whose values lie in memory that is readable 64 bytes past their ends, and is hostile there.
class Records {
 public:
  void add(std::string_view value) { values_.emplace_back(std::string(value) + std::string(72, behind_)); }
  void fill_behind_with(char c) { behind_ = c; }
  [[nodiscard]] std::vector<RecordView> views() const {
    std::vector<RecordView> views;
    for (const std::string& value : values_) {
      RecordView view;
      view.value_data = value.data();
      view.value_size = static_cast<std::int32_t>(value.size() - 72);
      views.push_back(view);
    }
    return views;
  }

 private:
  std::vector<std::string> values_;
  char behind_ = '7';
};

/// The row that one document gives as JSON, or "failed: <cause>".
inline std::string decode_one(Decoder& decoder, std::string_view document, char behind = '7') {
  Records records;
  records.fill_behind_with(behind);
  records.add(document);
  Decoder::Result result;
  decoder.decode(records.views(), result);
  if (!result.failures.empty()) return "failed: " + result.failures.front().cause;
  std::string row;
  for (const Column& column : result.columns) {
    if (!row.empty()) row += ' ';
    append_json(row, column, 0);
  }
  return row;
}

inline std::string decode_one(const JsonDecoderOptions& options, std::string_view document) {
  return decode_one(*json_decoder(options)(), document);
}

}  // namespace kappa::testkit
