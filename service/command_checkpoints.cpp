// kappa checkpoints: what a restart or a replay could begin at.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kappa/engine/time_text.h"
#include "kappa/service/commands.h"
#include "kappa/state/inspect.h"

namespace kappa {

namespace {
std::string instant(std::int64_t us) { return us <= kNever / 2 ? "none" : timestamp_text(us); }

nlohmann::ordered_json to_json(const CheckpointReport& report) {
  nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
  for (const InputMark& mark : report.meta.inputs)
    inputs.push_back({{"topic", mark.topic},
                      {"partition", mark.partition},
                      {"offset", mark.offset},
                      {"progress", instant(mark.progress)}});
  return {{"task", to_string(report.task)},
          {"sequence", report.meta.sequence},
          {"id", report.meta.id},
          {"created", instant(report.meta.created_ms * 1000)},
          {"inputs", inputs},
          {"files", report.files},
          {"bytes", report.bytes},
          {"bytes_added", report.bytes_added},
          {"damage", report.damage}};
}
}  // namespace

int command_checkpoints(CommandContext& context, bool verify) {
  std::vector<CheckpointReport> reports;
  for (const std::filesystem::path& directory : context.checkpoints_directories())
    for (CheckpointReport& report : inspect_checkpoints(directory, verify ? Verify::files : Verify::manifest))
      reports.push_back(std::move(report));
  std::vector<std::vector<std::string>> rows{
      {"task", "number", "created", "offsets", "event time read", "bytes", "new bytes", "state"}};
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool damaged = false;
  for (const CheckpointReport& report : reports) {
    all.push_back(to_json(report));
    std::string offsets, progress, damage = "sound";
    for (const InputMark& mark : report.meta.inputs) {
      offsets += (offsets.empty() ? "" : ", ") + mark.topic + "@" + std::to_string(mark.offset);
      progress += (progress.empty() ? "" : ", ") + instant(mark.progress);
    }
    for (const std::string& what : report.damage) damage = (damage == "sound" ? "" : damage + "; ") + what;
    damaged |= !report.damage.empty();
    rows.push_back({to_string(report.task), std::to_string(report.meta.sequence),
                    instant(report.meta.created_ms * 1000), offsets, progress, std::to_string(report.bytes),
                    std::to_string(report.bytes_added), damage});
  }
  fmt::print("{}", context.json() ? all.dump(2) + "\n" : table(rows));
  return damaged ? 4 : 0;
}

}  // namespace kappa
