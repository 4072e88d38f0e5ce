// The ends of a graph: sources and sinks.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kappa/engine/error.h"
#include "kappa/operators/format/metadata.h"
#include "kappa/operators/nodes.h"

namespace kappa {

namespace {
[[noreturn]] void unknown_column(const std::string& node, const char* what, const std::string& column,
                                 const Schema& schema) {
  const std::string nearest = schema.nearest(column);
  const std::string hint = nearest.empty() ? "the columns are " + to_string(schema) : "did you mean " + nearest + "?";
  usage_error(fmt::format("node \"{}\": {} \"{}\" is not a column; {}", node, what, column, hint));
}

int find_column(const std::string& node, const char* what, const std::string& column, const Schema& schema) {
  const std::optional<int> found = schema.find(column);
  if (!found) unknown_column(node, what, column, schema);
  return *found;
}

void check_topic(const std::string& node, const std::string& topic) {
  const bool legal = !topic.empty() && topic.size() <= 249 && topic != "." && topic != ".." &&
                     std::all_of(topic.begin(), topic.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '_' || c == '-';
                     });
  if (!legal) usage_error(fmt::format("node \"{}\": topic \"{}\" must be 1 to 249 of A-Z a-z 0-9 . _ -", node, topic));
}

void check_unique(const std::string& node, const Schema& schema) {
  std::set<std::string> seen;
  for (const Field& field : schema.fields())
    if (!seen.insert(field.name).second)
      usage_error(fmt::format("node \"{}\": two columns are named \"{}\"; rename one with AS", node, field.name));
}

DecoderFactory value_decoder(const SourceOptions& options, const Schema& columns, std::vector<std::string> json_names) {
  if (options.format == "raw") return raw_decoder(columns);
  JsonDecoderOptions json;
  json.columns = columns;
  json.json_names = std::move(json_names);
  json.paths = options.paths;
  json.timestamp_unit = options.timestamp_unit;
  return json_decoder(std::move(json));
}

PartitionDecoderFactory make_decoder(const SourceOptions& options, const Schema& columns,
                                     const std::vector<std::string>& json_names) {
  if (options.metadata.empty())
    return [make = value_decoder(options, columns, json_names)](const TopicPartition&) { return make(); };
  std::vector<Field> fields;  // of the value
  std::vector<std::string> names;
  for (int c = 0; c < columns.size(); ++c) {
    if (options.metadata.count(columns[c].name) > 0) continue;
    fields.push_back(columns[c]);
    if (!json_names.empty()) names.push_back(json_names[static_cast<std::size_t>(c)]);
  }
  if (fields.empty() && options.format == "json")
    usage_error("a JSON source needs at least one column of its documents; format = 'raw' needs none");
  DecoderFactory values;
  if (!fields.empty()) values = value_decoder(options, Schema(std::move(fields)), std::move(names));
  return with_metadata(std::move(values), columns, options.metadata, options.timestamp_unit);
}

void check_source(const std::string& name, const SourceOptions& options, const Schema& columns) {
  check_topic(name, options.topic);
  check_unique(name, columns);
  if (options.format != "json" && options.format != "raw") {
    const std::string nearest = nearest_word(options.format, {"json", "raw"});
    usage_error(fmt::format("node \"{}\": unknown format \"{}\"; {}", name, options.format,
                            nearest.empty() ? "the formats are json and raw" : "did you mean " + nearest + "?"));
  }
  if (options.event_time.empty())
    usage_error(
        fmt::format("node \"{}\": event_time is missing: name the timestamptz column that says when a record "
                    "happened",
                    name));
  if (!options.max_out_of_orderness_us)
    usage_error(
        fmt::format("node \"{}\": max_out_of_orderness is missing: it says how far records may lie behind the "
                    "newest one, such as '5s'; zero by accident would drop data",
                    name));
  if (*options.max_out_of_orderness_us < 0 || options.max_future_us < 0 || options.idle_timeout_us < 0 ||
      options.max_drift_us < 0)
    usage_error(fmt::format(
        "node \"{}\": max_out_of_orderness, max_future, idle_timeout and max_drift cannot be negative", name));
  constexpr std::int64_t kLargest = 100LL * 366 * 86'400'000'000;
  if (*options.max_out_of_orderness_us > kLargest || options.max_future_us > kLargest ||
      options.idle_timeout_us > kLargest || options.max_drift_us > kLargest)
    usage_error(fmt::format(
        "node \"{}\": max_out_of_orderness, max_future, idle_timeout and max_drift are at most 100 years", name));
}

std::string source_detail(const SourceOptions& options, const Schema& columns,
                          const std::vector<std::string>& json_names) {
  std::string out = fmt::format("format={} timestamp_unit={}", options.format, options.timestamp_unit);
  if (!options.partitioned_by.empty()) out += " partitioned_by=" + options.partitioned_by;
  for (std::size_t i = 0; i < json_names.size(); ++i)
    if (const std::string& column = columns[static_cast<int>(i)].name;
        json_names[i] != column && options.metadata.count(column) == 0)
      out += fmt::format(" field.{}='{}'", column, json_names[i]);
  for (const auto& [column, path] : options.paths) out += fmt::format(" path.{}='{}'", column, path);
  for (const auto& [column, from] : options.metadata) out += fmt::format(" metadata.{}='{}'", column, from);
  return out;
}

std::vector<std::string> json_fields(const SourceOptions& options, const Schema& columns,
                                     const std::vector<std::string>& json_names) {
  std::vector<std::string> fields = json_names;
  for (int c = static_cast<int>(fields.size()); c < columns.size(); ++c) fields.push_back(columns[c].name);
  for (const auto& [column, path] : options.paths) fields[static_cast<std::size_t>(*columns.find(column))] = path;
  for (const auto& [column, from] : options.metadata) fields[static_cast<std::size_t>(*columns.find(column))].clear();
  return fields;
}
}  // namespace

