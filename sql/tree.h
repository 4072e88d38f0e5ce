// kappa/sql/tree.h: reading PostgreSQL's parse tree (libpg_query's JSON). A node is an object with one member: its
// kind.
//
// Members that are zero, false or empty are absent from the JSON, so every accessor has a default.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kappa/sql/source_text.h"

namespace kappa::sql {

using Json = nlohmann::json;

/// The tree of the whole text: {"stmts": […]}. Throws Error{usage} at the place of a syntax error, with a hint for the
/// peers' spellings.
[[nodiscard]] Json parse_tree(const SourceText& source);

[[nodiscard]] const Json& null_json();
/// The member, or null.
[[nodiscard]] const Json& member(const Json& object, const char* name);
/// The kind of a node; empty if it is none.
[[nodiscard]] std::string kind_of(const Json& node);
/// What stands under the node's kind.
[[nodiscard]] const Json& body_of(const Json& node);
[[nodiscard]] bool is_kind(const Json& node, const char* kind);
[[nodiscard]] std::string text_of(const Json& object, const char* name);
[[nodiscard]] bool flag_of(const Json& object, const char* name);
/// The strings of a list of String nodes.
[[nodiscard]] std::vector<std::string> strings_of(const Json& list);
/// Where the node stands in the text, -1 if the tree does not say.
[[nodiscard]] int location_of(const Json& node);

/// Of a ColumnRef: its parts; a star is "*".
[[nodiscard]] std::vector<std::string> column_parts(const Json& column_ref_body);
/// The tree without positions, and columns by their last name only: equal texts mean the same expression.
[[nodiscard]] std::string shape_of(const Json& node);

}  // namespace kappa::sql
