#include "kappa/state/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kappa/engine/error.h"
#include "kappa/state/keys.h"

namespace kappa::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::uint64_t kManifestBytesMax = 64U << 20;
constexpr std::string_view kChecksumMember = ",\"checksum\":\"";
constexpr std::size_t kChecksumDigits = 32;
constexpr std::string_view kTail = "\"}\n";

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string from_hex(const std::string& text) {
  if (!is_hex(text, text.size()) || text.size() % 2 != 0) fail("holds '" + text + "' where hex digits should be");
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return out;
}

Json inputs_to_json(const std::vector<InputMark>& inputs) {
  Json out = Json::array();
  for (const InputMark& mark : inputs) {
    out.push_back({{"topic", mark.topic},
                   {"partition", mark.partition},
                   {"offset", mark.offset},
                   {"progress", mark.progress},
                   {"decision", mark.decision}});
  }
  return out;
}

Json to_json(const Manifest& manifest) {
  const CheckpointMeta& meta = manifest.meta;
  Json keys = Json::object();
  for (const auto& [upstream, key] : meta.last_order_keys) keys[upstream] = to_hex(key);
  Json nodes = Json::object();
  for (const std::string& name : manifest.nodes) nodes[name] = fmt::format("{:016x}", node_id(name));
  Json files = Json::array();
  for (const FileEntry& file : manifest.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"xxh3_128", file.xxh3}});
  }
  return {{"kappa_checkpoint", kFormatVersion},
          {"stage", manifest.task.stage},
          {"partition", manifest.task.partition},
          {"id", meta.id},
          {"sequence", meta.sequence},
          {"created_ms", meta.created_ms},
          {"savepoint", meta.savepoint},
          {"inputs", inputs_to_json(meta.inputs)},
          {"released", meta.released},
          {"order_key", to_hex(meta.order_key)},
          {"last_order_keys", std::move(keys)},
          {"upstream_progress", meta.upstream_progress},
          {"fingerprints", meta.fingerprints},
          {"nodes", std::move(nodes)},
          {"files", std::move(files)}};
}

CheckpointMeta meta_from_json(const Json& json) {
  CheckpointMeta meta;
  meta.id = json.at("id").get<std::string>();
  meta.sequence = json.at("sequence").get<std::int64_t>();
  meta.created_ms = json.at("created_ms").get<std::int64_t>();
  meta.savepoint = json.at("savepoint").get<std::string>();
  for (const Json& input : json.at("inputs")) {
    meta.inputs.push_back({.topic = input.at("topic").get<std::string>(),
                           .partition = input.at("partition").get<std::int32_t>(),
                           .offset = input.at("offset").get<std::int64_t>(),
                           .progress = input.at("progress").get<std::int64_t>(),
                           .decision = input.at("decision").get<std::int64_t>()});
  }
  meta.released = json.at("released").get<std::int64_t>();
  meta.order_key = from_hex(json.at("order_key").get<std::string>());
  for (const auto& [upstream, key] : json.at("last_order_keys").items()) {
    meta.last_order_keys[upstream] = from_hex(key.get<std::string>());
  }
  meta.upstream_progress = json.at("upstream_progress").get<std::map<std::string, std::int64_t>>();
  meta.fingerprints = json.at("fingerprints").get<std::map<std::string, std::string>>();
  return meta;
}

FileEntry file_from_json(const Json& json) {
  FileEntry file{.name = json.at("name").get<std::string>(),
                 .size = json.at("size").get<std::uint64_t>(),
                 .xxh3 = json.at("xxh3_128").get<std::string>()};
  const bool plain = !file.name.empty() && file.name[0] != '.' && file.name != kManifestName &&
                     std::all_of(file.name.begin(), file.name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
                     });
  if (!plain) fail("names a file '" + file.name + "'");
  return file;
}

Manifest from_json(const Json& json) {
  const int version = json.at("kappa_checkpoint").get<int>();
  if (version != kFormatVersion) {
    fail(fmt::format("has format version {}, this program reads {}", version, kFormatVersion));
  }
  Manifest manifest;
  manifest.task = {json.at("stage").get<std::string>(), json.at("partition").get<std::int32_t>()};
  manifest.meta = meta_from_json(json);
  for (const auto& [name, id] : json.at("nodes").items()) {
    if (id.get<std::string>() != fmt::format("{:016x}", node_id(name))) fail("has a wrong id for node '" + name + "'");
    manifest.nodes.push_back(name);
  }
  for (const Json& file : json.at("files")) manifest.files.push_back(file_from_json(file));
  return manifest;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  std::string body;
  try {
    body = to_json(manifest).dump();
  } catch (const nlohmann::json::exception& error) {  // text that is not UTF-8
    fail("cannot write the manifest of checkpoint " + manifest.meta.id + ": " + error.what());
  }
  body.pop_back();  // the closing brace
  const std::string checksum = xxh3_hex(body);
  return body.append(kChecksumMember).append(checksum).append(kTail);
}

Manifest decode_manifest(std::string_view bytes) {
  const std::size_t tail = kChecksumMember.size() + kChecksumDigits + kTail.size();
  if (bytes.size() < tail) fail("is cut: " + std::to_string(bytes.size()) + " bytes");
  const std::string_view body = bytes.substr(0, bytes.size() - tail);
  const std::string expected = std::string(kChecksumMember) + xxh3_hex(body) + std::string(kTail);
  if (bytes.substr(body.size()) != expected) fail("does not match its own checksum");
  try {
    return from_json(Json::parse(bytes));
  } catch (const nlohmann::json::exception& error) {
    fail(std::string("is not understood: ") + error.what());
  }
}

std::string checkpoint_directory_name(const CheckpointMeta& meta) {
  return fmt::format("{:010}-{}", meta.sequence, meta.id);
}

Manifest read_manifest(const Path& checkpoint) {
  const Path file = checkpoint / kManifestName;
  const std::string bytes = read_file(file, kManifestBytesMax);
  Manifest manifest;
  try {
    manifest = decode_manifest(bytes);
  } catch (const Error& error) {
    fail(file.string() + " " + error.what());
  }
  if (checkpoint_directory_name(manifest.meta) != checkpoint.filename()) {
    fail(file.string() + " belongs to checkpoint " + checkpoint_directory_name(manifest.meta));
  }
  const std::optional<TaskId> task = parse_task_directory_name(checkpoint.parent_path().filename().string());
  if (task != manifest.task) fail(file.string() + " belongs to task " + to_string(manifest.task));
  return manifest;
}

void check_size(const Path& file, const FileEntry& expected) {
  if (!path_exists(file)) fail(file.string() + " is missing");
  const std::uint64_t size = stat_file(file).size;
  if (size != expected.size) fail(fmt::format("{} has {} bytes instead of {}", file.string(), size, expected.size));
}

FileDigest check_content(const Path& file, const Path& where, const FileEntry& expected) {
  FileDigest digest = digest_file(where);
  if (digest.xxh3 != expected.xxh3) fail(file.string() + " does not match its checksum");
  return digest;
}

void check_meta(const CheckpointMeta& meta) {
  KAPPA_CHECK(is_hex(meta.id, 32), "a checkpoint's id is 32 hex digits");
  KAPPA_CHECK(meta.sequence >= 1 && meta.sequence <= 9'999'999'999, "sequences count from 1");
}

}  // namespace kappa::detail
