#include "kappa/replay/diff.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "kappa/engine/error.h"

namespace kappa {

namespace {
constexpr std::int64_t kReadAtOnce = 4096;

struct Sides {
  std::optional<std::string> before,
      after;               // the last value of a key; "" for a tombstone is told apart by the optional
  std::int64_t count = 0;  // of records without a key: new minus old
  bool keyed = true;
};
using Keys = std::map<std::string, Sides, std::less<>>;

// Without a key, timestamp and value together are what is compared.
std::string identity(const RecordView& record) {
  if (!record.key_is_null()) return "k" + std::string(record.key());
  return fmt::format("n{:020d}{}", record.timestamp_ms, record.value());
}

class Comparison {
 public:
  Comparison(Log& log, const DiffOptions& options, SinkDiff& diff) : log_(log), options_(options), diff_(diff) {}

  void run() {
    const std::int64_t records = size_of(diff_.old_topic) + size_of(diff_.new_topic);
    const auto passes =
        static_cast<std::uint64_t>(std::max<std::int64_t>(1, (records + options_.keys_max - 1) / options_.keys_max));
    for (std::uint64_t pass = 0; pass < passes; ++pass) {
      Keys keys;
      scan(
          diff_.old_topic, passes, pass,
          [](Sides& sides, const RecordView& record) { take(sides, record, sides.before, -1); }, keys);
      scan(
          diff_.new_topic, passes, pass,
          [](Sides& sides, const RecordView& record) { take(sides, record, sides.after, +1); }, keys);
      for (const auto& [key, sides] : keys) judge(key, sides);
    }
  }

 private:
  static void take(Sides& sides, const RecordView& record, std::optional<std::string>& side, std::int64_t count) {
    sides.keyed = !record.key_is_null();
    if (!sides.keyed) {
      sides.count += count;
      side = std::string(record.value());
    } else if (record.value_is_null()) {
      side.reset();
    } else {
      side = std::string(record.value());
    }
  }

  std::int64_t size_of(const std::string& topic) {
    const auto info = log_.topic(topic);
    if (!info) refuse(fmt::format("topic \"{}\" does not exist: there is nothing to compare with", topic));
    std::int64_t records = 0;
    for (std::int32_t p = 0; p < info->partitions; ++p)
      records += log_.end_offset({topic, p}) - log_.start_offset({topic, p});
    return records;
  }

  void scan(const std::string& topic, std::uint64_t passes, std::uint64_t pass,
            const std::function<void(Sides&, const RecordView&)>& add, Keys& keys) {
    const std::int32_t partitions = log_.topic(topic).value().partitions;
    for (std::int32_t p = 0; p < partitions; ++p) {
      const TopicPartition at{topic, p};
      const std::int64_t end = log_.end_offset(at);
      const std::unique_ptr<Reader> reader = log_.open_reader(at, log_.start_offset(at));
      RecordBlock block;
      while (reader->position() < end) {
        reader->read(block, kReadAtOnce, end);
        for (const RecordView& record : block.records) {
          const std::int64_t us = record.timestamp_ms * 1000 + 999;  // record timestamps are milliseconds, rounded down
          if (us < options_.from_us || record.timestamp_ms * 1000 >= options_.to_us) continue;
          std::string key = identity(record);
          if (XXH3_64bits(key.data(), key.size()) % passes == pass) add(keys[std::move(key)], record);
        }
      }
    }
  }

  void judge(const std::string& key, const Sides& sides) {
    if (!sides.keyed) {
      if (sides.count == 0)
        ++diff_.same;
      else if (sides.count > 0)
        diff_.only_new += sides.count, example("only-new", "", "", sides.after.value_or(""));
      else
        diff_.only_old -= sides.count, example("only-old", "", sides.before.value_or(""), "");
    } else if (!sides.before && !sides.after) {
      return;  // a tombstone on both sides, or on one and nothing on the other
    } else if (!sides.before) {
      ++diff_.only_new;
      example("only-new", key.substr(1), "", *sides.after);
    } else if (!sides.after) {
      ++diff_.only_old;
      example("only-old", key.substr(1), *sides.before, "");
    } else if (*sides.before == *sides.after) {
      ++diff_.same;
    } else {
      ++diff_.changed;
      example("changed", key.substr(1), *sides.before, *sides.after);
    }
  }

  void example(const char* kind, std::string key, std::string before, std::string after) {
    if (diff_.examples.size() < static_cast<std::size_t>(options_.examples_max))
      diff_.examples.push_back({kind, std::move(key), std::move(before), std::move(after)});
  }

  Log& log_;
  const DiffOptions& options_;
  SinkDiff& diff_;
};
}  // namespace

SinkDiff diff_topics(Log& log, const std::string& old_topic, const std::string& new_topic, const DiffOptions& options) {
  SinkDiff diff;
  diff.old_topic = old_topic;
  diff.new_topic = new_topic;
  Comparison(log, options, diff).run();
  return diff;
}

}  // namespace kappa
