// kappa plan, replay, diff.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/time_text.h"
#include "kappa/replay/diff.h"
#include "kappa/service/commands.h"
#include "kappa/service/report.h"

namespace kappa {

namespace {
ReplaySpec spec_of(const ReplayArguments& arguments) {
  const std::int64_t now = system_clock().wall_ms();
  ReplaySpec spec;
  spec.from_us = parse_time_argument(arguments.from, now, "--from");
  if (!arguments.to.empty()) spec.to_us = parse_time_argument(arguments.to, now, "--to");
  spec.output = parse_replay_output(arguments.output);
  spec.name = arguments.name;
  if (spec.name.empty()) {  // the same command has the same name, so that it can be repeated to go on
    append_timestamp(spec.name, spec.from_us);
    spec.name = "replay-" + spec.name.substr(0, 10);
  }
  return spec;
}

// What the topics' settings mean for the replay; refuses sources that cannot be replayed.
std::vector<std::string> topic_notes(CommandContext& context, Log& log, const ReplaySpec& spec) {
  const Topology topology = topology_of(context.graph(), log, spec.name);
  const TopicCheck check = context.topic_check(topology);
  std::vector<std::string> notes = check_replayable(check);
  if (spec.output == ReplayOutput::upsert)
    for (std::string& warning : sink_warnings(check)) notes.push_back(std::move(warning));
  return notes;
}
}  // namespace

int command_plan(CommandContext& context, const ReplayArguments& arguments) {
  const Graph& graph = context.application();
  Log& log = context.log(false);
  const ReplaySpec spec = spec_of(arguments);
  check_replay_name(spec.name);
  const std::vector<std::string> notes = topic_notes(context, log, spec);
  const std::unique_ptr<StateStore> state = context.look_at_state();
  ReplayPlan plan = plan_replay(graph, log, state.get(), spec);
  plan.notes.insert(plan.notes.end(), notes.begin(), notes.end());
  fmt::print("{}{}", context.json() ? to_json(plan) : describe(plan), context.json() ? "\n" : "");
  return 0;
}

int command_replay(CommandContext& context, const ReplayArguments& arguments) {
  if (!arguments.execute) {
    const int code = command_plan(context, arguments);
    if (!context.json()) fmt::print("nothing was written; --execute runs it\n");
    return code;
  }
  const Graph& graph = context.application();
  ReplayOptions options;
  options.spec = spec_of(arguments);
  options.run = run_options(context.settings());
  options.run.rate = arguments.rate;
  options.run.live_lag_max = context.settings().integer("replay.live.lag", 0, std::int64_t{1} << 40);
  options.run.message = [&](const std::string& line) { context.tell(line); };
  Progress progress(*options.run.clock);
  options.run.progress = [&](std::int64_t read, std::int64_t of) { progress.show(read, of); };
  install_signals();
  Log& log = context.log(false);
  check_replay_name(options.spec.name);
  for (const std::string& note : topic_notes(context, log, options.spec)) context.tell(note);
  const std::unique_ptr<StateStore> state = context.state(options.spec.name, true);
  const ReplayReport report = run_replay(graph, log, state.get(), context.catalog(), std::move(options), signal_stop());
  end_progress();
  if (context.json())
    fmt::print("{}\n", to_json(report));
  else
    fmt::print("{}", describe(report));
  return signal_exit_code();
}

namespace {
std::string example_text(const DiffExample& example) {
  std::string out = fmt::format("  {} {}\n", example.kind, example.key);
  if (!example.old_value.empty()) out += "    - " + example.old_value + "\n";
  if (!example.new_value.empty()) out += "    + " + example.new_value + "\n";
  return out;
}

void print_diffs(const CommandContext& context, const std::vector<SinkDiff>& diffs) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const SinkDiff& diff : diffs) {
    if (!context.json()) {
      fmt::print("{} against {}: {} same, {} changed, {} only old, {} only new\n", diff.new_topic, diff.old_topic,
                 diff.same, diff.changed, diff.only_old, diff.only_new);
      for (const DiffExample& example : diff.examples) fmt::print("{}", example_text(example));
      continue;
    }
    nlohmann::ordered_json examples = nlohmann::ordered_json::array();
    for (const DiffExample& e : diff.examples)
      examples.push_back({{"kind", e.kind}, {"key", e.key}, {"old", e.old_value}, {"new", e.new_value}});
    all.push_back({{"old_topic", diff.old_topic},
                   {"new_topic", diff.new_topic},
                   {"same", diff.same},
                   {"changed", diff.changed},
                   {"only_old", diff.only_old},
                   {"only_new", diff.only_new},
                   {"examples", examples}});
  }
  if (context.json()) fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

CatalogEntry replay_named(const CommandContext& context, const std::string& name) {
  std::vector<CatalogEntry> found = find_replays(context.settings().text("state.directory"), name);
  const std::string application = context.settings().text("application.id");
  if (!application.empty())
    std::erase_if(found, [&](const CatalogEntry& entry) { return entry.application != application; });
  if (found.empty())
    refuse(fmt::format("there is no replay \"{}\" in {}; `kappa replay … --name {} --execute` makes one", name,
                       context.settings().text("state.directory"), name));
  if (found.size() > 1)
    usage_error(fmt::format("several applications have a replay \"{}\": give --set application.id=…", name));
  return std::move(found.front());
}
}  // namespace

int command_diff(CommandContext& context, const DiffArguments& arguments) {
  const CatalogEntry entry = replay_named(context, arguments.run);
  if (entry.plan.spec.output != ReplayOutput::topic)
    refuse(fmt::format("replay \"{}\" wrote no topic of its own (--output {}): there is nothing to compare",
                       arguments.run, to_string(entry.plan.spec.output)));
  if (!entry.finished)
    context.tell(fmt::format("replay \"{}\" is not finished: what it has written so far is compared", arguments.run));
  Log& log = context.log(false);
  DiffOptions options;
  options.from_us = entry.plan.spec.from_us;
  options.to_us = entry.plan.spec.to_us;
  options.examples_max = arguments.examples;
  std::vector<SinkDiff> diffs;
  for (const PlannedSink& sink : entry.plan.sinks) {
    std::string old_topic = sink.topic.substr(0, sink.topic.size() - entry.plan.spec.name.size() - 1);
    if (arguments.against != "live") old_topic += "." + arguments.against;
    diffs.push_back(diff_topics(log, old_topic, sink.topic, options));
  }
  print_diffs(context, diffs);
  return std::any_of(diffs.begin(), diffs.end(), [](const SinkDiff& diff) { return diff.differs(); }) ? 1 : 0;
}

}  // namespace kappa
