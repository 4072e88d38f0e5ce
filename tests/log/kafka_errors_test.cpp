// Errors that a real broker gives too rarely for a test: librdkafka's mock cluster answers with them when told to. It
// is good for nothing else: it knows no transactions.
// clang-format off: the order matters
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
// clang-format on

#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/kafka_log.h"
#include "kappa/tests/kit/catch.h"

namespace kappa::testkit {
namespace {
constexpr std::int16_t kOffsetFetch = 9;  // of the protocol's requests

class MockCluster {
 public:
  MockCluster()
      : handle_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(handle_, 1)) {
    rd_kafka_mock_topic_create(cluster_, "bids", 2, 1);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  [[nodiscard]] std::unique_ptr<KafkaLog> open() const {
    KafkaLogOptions options;
    options.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster_);
    return open_kafka_log(std::move(options));
  }
  void fail_next(std::int16_t request, rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, 1, &code);
  }

 private:
  rd_kafka_t* handle_;
  rd_kafka_mock_cluster_t* cluster_;
};

TEST_CASE("positions are asked for again while their coordinator moves", "[kafka]") {
  for (const auto code : {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                          RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS}) {
    INFO(rd_kafka_err2name(code));
    MockCluster cluster;
    const auto log = cluster.open();
    cluster.fail_next(kOffsetFetch, code);
    CHECK(log->committed("hot-bids").empty());
    cluster.fail_next(kOffsetFetch, code);
    CHECK(log->committed("hot-bids").empty());
  }
}

TEST_CASE("positions that may not be read are an error that names the group", "[kafka]") {
  MockCluster cluster;
  const auto log = cluster.open();
  cluster.fail_next(kOffsetFetch, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  try {
    (void)log->committed("hot-bids");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Matchers::Contains("hot-bids") && Catch::Matchers::Contains("GROUP_AUTHORIZATION"));
  }
}
}  // namespace
}  // namespace kappa::testkit
