#include "kappa/service/main.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "kappa/engine/error.h"
#include "kappa/engine/schema.h"
#include "kappa/service/commands.h"
#include "kappa/service/messages.h"

namespace kappa {

namespace {
constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 differs (diff), 2 usage, 3 refused before anything was written, 4 failed, 130 or 143 "
    "signalled.\n"
    "Times: RFC 3339, a date (UTC), epoch milliseconds, or a duration back from now (6h).";

using Command = std::function<int(CommandContext&)>;

// The verbs and their options. A parsed verb leaves its command in `chosen`.
class CommandLine {
 public:
  explicit CommandLine(bool own_program) : own_(own_program) {
    app_.footer(kExitCodes);
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "kappa " KAPPA_VERSION);
    add_run();
    add_replay();
    add_inspect();
    add_log();
    if (!own_) add_generate();
  }
  CLI::App& app() { return app_; }
  [[nodiscard]] const CommonOptions& common() const { return common_; }
  [[nodiscard]] const Command& chosen() const { return chosen_; }

 private:
  // `output` is --output where the verb has no other meaning for it, else --format.
  CLI::App* verb(CLI::App& parent, const std::string& name, const std::string& help, bool pipeline,
                 const Command& command, const char* json_option = "--output") {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->add_option("--set", common_.sets, "NAME=VALUE of a setting; repeatable")->take_all()->allow_extra_args(false);
    sub->add_option("--config", common_.config, "a settings file (default: ./kappa.conf if there is one)");
    if (json_option) sub->add_option(json_option, output_, "text (default) or json");
    if (pipeline && !own_) sub->add_option("PIPELINE", common_.pipeline, "an SQL file")->required();
    sub->callback([this, command] {
      if (output_ != "text" && output_ != "json") throw CLI::ValidationError("output is text or json");
      common_.json = output_ == "json";
      chosen_ = command;
    });
    return sub;
  }

  void add_run() {
    CLI::App* run = verb(app_, "run", "Run the pipeline: as a service, or up to the ends of its inputs", true,
                         [this](CommandContext& context) { return command_run(context, run_); });
    run->add_flag("--until-end", run_.until_end, "stop at the ends found at the start; open windows stay open");
    run->add_flag("--close", run_.close, "at those ends, close all windows (a recorded decision; for ended inputs)");
    run->add_flag("--rebuild", run_.rebuild,
                  "after an edit that changes state: drop the checkpoints and read the log again, muted");
  }

  void add_replay_options(CLI::App* sub) {
    sub->add_option("--from", replay_.from, "results whose event time is at or after this")->required();
    sub->add_option("--to", replay_.to, "… and before this (default: the end)");
    sub->add_option("--output", replay_.output,
                    "topic (default: <sink>.<name>), upsert (the same topic), none (measure, verify)");
    sub->add_option("--name", replay_.name, "of this replay; the same name goes on with an interrupted one");
  }

  void add_replay() {
    add_replay_options(verb(
        app_, "plan", "Show what a replay would read, keep muted and write", true,
        [this](CommandContext& context) { return command_plan(context, replay_); }, "--format"));
    CLI::App* replay = verb(
        app_, "replay", "Run the same graph over history; writes nothing without --execute", true,
        [this](CommandContext& context) { return command_replay(context, replay_); }, "--format");
    add_replay_options(replay);
    replay->add_option("--rate", replay_.rate, "records per second at most");
    replay->add_flag("--execute", replay_.execute, "do it");
    CLI::App* diff = verb(app_, "diff", "Compare what a replay published with what live did; exit code 1 if it differs",
                          false, [this](CommandContext& context) { return command_diff(context, diff_); });
    diff->add_option("RUN", diff_.run, "name of the replay")->required();
    diff->add_option("--against", diff_.against, "live (default) or another replay's name");
    diff->add_option("--examples", diff_.examples, "how many differences to show for each sink (10)");
  }

  void add_inspect() {
    verb(app_, "validate", "Check the pipeline, its settings and its topics", true, command_validate);
    CLI::App* graph = verb(app_, "graph", "Print the graph", true,
                           [this](CommandContext& context) { return command_graph(context, format_); });
    graph->add_option("--format", format_, "text (default), json or dot");
    CLI::App* checkpoints = verb(app_, "checkpoints", "List the checkpoints of the pipeline's tasks", true,
                                 [this](CommandContext& context) { return command_checkpoints(context, verify_); });
    checkpoints->add_flag("--verify", verify_, "read and check every file");
  }

  void add_log() {
    CLI::App* log = app_.add_subcommand("log", "The log: topics, schema, import, produce, read");
    log->require_subcommand(1);
    verb(*log, "topics", "List topics", false, command_log_topics);
    CLI::App* schema = verb(*log, "schema", "Print a CREATE TABLE made from a sample of a topic", false,
                            [this](CommandContext& context) { return command_log_schema(context, topic_); });
    schema->add_option("TOPIC", topic_)->required();
    add_import(*log);
    add_adopt(*log);
    CLI::App* produce = verb(*log, "produce", "Append the lines of standard input to a topic", false,
                             [this](CommandContext& context) { return command_log_produce(context, produce_); });
    produce->add_option("TOPIC", produce_.topic)->required();
    produce->add_option("--key-separator", produce_.key_separator, "a line is KEY, this, VALUE (default: no keys)");
    produce->add_option("--partitions", produce_.partitions, "of a topic that does not exist yet (1)");
    produce->add_option("--partition", produce_.partition, "write to this one");
    produce->add_option("--timestamp", produce_.timestamp_ms, "epoch milliseconds of all records (default: now)");
    CLI::App* read = verb(*log, "read", "Print a topic, partition after partition, to its end", false,
                          [this](CommandContext& context) { return command_log_read(context, read_); });
    read->add_option("TOPIC", read_.topic)->required();
    read->add_flag("--values", read_.values, "the values alone, a line each");
    read->add_flag("--table", read_.table, "JSON values as a table");
    read->add_flag("--follow", read_.follow, "go on as records arrive");
    read->add_option("--partition", read_.partition, "only this one");
    read->add_option("--max", read_.records_max, "stop after so many records");
  }

