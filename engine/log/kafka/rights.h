// kappa/engine/log/kafka/rights.h: what the brokers do not allow the user, in words that say which right is missing.
// docs/OPERATING.md lists the rights that kappa needs.
//
// Threads:  pure functions.
// Errors:   kappa::Error `refused`: asking again does not help, so nothing waits for it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <set>
#include <string>

namespace kappa::detail {

/// A right and what it is on: "READ on topic \"bids\"".
struct KafkaRight {
  const char* operation = "";
  const char* resource = "topic";  // or group, transactional id
  std::string name;
};

/// `a" or "b`: for the name of a right where the brokers do not say which of them it was.
[[nodiscard]] std::string one_of(const std::set<std::string>& names);

/// The answer to somebody who may not do it.
[[nodiscard]] bool is_denied(rd_kafka_resp_err_t code);
/// Refuses if `code` is such an answer. `what` could not be done, `right` is what it needs; a sentence in `way_out`
/// says what else helps.
void refuse_if_denied(rd_kafka_resp_err_t code, const std::string& what, const KafkaRight& right,
                      const std::string& way_out = "");

}  // namespace kappa::detail
