// kappa/sql/catalog.h: the tables and views that a pipeline's text declares.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kappa/operators/nodes.h"
#include "kappa/sql/options.h"

namespace kappa::sql {

/// The rows that leave a node, and what is known of their columns beyond name and type.
struct Relation {
  int node = -1;
  int event_time = -1;          // the column that is the rows' event time; -1: no column is
  std::string event_time_name;  // its name where it still was a column
  int window_end = -1;          // for the hint that it is not the event time
  std::vector<int> key;         // columns of the record key in order; empty: none
  bool windowed = false;        // the key ends with a window's start
};

struct Table {
  std::string name;
  int location = -1;
  Schema columns;
  std::vector<std::string> json_names;  // as written, before SQL folds to lower case
  SourceOptions source;
  SinkOptions sink;
  std::optional<Relation> planned;  // once some view reads it
  bool keyless = false;             // key = '': records without a key
  bool written = false;
};

struct View {
  std::string name;
  int location = -1;
  Json query;
  std::vector<std::string> column_names;  // CREATE VIEW v (a, b): empty if not given
  std::optional<Relation> planned;
};

/// CREATE TABLE.
[[nodiscard]] Table read_table(const SourceText& source, const Json& create_statement);
/// A column type; throws with a hint for types that kappa does not have.
[[nodiscard]] Type read_type(const SourceText& source, const Json& type_name);
/// Of `schema` the column that an option calls `name`: exactly, as its JSON field, or in other capitals.
[[nodiscard]] std::optional<int> find_column(const Schema& schema, const std::vector<std::string>& json_names,
                                             const std::string& name);
/// The name of a table or view: it names nodes and topics, so [A-Za-z0-9._-]{1,100}.
void check_name(const SourceText& source, const std::string& name, int location);
/// 'a, b' → names; empty parts are errors.
[[nodiscard]] std::vector<std::string> split_names(const SourceText& source, const Option& option);

}  // namespace kappa::sql
