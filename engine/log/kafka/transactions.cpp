#include "kappa/engine/log/kafka/transactions.h"

#include <condition_variable>
#include <optional>

#include "kappa/engine/clock.h"

namespace kappa::detail {

namespace {
constexpr std::chrono::milliseconds kGrace{10'000};  // beyond the timeout that librdkafka was given
}

struct KafkaTransactions::Shared {
  std::shared_ptr<KafkaMessages> messages;  // outlives the handle, which logs to it
  KafkaHandle handle;
  std::mutex mutex;
  std::condition_variable changed;
  std::function<rd_kafka_error_t*(rd_kafka_t*, int)> function;  // set: to be called
  int timeout_ms = 0;
  std::optional<KafkaError> answer;
  bool ended = false;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ended || function; });
      if (ended) return;
      const auto call = std::exchange(function, nullptr);
      const int timeout = timeout_ms;
      lock.unlock();
      KafkaError error(call(handle.get(), timeout));
      lock.lock();
      answer = std::move(error);
      changed.notify_all();
    }
  }
};

KafkaTransactions::KafkaTransactions(KafkaHandle handle, std::shared_ptr<KafkaMessages> messages)
    : shared_(std::make_shared<Shared>()) {
  shared_->messages = std::move(messages);
  shared_->handle = std::move(handle);
  thread_ = std::thread([shared = shared_] { shared->work(); });
}

KafkaTransactions::~KafkaTransactions() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ended = true;
  }
  shared_->changed.notify_all();
  if (stuck_)
    thread_.detach();  // it keeps what it uses
  else
    thread_.join();
}

rd_kafka_t* KafkaTransactions::handle() const { return shared_->handle.get(); }

CallResult KafkaTransactions::judge(const rd_kafka_error_t& error) {
  const rd_kafka_resp_err_t code = rd_kafka_error_code(&error);
  problem_code_ = code;
  problem_ = std::string(rd_kafka_error_name(&error)) + ": " + rd_kafka_error_string(&error);
  if (code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
      code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
    return CallResult::fenced;
  char text[512] = "";
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(handle(), text, sizeof(text));
  if (fatal == RD_KAFKA_RESP_ERR__FENCED) return CallResult::fenced;
  if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_error_is_fatal(&error)) return CallResult::broken;
  return rd_kafka_error_txn_requires_abort(&error) ? CallResult::abort : CallResult::broken;
}

CallResult KafkaTransactions::call(std::chrono::milliseconds timeout,
                                   std::function<rd_kafka_error_t*(rd_kafka_t*, int)> function) {
  const auto until = system_clock().now() + timeout;
  while (!stuck_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - system_clock().now());
    std::unique_lock lock(shared_->mutex);
    shared_->function = function;
    shared_->timeout_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 1));
    shared_->answer.reset();
    shared_->changed.notify_all();
    if (!shared_->changed.wait_for(lock, left + kGrace, [&] { return shared_->answer.has_value(); })) {
      stuck_ = true;
      problem_code_ = RD_KAFKA_RESP_ERR__TIMED_OUT;
      problem_ = "the Kafka client does not return from a call";
      break;
    }
    const KafkaError error = std::move(*shared_->answer);
    lock.unlock();
    if (!error) return CallResult::done;
    const bool again = rd_kafka_error_is_retriable(error.get()) && system_clock().now() < until;
    const CallResult result = judge(*error);
    if (result == CallResult::fenced || result == CallResult::abort || !again) return result;
  }
  return CallResult::broken;
}

}  // namespace kappa::detail
