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
  struct Target {
    std::string opening;  // {"a": or ,"b":
    // The instant written last: rows of one window share theirs.
    std::int64_t instant_us = 0;
    std::string instant;  // as JSON; empty: none yet
  };
  static void append_instant(std::string& out, Target& target, std::int64_t us);

  std::vector<Target> targets_;
  std::vector<int> key_columns_;
  bool key_as_array_;
  std::vector<const Column*> keys_;
};

}  // namespace kappa
