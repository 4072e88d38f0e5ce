#include "kappa/engine/log/kafka/rights.h"

#include "kappa/engine/error.h"

namespace kappa::detail {

bool is_denied(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: return true;
    default: return false;
  }
}

std::string one_of(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : "\" or \"") + name;
  return all;
}

void refuse_if_denied(rd_kafka_resp_err_t code, const std::string& what, const KafkaRight& right,
                      const std::string& way_out) {
  if (!is_denied(code)) return;
  refuse(what + ": the brokers do not allow it (" + rd_kafka_err2name(code) + "). The user lacks " + right.operation +
         " on " + right.resource + " \"" + right.name + "\": grant it (kafka-acls; docs/OPERATING.md has the list)" +
         (way_out.empty() ? "" : ", or " + way_out));
}

}  // namespace kappa::detail
