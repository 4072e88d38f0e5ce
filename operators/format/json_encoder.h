// kappa/operators/format/json_encoder.h: rows → records whose values are JSON objects. See format.h.
//
// Threads:  belongs to one task.
#pragma once

#include <string>
#include <vector>

#include "kappa/operators/format/format.h"

namespace kappa {

class JsonEncoder : public Encoder {
 public:
  /// Throws Error{usage} for key columns that do not exist.
  explicit JsonEncoder(const JsonEncoderOptions& options);
  void encode(const Batch& batch, EncodedRows& out) override;

 private:
  std::vector<std::string> openings_;  // per column: {"a": or ,"b":
  std::vector<int> key_columns_;
  std::vector<const Column*> keys_;
};

}  // namespace kappa
