// kappa run: the pipeline as a service, or up to the ends of its inputs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/preflight.h"
#include "kappa/service/commands.h"
#include "kappa/service/field_check.h"
#include "kappa/service/http_server.h"
#include "kappa/service/messages.h"
#include "kappa/service/report.h"

namespace kappa {

int command_run(CommandContext& context, const RunArguments& arguments) {
  const Graph& graph = context.application();
  RunOptions options = run_options(context.settings());
  options.until_end = arguments.until_end || arguments.close;
  options.close = arguments.close;
  options.rebuild = arguments.rebuild;
  options.message = [&](const std::string& line) { context.tell(line); };
  Progress progress(*options.clock);
  options.progress = [&](std::int64_t read, std::int64_t of) { progress.show(read, of); };
  install_signals();  // before any thread: those that come later inherit what is blocked
  Log& log = context.log(false);
  RunMetrics metrics;
  options.metrics = &metrics;
  std::unique_ptr<HttpServer> http;
  if (!context.settings().text("http.listen").empty()) {
    http = std::make_unique<HttpServer>(context.settings(), WatchedRun{graph, log, metrics, *options.clock});
    context.tell("http://" + http->address() + ": /livez, /readyz, /metrics, /api/status");
  }
  const Topology topology = topology_of(graph, log, "");
  for (const std::string& warning : missing_fields(graph, log)) context.tell("warning: " + warning);
  for (const std::string& warning : topic_warnings(context.topic_check(topology))) context.tell("warning: " + warning);
  // Only one process at a time, or one of many.
  const std::optional<Instance> instance = log.lock_is_exclusive() ? std::nullopt : std::optional(context.instance());
  if (instance) options.instance = instance->id();
  const std::unique_ptr<StateStore> state = instance ? context.state(*instance) : context.state("", false);
  const RunReport report = run_graph(graph, log, state.get(), options, signal_stop());
  end_progress();
  const std::string text = describe(report);
  if (context.json())
    fmt::print("{}\n", to_json(report));
  else if (message_format().json)
    context.tell(text.substr(0, text.size() - 1));  // a message ends without a line's end
  else
    fmt::print(stderr, "{}", text);
  return signal_exit_code();
}

}  // namespace kappa
