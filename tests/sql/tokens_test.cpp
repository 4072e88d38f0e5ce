#include "kappa/sql/tokens.h"

#include "kappa/engine/error.h"
#include "kappa/tests/kit/catch.h"

using namespace kappa;

namespace {
std::vector<std::string> texts(const std::string& text) {
  std::vector<std::string> out;
  for (const sql::Token& token : sql::tokenize(sql::SourceText(text, "f")))
    out.push_back(token.kind == sql::Token::Kind::string ? "<string>" : token.text);
  return out;
}
using Texts = std::vector<std::string>;
}  // namespace

TEST_CASE("tokens are words, numbers, strings, quoted names and signs") {
  CHECK(texts("select a1, \"B\"\"c\" from x where y >= 1.5") ==
        Texts{"SELECT", "A1", ",", "\"B\"\"c\"", "FROM", "X", "WHERE", "Y", ">", "=", "1.5"});
  CHECK(texts("'it''s' 'a\\' x") == Texts{"<string>", "<string>", "X"});
  CHECK(texts("$$ ( ' $$ $t$ $$ $t$ a$b$ $1") == Texts{"<string>", "<string>", "A$B$", "$", "1"});
  CHECK(texts("a -- b ( '\n/* c /* d */ ' */ e") == Texts{"A", "E"});
  CHECK(texts("größe") == Texts{"GRößE"});
  CHECK(texts("'open") == Texts{"<string>"});
  CHECK(texts("").empty());
}

TEST_CASE("strings with escapes are refused") {
  CHECK_THROWS_AS(texts("SELECT E'a'"), Error);
  CHECK_THROWS_AS(texts("SELECT e'\\' ' ("), Error);
  CHECK(texts("SELECT e 'a'") == Texts{"SELECT", "E", "<string>"});
}

TEST_CASE("blanks are spaces and comments") {
  CHECK(sql::skip_blanks("  -- x\n /* y */ z", 0) == 16);
  CHECK(sql::skip_blanks("z", 0) == 0);
  CHECK(sql::skip_blanks("  ", 0) == 2);
}