int add_source(GraphDraft& graph, const std::string& name, const SourceOptions& options, const Schema& columns,
               const std::vector<std::string>& json_names) {
  KAPPA_CHECK(json_names.empty() || static_cast<int>(json_names.size()) == columns.size(), "one JSON name per column");
  check_source(name, options, columns);
  Node node;
  node.name = name;
  node.kind = NodeKind::source;
  node.schema = columns;
  SourceSpec& source = node.source;
  source.topic = options.topic;
  source.event_time = find_column(name, "event_time", options.event_time, columns);
  if (columns[source.event_time].type != Type::timestamptz())
    usage_error(fmt::format("node \"{}\": event_time \"{}\" is {}; it must be timestamptz", name, options.event_time,
                            to_string(columns[source.event_time].type)));
  if (!options.partitioned_by.empty()) find_column(name, "partitioned_by", options.partitioned_by, columns);
  for (const auto& [column, path] : options.paths) find_column(name, "path", column, columns);
  for (const auto& [column, from] : options.metadata) {
    find_column(name, "metadata", column, columns);
    if (options.paths.count(column) > 0)
      usage_error(fmt::format("node \"{}\": column \"{}\" has both a path and metadata", name, column));
  }
  source.out_of_orderness_us = *options.max_out_of_orderness_us;
  source.max_future_us = options.max_future_us;
  source.idle_timeout_us = options.idle_timeout_us;
  source.max_drift_us = options.max_drift_us;
  source.partitioned_by = options.partitioned_by;
  source.partitioned_by_trust = options.partitioned_by_trust;
  node.detail = source_detail(options, columns, json_names);
  if (options.format == "json") source.fields = json_fields(options, columns, json_names);
  try {
    source.decoder = make_decoder(options, columns, json_names);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("node \"{}\": {}", name, error.what()));
  }
  return graph.add(std::move(node));
}

namespace {
// Whether a result with the same key is another version of the same window's: the key holds all groups of the window
// aggregate above, and the window.
bool keyed_by_window(const GraphDraft& graph, int input, std::vector<int> key) {
  const Node* node = &graph.node(input);
  for (; node->kind != NodeKind::window_aggregate; node = &graph.node(node->inputs.front())) {
    if (node->inputs.size() != 1) return false;
    if (node->carried.empty()) continue;
    std::erase_if(key, [&](int& column) { return (column = node->carried[static_cast<std::size_t>(column)]) < 0; });
  }
  bool window = false;
  for (int c = 0; c < node->schema.size(); ++c) {
    const bool in_key = std::find(key.begin(), key.end(), c) != key.end();
    if (node->carried[static_cast<std::size_t>(c)] >= 0 && !in_key) return false;
    window |= in_key && (node->schema[c].name == "window_start" || node->schema[c].name == "window_end");
  }
  return window;
}
}  // namespace

int add_sink(GraphDraft& graph, const std::string& name, int input, const SinkOptions& options) {
  Node node;
  node.name = name;
  node.kind = NodeKind::sink;
  node.inputs = {input};
  node.schema = graph.node(input).schema;
  check_unique(name, node.schema);
  node.sink.topic = options.topic.empty() ? name : options.topic;
  check_topic(name, node.sink.topic);
  JsonEncoderOptions json;
  json.columns = node.schema;
  json.key_as_array = options.windowed;
  node.sink.keyed = !options.key_columns.empty();
  node.detail = fmt::format("topic={} format=json key=(", node.sink.topic);
  for (const std::string& column : options.key_columns) {
    json.key_columns.push_back(find_column(name, "key column", column, node.schema));
    node.detail += (json.key_columns.size() > 1 ? ", " : "") + column;
  }
  node.detail += ")";
  node.sink.keyed = keyed_by_window(graph, input, json.key_columns);
  if (!options.partition_by.empty()) {
    node.sink.partition_by = find_column(name, "partition_by", options.partition_by, node.schema);
    node.detail += " partition_by=" + options.partition_by;
  }
  node.sink.encoder = json_encoder(std::move(json));
  return graph.add(std::move(node));
}

}  // namespace kappa
