#include "kappa/tests/service/on_kafka.h"

#include <nlohmann/json.hpp>

#include <sstream>

namespace kappa::cli {

OnKafka::OnKafka() {
  testkit::delete_groups({"hot-bids", "hot-totals.group", "flight-delays-flights"});
  place.write("kappa.conf", kKafkaConf);
  place.environment["KAPPA_BOOTSTRAP_SERVERS"] = testkit::broker();
}

std::vector<std::string> published(const Place& place, const std::string& topic) {
  std::vector<std::string> records;
  std::istringstream lines(place.topic(topic));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json record = nlohmann::json::parse(line);
    record.erase("offset");
    for (auto header = record["headers"].begin(); header != record["headers"].end();)
      header = header.key().rfind("kappa-", 0) == 0 ? record["headers"].erase(header) : std::next(header);
    records.push_back(record.dump());
  }
  return records;
}

}  // namespace kappa::cli
