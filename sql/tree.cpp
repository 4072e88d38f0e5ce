#include "kappa/sql/tree.h"

namespace kappa::sql {

const Json& null_json() {
  static const Json null;
  return null;
}

const Json& member(const Json& object, const char* name) {
  if (!object.is_object()) return null_json();
  const auto found = object.find(name);
  return found == object.end() ? null_json() : *found;
}

std::string kind_of(const Json& node) { return node.is_object() && node.size() == 1 ? node.begin().key() : ""; }

const Json& body_of(const Json& node) { return node.is_object() && node.size() == 1 ? *node.begin() : null_json(); }

bool is_kind(const Json& node, const char* kind) { return node.is_object() && node.size() == 1 && node.contains(kind); }

std::string text_of(const Json& object, const char* name) {
  const Json& found = member(object, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}

bool flag_of(const Json& object, const char* name) {
  const Json& found = member(object, name);
  return found.is_boolean() && found.get<bool>();
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> strings;
  for (const Json& node : list)
    if (is_kind(node, "String")) strings.push_back(text_of(body_of(node), "sval"));
  return strings;
}

int location_of(const Json& node) {
  const Json& body = body_of(node);
  const Json& location = member(body, "location");
  if (location.is_number_integer() && location.get<int>() >= 0) return location.get<int>();
  if (is_kind(node, "TypeCast")) {  // INTERVAL '…': the type stands first
    const Json& type = member(member(body, "typeName"), "location");
    if (type.is_number_integer()) return type.get<int>();
  }
  if (body.is_object() && !location.is_number_integer() && !is_kind(node, "A_Const")) {
    for (const char* child : {"lexpr", "arg", "val", "relation"})
      if (const Json& found = member(body, child); found.is_object()) {
        if (const Json& own = member(found, "location"); own.is_number_integer()) return own.get<int>();
        return location_of(found);
      }
  }
  return -1;
}

std::vector<std::string> column_parts(const Json& column_ref_body) {
  std::vector<std::string> parts;
  for (const Json& field : member(column_ref_body, "fields"))
    parts.push_back(is_kind(field, "A_Star") ? "*" : text_of(body_of(field), "sval"));
  return parts;
}

namespace {
void append_shape(const Json& node, std::string& out) {
  if (node.is_object()) {
    out += '{';
    for (const auto& [key, value] : node.items()) {
      if (key == "location" || key == "funcformat" || key == "stmt_location" || key == "stmt_len") continue;
      out += key + ':';
      if (key == "ColumnRef") {
        const std::vector<std::string> parts = column_parts(value);
        out += parts.empty() ? "" : Json(parts.back()).dump();
      } else {
        append_shape(value, out);
      }
      out += ',';
    }
    out += '}';
  } else if (node.is_array()) {
    out += '[';
    for (const Json& item : node) {
      append_shape(item, out);
      out += ',';
    }
    out += ']';
  } else {
    out += node.dump();
  }
}
}  // namespace

std::string shape_of(const Json& node) {
  std::string out;
  append_shape(node, out);
  return out;
}

}  // namespace kappa::sql
