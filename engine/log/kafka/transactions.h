// kappa/engine/log/kafka/transactions.h: the transaction calls of one librdkafka producer, each with an end.
//
// librdkafka 2.0 was seen to stay in such a call for ever, whatever timeout it was given (cold coordinator, positions
// of an unknown topic), so they run on a thread of their own, which is waited for only so long.
//
// Threads:  one, the producer's.
// Owns:     the handle and the thread. A call that never returns keeps both: they are left behind then, once.
// Errors:   results; nothing is thrown.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "kappa/engine/log/kafka/client.h"

namespace kappa::detail {

enum class CallResult : std::uint8_t {
  done,
  abort,   // the transaction must be aborted; the producer stays usable
  fenced,  // a newer producer of this id exists
  broken,  // the producer is of no use any more, and what became of the transaction is unknown
};

class KafkaTransactions {
 public:
  KafkaTransactions(KafkaHandle handle, std::shared_ptr<KafkaMessages> messages);
  ~KafkaTransactions();
  KafkaTransactions(const KafkaTransactions&) = delete;
  KafkaTransactions& operator=(const KafkaTransactions&) = delete;

  [[nodiscard]] rd_kafka_t* handle() const;
  /// Calls until it has succeeded, failed for good, or `timeout` is over; each time with the milliseconds that are
  /// left.
  [[nodiscard]] CallResult call(std::chrono::milliseconds timeout,
                                std::function<rd_kafka_error_t*(rd_kafka_t*, int)> function);
  /// What the last call that was not done said.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] rd_kafka_resp_err_t problem_code() const { return problem_code_; }

 private:
  struct Shared;  // with the thread
  CallResult judge(const rd_kafka_error_t& error);

  std::shared_ptr<Shared> shared_;  // by the thread too: a call that does not return outlives this object
  std::thread thread_;
  std::string problem_;
  rd_kafka_resp_err_t problem_code_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  bool stuck_ = false;
};

}  // namespace kappa::detail
