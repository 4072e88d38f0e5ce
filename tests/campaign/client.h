// tests/campaign/client.h: librdkafka without kappa around it, for what the harness itself writes and reads.
//
// Threads:  functions; share nothing.
// Errors:   std::runtime_error with librdkafka's text.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "kappa/engine/log/kafka/handles.h"

namespace kappa::campaign {

inline detail::KafkaHandle client(rd_kafka_type_t type, const std::string& address,
                                  std::map<std::string, std::string> settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  settings["bootstrap.servers"] = address;
  settings["log_level"] = "0";  // the broker's deaths are no news here
  settings["reconnect.backoff.max.ms"] = "200";
  char problem[512] = "";
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem, sizeof problem) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(problem);
  detail::KafkaHandle handle(rd_kafka_new(type, conf, problem, sizeof problem));
  if (!handle) throw std::runtime_error(problem);
  return handle;
}

inline void check(rd_kafka_error_t* raw, const std::string& what) {
  const detail::KafkaError error(raw);
  if (error) throw std::runtime_error(what + ": " + rd_kafka_error_string(error.get()));
}

}  // namespace kappa::campaign
