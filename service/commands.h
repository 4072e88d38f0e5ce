// kappa/service/commands.h: one function per verb. Each returns the exit code; errors are exceptions that main() turns
// into codes.
#pragma once

#include <optional>
#include <string>

#include "kappa/service/context.h"

namespace kappa {

struct RunArguments {
  bool until_end = false, close = false, rebuild = false;
};
int command_run(CommandContext& context, const RunArguments& arguments);

struct ReplayArguments {
  std::string from, to, output = "topic", name;
  std::int64_t rate = 0;
  bool execute = false;
};
int command_plan(CommandContext& context, const ReplayArguments& arguments);
int command_replay(CommandContext& context, const ReplayArguments& arguments);

struct DiffArguments {
  std::string run, against = "live";
  int examples = 10;
};
int command_diff(CommandContext& context, const DiffArguments& arguments);

int command_validate(CommandContext& context);
int command_graph(CommandContext& context, const std::string& format);
int command_checkpoints(CommandContext& context, bool verify);

int command_log_topics(CommandContext& context);
int command_log_schema(CommandContext& context, const std::string& topic);

struct ImportArguments {
  std::string topic, file, key, timestamp;
  std::string timestamp_unit = "ms";
  int partitions = 1;
  std::int64_t rate = 0;
};
int command_log_import(CommandContext& context, const ImportArguments& arguments);

struct AdoptArguments {
  std::string topic;
  std::vector<std::string> files;  // in offset order
  int partition = 0, partitions = 1;
};
int command_log_adopt(CommandContext& context, const AdoptArguments& arguments);

struct ProduceArguments {
  std::string topic, key_separator;
  int partitions = 1;
  std::optional<int> partition;
  std::optional<std::int64_t> timestamp_ms;
};
int command_log_produce(CommandContext& context, const ProduceArguments& arguments);

struct ReadArguments {
  std::string topic;
  bool values = false, follow = false, table = false;
  std::optional<int> partition;
  std::int64_t records_max = -1;
};
int command_log_read(CommandContext& context, const ReadArguments& arguments);

struct GenerateArguments {
  std::string topic = "bids", kind = "bid", key = "bidder", out_of_order;
  std::int64_t events = 1'000'000, first_event = 0, uniform_keys = 0;
  int partitions = 4;
  double event_rate = 10'000;
};
int command_generate_nexmark(CommandContext& context, const GenerateArguments& arguments);

}  // namespace kappa
