// kappa log adopt: a broker's segment files become a topic of the embedded log.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/service/commands.h"

namespace kappa {

int command_log_adopt(CommandContext& context, const AdoptArguments& arguments) {
  LocalLog* local = context.local_log(true);
  if (!local) usage_error("log adopt copies files into the embedded log; it is of no use with bootstrap.servers");
  LocalLog& log = *local;
  if (!log.topic(arguments.topic)) log.create_topic(arguments.topic, arguments.partitions);
  const TopicPartition at{arguments.topic, arguments.partition};
  if (at.partition < 0 || at.partition >= log.topic(arguments.topic)->partitions)
    usage_error(
        fmt::format("topic \"{}\" has partitions 0 to {}", at.topic, log.topic(arguments.topic)->partitions - 1));
  const std::vector<std::filesystem::path> files(arguments.files.begin(), arguments.files.end());
  const AdoptReport report = log.adopt_segments(at, files);
  if (context.json()) {
    fmt::print("{}\n", nlohmann::ordered_json{{"topic", at.topic},
                                              {"partition", at.partition},
                                              {"start", report.start_offset},
                                              {"end", report.end_offset},
                                              {"records", report.records},
                                              {"aborted_records", report.aborted_records},
                                              {"open_transactions", report.open_transactions},
                                              {"cut_bytes", report.cut_bytes}}
                           .dump());
    return 0;
  }
  context.tell(fmt::format("{} holds offsets {} to {}: {} records ({} of aborted or open transactions are not seen)",
                           to_string(at), report.start_offset, report.end_offset, report.records,
                           report.aborted_records));
  return 0;
}

}  // namespace kappa
