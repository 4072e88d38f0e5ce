// The statements of a pipeline, one after the other.
#include "kappa/sql/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "kappa/sql/peers.h"
#include "kappa/sql/planner.h"
#include "kappa/sql/sinks.h"
#include "kappa/sql/tokens.h"

namespace kappa {

namespace sql {
namespace {
struct Statement {
  std::string kind;
  const Json* body = nullptr;
  int location = 0;
};

std::vector<Statement> statements_of(const SourceText& source, const Json& tree) {
  std::vector<Statement> statements;
  for (const Json& raw : member(tree, "stmts")) {
    const Json& node = member(raw, "stmt");
    const int begin = skip_blanks(source.text(), raw.value("stmt_location", 0));
    statements.push_back({kind_of(node), &body_of(node), begin});
  }
  return statements;
}

std::string setting_value(const SourceText& source, const Statement& statement) {
  const Json& arguments = member(*statement.body, "args");
  const std::string name = text_of(*statement.body, "name");
  const bool odd = text_of(*statement.body, "kind") != "VAR_SET_VALUE" || flag_of(*statement.body, "is_local");
  if (odd || arguments.size() != 1 || !is_kind(arguments.front(), "A_Const"))
    source.error(statement.location, "settings are written SET name = 'value'");
  const Json& value = body_of(arguments.front());
  if (value.contains("ival")) return std::to_string(value["ival"].value("ival", 0));
  if (value.contains("fval")) return text_of(value["fval"], "fval");
  if (value.contains("sval")) return text_of(value["sval"], "sval");
  if (value.contains("boolval")) return flag_of(value["boolval"], "boolval") ? "true" : "false";
  source.error(location_of(arguments.front()), fmt::format("{} takes a string or a number", name));
}

std::string stem_of(const std::string& file_name) {
  std::string stem = file_name.substr(file_name.find_last_of('/') + 1);
  stem = stem.substr(0, stem.rfind(".sql") == std::string::npos ? stem.size() : stem.rfind(".sql"));
  for (char& c : stem)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_')) c = '-';
  if (stem.size() > 100) stem.resize(100);
  return stem.empty() || stem == "." || stem == ".." ? "pipeline" : stem;
}

/// Every relation that a statement declares, for "it is declared further down".
std::map<std::string, int> declarations(const std::vector<Statement>& statements) {
  std::map<std::string, int> found;
  for (const Statement& s : statements) {
    if (s.kind == "CreateStmt") found[text_of(member(*s.body, "relation"), "relname")] = s.location;
    if (s.kind == "ViewStmt") found[text_of(member(*s.body, "view"), "relname")] = s.location;
    if (s.kind == "CreateTableAsStmt") found[text_of(member(member(*s.body, "into"), "rel"), "relname")] = s.location;
  }
  return found;
}

[[noreturn]] void unsupported(const SourceText& source, const Statement& statement) {
  const std::string& text = source.text();
  std::size_t end = static_cast<std::size_t>(statement.location);
  while (end < text.size() && ((text[end] >= 'a' && text[end] <= 'z') || (text[end] >= 'A' && text[end] <= 'Z'))) ++end;
  std::string word =
      text.substr(static_cast<std::size_t>(statement.location), end - static_cast<std::size_t>(statement.location));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (statement.kind == "SelectStmt")
    source.error(statement.location, "a SELECT on its own writes nowhere",
                 "CREATE MATERIALIZED VIEW name AS SELECT … writes the topic \"name\"");
  source.error(statement.location, fmt::format("{} is not a statement of pipelines", word.empty() ? "this" : word),
               kStatements);
}

/// One text on its way to a graph.
class Reader {
 public:
  Reader(const SourceText& source, const std::string& name, std::vector<Statement> statements)
      : source_(source), statements_(std::move(statements)), planner_(source, name) {
    planner_.declare(declarations(statements_));
  }

  Pipeline read() {
    for (const Statement& statement : statements_) read_statement(statement);
    Pipeline pipeline;
    check_unused(pipeline.warnings);
    sinks_.check(source_, planner_);
    pipeline.graph = source_.located(-1, [&] { return std::move(planner_.graph()).build(); });
    return pipeline;
  }

 private:
  void read_statement(const Statement& s) {
    if (s.kind == "VariableSetStmt") {
      planner_.graph().set(text_of(*s.body, "name"), setting_value(source_, s));
    } else if (s.kind == "CreateStmt") {
      planner_.add_table(read_table(source_, *s.body));
    } else if (s.kind == "ViewStmt") {
      read_view(s);
    } else if (s.kind == "CreateTableAsStmt") {
      sinks_.materialize(source_, planner_, *s.body, s.location);
    } else if (s.kind == "InsertStmt") {
      sinks_.insert(source_, planner_, *s.body, s.location);
    } else {
      unsupported(source_, s);
    }
  }

  void read_view(const Statement& s) {
    const Json& relation = member(*s.body, "view");
    View view;
    view.name = text_of(relation, "relname");
    view.location = relation.value("location", -1);
    check_name(source_, view.name, view.location);
    if (const Json& options = member(*s.body, "options"); !options.empty())
      source_.error(location_of(options.front()), "a plain view has no options, since it writes no topic",
                    "CREATE MATERIALIZED VIEW name WITH (topic = '…') AS SELECT …");
    if (!is_kind(member(*s.body, "query"), "SelectStmt")) source_.error(view.location, "a view is a SELECT");
    view.column_names = strings_of(member(*s.body, "aliases"));
    view.query = body_of(member(*s.body, "query"));
    planner_.add_view(std::move(view));
  }

  void check_unused(std::vector<std::string>& warnings) {
    for (const auto& [name, view] : planner_.views()) {
      if (view.planned) continue;
      Planner scratch = planner_;  // it must be right nevertheless
      scratch.plan_view(*scratch.find_view(name));
      warnings.push_back(source_.report(view.location, fmt::format("view \"{}\" is read by no other view", name),
                                        "it writes nothing; MATERIALIZED would write a topic"));
    }
    for (const auto& [name, table] : planner_.tables())
      if (!table.planned && !table.written)
        warnings.push_back(source_.report(table.location, fmt::format("table \"{}\" is read by no view", name)));
  }

  const SourceText& source_;
  std::vector<Statement> statements_;
  Planner planner_;
  Sinks sinks_;
};

std::string application_id(const SourceText& source, const std::vector<Statement>& statements,
                           const std::map<std::string, std::string>& settings_override) {
  if (const auto found = settings_override.find("application.id"); found != settings_override.end()) {
    GraphDraft{found->second};  // its own error: the name is not in the text
    return found->second;
  }
  std::string name = stem_of(source.file());
  for (const Statement& s : statements)
    if (s.kind == "VariableSetStmt" && text_of(*s.body, "name") == "application.id") {
      name = setting_value(source, s);
      source.located(location_of(member(*s.body, "args").front()), [&] { return GraphDraft(name); });
    }
  return name;
}
}  // namespace
}  // namespace sql

Pipeline parse_pipeline(const std::string& text, const std::string& file_name,
                        const std::map<std::string, std::string>& settings_override) {
  const sql::SourceText source(text, file_name);
  const sql::Json tree = sql::parse_tree(source);
  std::vector<sql::Statement> statements = sql::statements_of(source, tree);
  if (statements.empty()) source.error(-1, "the pipeline is empty", sql::kStatements);
  const std::string name = sql::application_id(source, statements, settings_override);
  return sql::Reader(source, name, std::move(statements)).read();
}

}  // namespace kappa
