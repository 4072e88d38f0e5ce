// kappa generate nexmark.
#include <fmt/format.h>

#include <charconv>

#include "kappa/engine/error.h"
#include "kappa/service/commands.h"
#include "kappa/service/nexmark.h"

namespace kappa {

namespace {
constexpr std::int64_t kGenerateCommitRecords = 100'000;

NexmarkKind kind_of(const std::string& text) {
  if (text == "bid") return NexmarkKind::bid;
  if (text == "auction") return NexmarkKind::auction;
  if (text == "person") return NexmarkKind::person;
  if (text == "all") return NexmarkKind::all;
  usage_error("--kind is bid, auction, person or all, not \"" + text + "\"");
}

NexmarkKey key_of(const std::string& text) {
  if (text == "bidder") return NexmarkKey::bidder;
  if (text == "auction") return NexmarkKey::auction;
  if (text == "none") return NexmarkKey::none;
  usage_error("--key is bidder, auction or none, not \"" + text + "\"");
}

void read_out_of_order(const std::string& text, NexmarkOptions& options) {
  if (text.empty()) return;
  const std::size_t comma = text.find(',');
  const char* begin = text.data();
  const char* end = begin + text.size();
  const bool good = comma != std::string::npos &&
                    std::from_chars(begin, begin + comma, options.late_fraction).ptr == begin + comma &&
                    std::from_chars(begin + comma + 1, end, options.late_ms).ptr == end;
  if (!good) usage_error("--out-of-order is SHARE,MS, such as 0.1,3000");
}
}  // namespace

int command_generate_nexmark(CommandContext& context, const GenerateArguments& arguments) {
  NexmarkOptions options;
  options.kind = kind_of(arguments.kind);
  options.key = key_of(arguments.key);
  options.events = arguments.events;
  options.first_event = arguments.first_event;
  options.uniform_keys = arguments.uniform_keys;
  options.rate = arguments.event_rate;
  read_out_of_order(arguments.out_of_order, options);
  Log& log = context.log(true);
  install_signals();
  if (const auto info = log.topic(arguments.topic))
    options.partitions = info->partitions;
  else
    log.create_topic(arguments.topic, options.partitions = arguments.partitions);
  NexmarkGenerator generator(options);
  const std::unique_ptr<Producer> producer = log.open_producer("generate-" + arguments.topic);
  std::int64_t made = 0;
  NexmarkRecord event;
  const auto commit = [&] {
    if (producer->commit("", {}) != CommitOutcome::committed) fail("the commit did not succeed");
  };
  while (!signal_stop().stop_requested() && generator.next(event)) {
    const OutRecord record{event.key, event.value, event.key_is_null, false, event.timestamp_ms, {}};
    producer->append({arguments.topic, event.partition}, std::span(&record, 1));
    if (++made % kGenerateCommitRecords != 0) continue;
    commit();
    show_progress(fmt::format("{} of {} records", made, arguments.events));
  }
  commit();
  end_progress();
  context.tell(fmt::format("{} records in topic {} ({} partitions)", made, arguments.topic, options.partitions));
  return signal_exit_code();
}

}  // namespace kappa
