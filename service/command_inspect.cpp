// kappa validate, graph, checkpoints, log schema.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/engine/preflight.h"
#include "kappa/engine/time_text.h"
#include "kappa/service/bounded_json.h"
#include "kappa/service/commands.h"
#include "kappa/service/field_check.h"

namespace kappa {

namespace {
constexpr std::int64_t kSampled = 1000;

// Fields of a sample of JSON documents in order of appearance, with the SQL type that all values fit.
struct Sampled {
  std::string name, type;  // type empty: only nulls so far
  bool epoch_ms = true;    // integers that are plausible instants
};

std::string wider(const std::string& a, const std::string& b) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  const auto number = [](const std::string& t) { return t == "bigint" || t == "double precision"; };
  return number(a) && number(b) ? "double precision" : "text";
}

std::string type_of(const nlohmann::ordered_json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "bigint";
  if (value.is_number()) return "double precision";
  if (value.is_string()) return parse_timestamp(value.get<std::string>()) ? "timestamptz" : "text";
  return value.is_null() ? "" : "text";
}

// 2001 to 2100 in milliseconds.
bool plausible_ms(const nlohmann::ordered_json& value) {
  return value.is_number_integer() && value.get<std::int64_t>() > 1'000'000'000'000 &&
         value.get<std::int64_t>() < 4'102'444'800'000;
}

void sample(const nlohmann::ordered_json& document, std::vector<Sampled>& fields) {
  if (!document.is_object()) return;
  for (const auto& [name, value] : document.items()) {
    auto found =
        std::find_if(fields.begin(), fields.end(), [&, wanted = name](const Sampled& f) { return f.name == wanted; });
    if (found == fields.end()) found = fields.insert(fields.end(), {name, "", true});
    found->type = wider(found->type, type_of(value));
    if (!value.is_null()) found->epoch_ms &= plausible_ms(value);
  }
}

// PostgreSQL's; as names they stand in quotes.
constexpr const char* kReserved =
    " all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate "
    "collation column concurrently constraint create cross current_catalog current_date current_role "
    "current_schema current_time current_timestamp current_user default deferrable desc distinct do else end "
    "except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into "
    "is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on "
    "only or order outer overlaps placing primary references returning right select session_user similar some "
    "symmetric table tablesample then to trailing true union unique user using variadic verbose when where window "
    "with ";

bool plain_name(const std::string& name) {
  std::string folded = name;
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::string_view(kReserved).find(" " + folded + " ") != std::string_view::npos) return false;
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

std::string create_table(const std::string& topic, const std::vector<Sampled>& fields) {
  std::string name = sanitized(topic), columns, event_time;
  for (char& c : name)
    if (c == '.' || c == '-') c = '_';
  for (const Sampled& field : fields) {
    std::string type = field.type.empty() ? "text" : field.type;
    if (type == "bigint" && field.epoch_ms) type = "timestamptz";
    if (type == "timestamptz" && event_time.empty()) event_time = field.name;
    columns += fmt::format("{}  {} {}", columns.empty() ? "" : ",\n",
                           plain_name(field.name) ? field.name : "\"" + field.name + "\"", type);
  }
  return fmt::format(
      "CREATE TABLE {} (\n{}\n) WITH (topic = '{}', format = 'json', event_time = '{}', max_out_of_orderness = "
      "'5s');\n",
      name, columns, topic, event_time.empty() ? "?" : event_time);
}
}  // namespace

int command_log_schema(CommandContext& context, const std::string& topic) {
  Log& log = context.log(false);
  const TopicInfo info = topic_named(log, topic);
  std::vector<Sampled> fields;
  std::int64_t documents = 0;
  for (std::int32_t p = 0; p < info.partitions; ++p) {
    const TopicPartition at{topic, p};
    RecordBlock block;
    log.open_reader(at, log.start_offset(at))->read(block, kSampled / info.partitions + 1, kForever);
    for (const RecordView& record : block.records) {
      sample(parse_bounded<nlohmann::ordered_json>(record.value()), fields);
      ++documents;
    }
  }
  if (fields.empty()) refuse(fmt::format("none of the first {} records of \"{}\" is a JSON object", documents, topic));
  fmt::print("-- made from {} records: check the types, the event time and its out-of-orderness\n{}", documents,
             create_table(topic, fields));
  return 0;
}

int command_validate(CommandContext& context) {
  const Graph& graph = context.graph();
  std::vector<std::string> warnings;
  std::string stages = "topics were not looked at: there is no log";
  if (context.has_log()) {
    const Topology topology = topology_of(graph, context.log(false), "");
    RunOptions options;
    check_topics(graph, topology, context.log(false), options);
    check_positions(graph, topology, context.log(false), "");
    stages = fmt::format("{} stage(s)", topology.stages.size());
    warnings = missing_fields(graph, context.log(false));
    for (std::string& warning : topic_warnings(context.topic_check(topology))) warnings.push_back(std::move(warning));
    for (const std::string& warning : warnings) context.tell("warning: " + warning);
  }
  if (context.json())
    fmt::print(
        "{}\n",
        nlohmann::ordered_json{
            {"valid", true}, {"application", graph.name()}, {"nodes", graph.nodes().size()}, {"warnings", warnings}}
            .dump());
  else
    fmt::print("{}: {} nodes, {}\n", graph.name(), graph.nodes().size(), stages);
  return 0;
}

int command_graph(CommandContext& context, const std::string& format) {
  if (format == "dot")
    fmt::print("{}", describe(context.graph(), GraphFormat::dot));
  else if (format == "json" || context.json())
    fmt::print("{}", describe(context.graph(), GraphFormat::json));
  else if (format == "text")
    fmt::print("{}", describe(context.graph(), GraphFormat::text));
  else
    usage_error("--format is text, json or dot, not \"" + format + "\"");
  return 0;
}

}  // namespace kappa
