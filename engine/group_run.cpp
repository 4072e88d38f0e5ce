// A run that shares the partitions of its inputs with other instances of the application, while they come and go.
#include "kappa/engine/names.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/run_base.h"

namespace kappa {

namespace {
class GroupRun : private RunBase {
 public:
  GroupRun(const Graph& graph, Log& log, StateStore* state, const RunOptions& options)
      : RunBase(graph, log, state, options, graph.name() + ".instance-" + options.instance) {}

  RunReport execute(std::stop_token stop) {
    check();
    create_topics(graph_, topology_, log_, options_, context_.names, context_.decisions_topic);
    make_workers();
    for (const auto& worker : workers_)
      for (std::size_t stage = 0; stage < topology_.stages.size(); ++stage) worker->join(static_cast<int>(stage));
    constexpr std::int64_t kNoEnd = 0;
    work_and_watch(stop, kNoEnd);
    return report(stop);
  }

 private:
  // What can be known to be wrong of any task, before anything is written.
  void check() const {
    check_topics(graph_, topology_, log_, options_);
    end_leftovers();
    check_positions(graph_, topology_, log_, options_.run);
    for (const Stage& stage : topology_.stages) {
      const auto committed = log_.committed(group_of(graph_, stage, options_.run));
      recovery_.check_last_records(stage, committed);
      for (std::int32_t p = 0; p < stage.partitions; ++p) recovery_.check(stage, p, committed);
    }
  }
};
}  // namespace

RunReport run_in_groups(const Graph& graph, Log& log, StateStore* state, const RunOptions& options,
                        std::stop_token stop) {
  return GroupRun(graph, log, state, options).execute(std::move(stop));
}

}  // namespace kappa
