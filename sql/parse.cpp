// PostgreSQL's parser, and what it needs around it: bounds before, better messages after.
#include <fmt/format.h>
#include <pg_query.h>

#include <algorithm>
#include <memory>

#include "kappa/sql/peers.h"
#include "kappa/sql/tokens.h"
#include "kappa/sql/tree.h"

namespace kappa::sql {

namespace {
constexpr int kTreeDepthMax = 1000;  // of JSON: some 500 operators in one another

/// libpg_query 15 writes integers only if they are positive: zero and negative ones are read from the text.
std::int64_t integer_at(const std::string& text, int location) {
  bool negative = false;
  auto i = static_cast<std::size_t>(skip_blanks(text, location));
  while (i < text.size() && (text[i] == '-' || text[i] == '(')) {
    if (text[i] == '-') negative = !negative;
    i = static_cast<std::size_t>(skip_blanks(text, static_cast<int>(i + 1)));
  }
  std::int64_t value = 0;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9' && value <= INT32_MAX)
    value = value * 10 + (text[i++] - '0');
  return negative ? -value : value;
}

void repair_integer(const SourceText& source, Json& body, int location) {
  if (body.contains("ival") && body["ival"].is_object() && !body["ival"].contains("ival"))
    body["ival"]["ival"] = integer_at(source.text(), location);
}

/// A WITH option's number has no place of its own: it stands behind the `=`.
void repair_option(const SourceText& source, Json& body, int location) {
  if (!body.contains("arg") || !is_kind(body["arg"], "Integer") || body["arg"]["Integer"].contains("ival")) return;
  const std::size_t equals = source.text().find('=', static_cast<std::size_t>(std::max(location, 0)));
  if (equals != std::string::npos)
    body["arg"]["Integer"]["ival"] = integer_at(source.text(), static_cast<int>(equals + 1));
}

void repair(const SourceText& source, Json& node, int depth, int location) {
  if (depth > kTreeDepthMax)
    source.error(location, "the expression is nested too deeply", "split it into several views");
  if (node.is_object()) {
    if (const Json& own = member(node, "location"); own.is_number_integer() && own.get<int>() >= 0)
      location = own.get<int>();
    if (node.contains("A_Const")) repair_integer(source, node["A_Const"], node["A_Const"].value("location", location));
    if (node.contains("DefElem")) repair_option(source, node["DefElem"], node["DefElem"].value("location", location));
  }
  if (node.is_structured())
    for (Json& child : node) repair(source, child, depth + 1, location);
}

struct FreeResult {
  void operator()(PgQueryParseResult* result) const {
    pg_query_free_parse_result(*result);
    delete result;
  }
};

[[noreturn]] void syntax_error(const SourceText& source, const std::vector<Token>& tokens, const PgQueryError& error) {
  int position = source.byte_of_character(std::max(error.cursorpos - 1, 0));
  std::string message = error.message == nullptr ? "syntax error" : error.message;
  const int end = tokens.empty() ? 0 : tokens.back().end;
  if (position >= end) {  // show where the text ends, not the empty line behind it
    position = end;
    if (message == "syntax error at end of input") message = "the text ends in the middle of a statement";
  }
  if (const std::size_t cut = message.find("\n"); cut != std::string::npos) message.resize(cut);
  source.error(position, message, hint_for_syntax_error(tokens, position));
}
}  // namespace

Json parse_tree(const SourceText& source) {
  check_encoding(source);
  const std::vector<Token> tokens = tokenize(source);
  check_bounds(source, tokens);
  const std::unique_ptr<PgQueryParseResult, FreeResult> result(
      new PgQueryParseResult(pg_query_parse(source.text().c_str())));
  if (result->error != nullptr) syntax_error(source, tokens, *result->error);
  Json tree = Json::parse(result->parse_tree);
  repair(source, tree, 0, 0);
  return tree;
}

}  // namespace kappa::sql
