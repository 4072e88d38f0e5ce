#include "kappa/engine/log/kafka/kafka_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kappa/engine/clock.h"
#include "kappa/engine/error.h"
#include "kappa/engine/log/kafka/rights.h"
#include "kappa/engine/log/record_batch.h"
#include "kappa/engine/log/varint.h"

namespace kappa::detail {

namespace {
constexpr std::size_t kTakenMax = 4096;
constexpr std::chrono::milliseconds kSlice{50};
constexpr std::chrono::milliseconds kReadTimeout{60'000};
constexpr char kNoHeaders[16] = {};  // a count of zero, and what the reader of a varint may look at behind it

// Appends the message's headers as RecordBatch v2 has them: count, then key and value of each; how many bytes that was,
// 0 where there are none. librdkafka makes a buffer of some hundred bytes for each message that is asked, even for one
// without.
std::size_t append_headers(std::string& bytes, const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  const std::size_t had = bytes.size();
  append_unsigned(bytes, zigzag(static_cast<std::int64_t>(rd_kafka_header_cnt(headers))));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    const std::size_t length = std::strlen(name);
    append_unsigned(bytes, zigzag(static_cast<std::int64_t>(length)));
    bytes.append(name, length);
    append_unsigned(bytes, zigzag(value ? static_cast<std::int64_t>(size) : -1));
    if (value) bytes.append(static_cast<const char*>(value), size);
  }
  return bytes.size() - had;
}

bool is_record(const rd_kafka_message_t& message) { return message.err == RD_KAFKA_RESP_ERR_NO_ERROR; }
}  // namespace

KafkaReader::KafkaReader(const Shared& shared, TopicPartition at, std::int64_t from)
    : shared_(shared), at_(std::move(at)), position_(from) {
  const KafkaCluster::Offsets offsets = shared_.cluster.offsets(at_);
  if (from < offsets.start || from > offsets.end)
    refuse(to_string(at_) + " has no offset " + std::to_string(from) + ": it holds " + std::to_string(offsets.start) +
           " to " + std::to_string(offsets.end));
  known_end_ = offsets.end;
  fetch_ = std::make_unique<KafkaFetch>(shared_.fetchers, at_, from);
}

KafkaReader::~KafkaReader() { drop_to(messages_.size()); }

void KafkaReader::drop_to(std::size_t to) {
  for (; next_ < to; ++next_) rd_kafka_message_destroy(messages_[next_]);
  if (next_ < messages_.size()) return;
  messages_.clear();
  next_ = 0;
}

// Something lies between the position and `before`: a record, or a gap whose end the fetch will tell. An end beyond
// what is known is asked for only by bounded reads; a tail is told by its queue.
bool KafkaReader::is_there_more(std::int64_t before) {
  if (position_ < std::min(before, known_end_)) return true;
  if (position_ < before && before < std::numeric_limits<std::int64_t>::max() / 4)
    known_end_ = std::max(known_end_, shared_.cluster.offsets(at_).end);
  return position_ < std::min(before, known_end_);
}

void KafkaReader::fetch(std::int64_t before) {
  const std::uint64_t wakes = shared_.news.wakes();
  for (std::chrono::milliseconds wait(0);; wait = kSlice) {
    fetch_->take(messages_, kTakenMax, wait);
    if (!messages_.empty() || !is_there_more(before)) {
      waiting_since_.reset();
      return;
    }
    check_patience();
    if (!waits_ || shared_.news.wakes() != wakes) return;
  }
}

void KafkaReader::check_patience() {
  const auto now = system_clock().now();
  if (!waiting_since_) waiting_since_ = now;
  if (now - *waiting_since_ >= kReadTimeout)
    throw LogUnavailable(to_string(at_) + " offset " + std::to_string(position_) +
                         " does not come: the Kafka brokers have not sent it for " +
                         std::to_string(kReadTimeout.count()) + " ms. " + shared_.client.messages().last_error());
}

void KafkaReader::read(RecordBlock& block, std::int64_t records_max, std::int64_t before) {
  block.records.clear();
  block.memory.clear();
  const std::uint64_t wakes = shared_.news.wakes();
  while (block.records.empty() && position_ < before) {
    if (next_ == messages_.size()) fetch(before);
    if (messages_.empty()) return;
    const std::size_t to = choose(records_max, before);
    if (!chosen_.empty()) copy(block);
    drop_to(to);
    if (shared_.news.wakes() != wakes) return;
  }
}

// Moves the position over what stands in front of `records_max` records below `before`, and lists those; the index
// behind the last one looked at.
std::size_t KafkaReader::choose(std::int64_t records_max, std::int64_t before) {
  chosen_.clear();
  std::size_t i = next_;
  for (; i < messages_.size() && static_cast<std::int64_t>(chosen_.size()) < records_max; ++i) {
    const rd_kafka_message_t& message = *messages_[i];
    if (!is_record(message)) {
      if (message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF && !chosen_.empty()) break;  // what was read goes first
      pass(message);
      continue;
    }
    if (message.offset >= before) {
      position_ = std::max(position_, before);  // what lies between is a gap
      break;
    }
    if (message.offset < position_) {
      if (!told_of_repeats_)
        shared_.client.messages().tell("kafka: " + to_string(at_) + " offset " + std::to_string(message.offset) +
                                       " came twice; it is read once");
      told_of_repeats_ = true;
      continue;
    }
    position_ = message.offset + 1;
    chosen_.push_back(i);
  }
  return i;
}

void KafkaReader::pass(const rd_kafka_message_t& event) {
  if (event.err != RD_KAFKA_RESP_ERR__PARTITION_EOF) fail_at(event);
  position_ = std::max(position_, event.offset);
  known_end_ = std::max(known_end_, event.offset);
}

void KafkaReader::fail_at(const rd_kafka_message_t& event) {
  const std::string where = to_string(at_) + " offset " + std::to_string(position_);
  if (event.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || event.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    const KafkaCluster::Offsets offsets = shared_.cluster.offsets(at_);
    fail(where + " is not there any more: the partition holds " + std::to_string(offsets.start) + " to " +
         std::to_string(offsets.end) + ". Records were removed (retention, DeleteRecords), or the topic was made anew");
  }
  refuse_if_denied(event.err, to_string(at_) + " cannot be read", {"READ", "topic", at_.topic});
  fail(where + " cannot be read: " + error_text(event.err) + ": " + rd_kafka_message_errstr(&event));
}

void KafkaReader::copy(RecordBlock& block) {
  headers_.clear();
  header_sizes_.clear();
  std::size_t bytes = 0;
  for (const std::size_t i : chosen_) {
    bytes += messages_[i]->len + messages_[i]->key_len;
    header_sizes_.push_back(wants_headers_ ? append_headers(headers_, *messages_[i]) : 0);
  }
  const std::shared_ptr<Chunk> chunk = shared_.memory.take(static_cast<std::int64_t>(bytes + headers_.size()));
  char* at = chunk->data.get();
  const auto place = [&at](const void* data, std::size_t size) -> const char* {
    if (!data) return nullptr;
    if (size > 0) std::memcpy(at, data, size);
    return std::exchange(at, at + size);
  };
  const char* headers = place(headers_.data(), headers_.size());
  block.records.reserve(chosen_.size());
  for (std::size_t n = 0; n < chosen_.size(); ++n) {
    const rd_kafka_message_t& message = *messages_[chosen_[n]];
    rd_kafka_timestamp_type_t type{};
    RecordView& record = block.records.emplace_back();
    record.offset = message.offset;
    record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
    record.key_data = place(message.key, message.key_len);
    record.key_size = static_cast<std::int32_t>(message.key_len);
    record.value_data = place(message.payload, message.len);
    record.value_size = static_cast<std::int32_t>(message.len);
    record.headers_data = header_sizes_[n] == 0 ? kNoHeaders : headers;
    record.headers_size = header_sizes_[n] == 0 ? 1 : static_cast<std::int32_t>(header_sizes_[n]);
    headers += header_sizes_[n];
  }
  block.memory.push_back(chunk);
}

}  // namespace kappa::detail