  void add_import(CLI::App& log) {
    CLI::App* import = verb(log, "import", "Append the lines of a file (JSON documents; plain or gzip) to a topic",
                            false, [this](CommandContext& context) { return command_log_import(context, import_); });
    import->add_option("TOPIC", import_.topic)->required();
    import->add_option("FILE", import_.file, "a path, or - for standard input")->required();
    import->add_option("--key", import_.key, "the field that becomes the record key");
    import->add_option("--timestamp", import_.timestamp, "the field that becomes the record timestamp (default: now)");
    import->add_option("--timestamp-unit", import_.timestamp_unit, "of integers in it: ms (default), s, us");
    import->add_option("--partitions", import_.partitions, "of a topic that does not exist yet (1)");
    import->add_option("--rate", import_.rate, "records per second (default: as fast as it goes)");
  }

  void add_adopt(CLI::App& log) {
    CLI::App* adopt = verb(log, "adopt", "Take over segment files of a broker's data directory (they are copied)",
                           false, [this](CommandContext& context) { return command_log_adopt(context, adopt_); });
    adopt->add_option("TOPIC", adopt_.topic)->required();
    adopt->add_option("FILES", adopt_.files, "*.log files of one partition, in offset order")->required();
    adopt->add_option("--partition", adopt_.partition, "the partition they become (0)");
    adopt->add_option("--partitions", adopt_.partitions, "of a topic that does not exist yet (1)");
  }

  void add_generate() {
    CLI::App* generate = app_.add_subcommand("generate", "Make sample data");
    generate->require_subcommand(1);
    CLI::App* nexmark = verb(*generate, "nexmark", "NEXMark's events, a pure function of their number", false,
                             [this](CommandContext& context) { return command_generate_nexmark(context, generate_); });
    nexmark->add_option("--topic", generate_.topic, "bids by default");
    nexmark->add_option("--events", generate_.events, "records of the kind (1000000)");
    nexmark->add_option("--first-event", generate_.first_event, "number of the first (0)");
    nexmark->add_option("--kind", generate_.kind, "bid (default), auction, person, all");
    nexmark->add_option("--key", generate_.key, "bidder (default), auction, none");
    nexmark->add_option("--partitions", generate_.partitions, "of a topic that does not exist yet (4)");
    nexmark->add_option("--out-of-order", generate_.out_of_order,
                        "SHARE,MS: this share of the events is up to MS older than its place");
    nexmark->add_option("--uniform-keys", generate_.uniform_keys,
                        "bidders drawn evenly from so many (default: NEXMark's hot ones)");
    nexmark->add_option("--event-rate", generate_.event_rate, "NEXMark events per second of event time (10000)");
  }

  bool own_;
  CLI::App app_{"A Kappa-style stream processor: one graph for live data and for history", "kappa"};
  CommonOptions common_;
  std::string output_ = "text", format_ = "text", topic_;
  bool verify_ = false;
  RunArguments run_;
  ReplayArguments replay_;
  DiffArguments diff_;
  ImportArguments import_;
  AdoptArguments adopt_;
  ProduceArguments produce_;
  ReadArguments read_;
  GenerateArguments generate_;
  Command chosen_;
};

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::refused: return 3;
    case ErrorKind::failed: return 4;
  }
  return 4;
}

// A word in the place of a command that is none.
std::string unknown_command(CLI::App& app, int argc, char** argv) {
  CLI::App* at = &app;
  for (int i = 1; i < argc && argv[i][0] != '-' && !at->get_subcommands({}).empty(); ++i) {
    CLI::App* next = nullptr;
    std::vector<std::string> names;
    for (CLI::App* sub : at->get_subcommands({})) {
      names.push_back(sub->get_name());
      if (sub->get_name() == argv[i]) next = sub;
    }
    if (!next) {
      const std::string nearest = nearest_word(argv[i], names);
      return fmt::format("unknown command \"{}\"{}\nRun with --help for the commands.", argv[i],
                         nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?");
    }
    at = next;
  }
  return "";
}

int run_command_line(int argc, char** argv, const Graph* own) {
  CommandLine line(own != nullptr);
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = error.get_exit_code() == 0 ? "" : unknown_command(line.app(), argc, argv);
    if (unknown.empty()) return line.app().exit(error) == 0 ? 0 : 2;
    fmt::print(stderr, "kappa: {}\n", unknown);
    return 2;
  }
  try {
    CommandContext context(line.common(), own);
    return line.chosen()(context);
  } catch (const Error& error) {
    tell(MessageLevel::error, error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    tell(MessageLevel::error, error.what());
    return 4;
  }
}
}  // namespace

int main(int argc, char** argv) { return run_command_line(argc, argv, nullptr); }

int main(int argc, char** argv, Graph graph) { return run_command_line(argc, argv, &graph); }

}  // namespace kappa
