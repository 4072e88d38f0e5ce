// Each tidy rule on snippets that break it, and on near misses that do not.
#include "kappa/tests/tidy/rules.h"
#include "kappa/tests/kit/catch.h"

using namespace kappa::tidy;

namespace {
std::string lines(int count, const std::string& line = "int x;\n") {
  std::string text;
  for (int i = 0; i < count; ++i) text += line;
  return text;
}

std::string include(const std::string& target) { return "#include \"" + target + "\"\n"; }
std::string system_include(const std::string& target) { return "#include <" + target + ">\n"; }
}  // namespace

TEST_CASE("comments, literals and directives are no code; the rest keeps its place", "[tidy]") {
  CHECK(code_of("a // b\nc") == "a     \nc");
  CHECK(code_of("a /* b\n */ c") == "a     \n    c");
  CHECK(code_of("f(\"a\\\"{\") {") == "f(      ) {");
  CHECK(code_of("c = '{';") == "c =    ;");
  CHECK(code_of("c = '\\'';{") == "c =     ;{");
  CHECK(code_of("n = 1'000'000;{") == "n = 1'000'000;{");
  CHECK(code_of("#define X \\\n { \nint a;") == "           \n   \nint a;");
  CHECK(code_of("R\"x({\")x\";{") == "R        ;{");
  CHECK(code_of("a /* never closed {") == "a                  ");
  CHECK(code_of("\"never closed {") == "               ");
}

TEST_CASE("a forbidden arrow between rooms is found, with its line", "[tidy]") {
  const Findings findings = check_arrows({"engine/a.cpp", "\n" + include("kappa/operators/map.h")});
  REQUIRE(findings.size() == 1);
  CHECK(to_string(findings[0]) == "engine/a.cpp:2: engine must not include operators");
  CHECK(check_arrows({"engine/a.cpp", include("kappa/engine/log/local/local_log.h")}).size() == 1);
  CHECK(check_arrows({"engine/log/a.cpp", include("kappa/state/store.h")}).size() == 1);
  CHECK(check_arrows({"operators/a.h", include("kappa/state/store.h")}).size() == 1);
  CHECK(check_arrows({"operators/expression/a.h", include("kappa/sql/parse.h")}).size() == 1);
  CHECK(check_arrows({"state/a.h", include("kappa/replay/plan.h")}).size() == 1);
  CHECK(check_arrows({"replay/a.h", include("kappa/operators/map.h")}).size() == 1);
  CHECK(check_arrows({"sql/a.h", include("kappa/state/store.h")}).size() == 1);
  CHECK(check_arrows({"service/a.h", include("kappa/tests/kit/catch.h")}).size() == 1);
}

TEST_CASE("allowed arrows pass", "[tidy]") {
  CHECK(check_arrows({"engine/a.cpp", include("kappa/engine/log.h")}).empty());
  CHECK(check_arrows({"engine/log/a.cpp", include("kappa/engine/log.h")}).empty());
  CHECK(check_arrows({"sql/a.cpp", include("kappa/operators/map.h")}).empty());
  CHECK(check_arrows({"service/a.cpp", include("kappa/state/store.h")}).empty());
  CHECK(check_arrows({"tests/sql/a.cpp", include("kappa/state/store.h")}).empty());
  CHECK(check_arrows({"engine/a.cpp", "// " + include("kappa/sql/a.h")}).empty());
}

TEST_CASE("a library has its one includer", "[tidy]") {
  CHECK(check_single_includers({"engine/log/local/a.cpp", system_include("librdkafka/rdkafka.h")}).size() == 1);
  CHECK(check_single_includers({"service/a.cpp", system_include("librdkafka/rdkafkacpp.h")}).size() == 1);
  CHECK(check_single_includers({"operators/a.cpp", "extern \"C\" {\n# include <pg_query.h>\n}\n"}).size() == 1);
  CHECK(check_single_includers({"engine/a.cpp", system_include("rocksdb/db.h")}).size() == 1);
  CHECK(check_single_includers({"engine/log/kafka/a.cpp", system_include("librdkafka/rdkafka.h")}).empty());
  CHECK(check_single_includers({"sql/a.cpp", system_include("pg_query.h")}).empty());
  CHECK(check_single_includers({"state/a.cpp", system_include("rocksdb/db.h")}).empty());
}

TEST_CASE("an include that is not spelled kappa/room/file.h is found", "[tidy]") {
  CHECK(check_include_spelling({"engine/a.cpp", include("batch.h")}).size() == 1);
  CHECK(check_include_spelling({"engine/a.cpp", include("../engine/batch.h")}).size() == 1);
  CHECK(check_include_spelling({"engine/a.cpp", system_include("kappa/engine/batch.h")}).size() == 1);
  CHECK(check_include_spelling({"engine/a.cpp", include("kappa/engine/batch.h") + system_include("vector")}).empty());
}

TEST_CASE("sizes: the limit itself passes, one more does not", "[tidy]") {
  CHECK(check_sizes({"engine/a.cpp", lines(400)}).empty());
  CHECK(check_sizes({"engine/a.cpp", lines(401)}).size() == 1);
  CHECK(check_sizes({"engine/a.h", lines(200)}).empty());
  CHECK(check_sizes({"engine/a.h", lines(201)}).size() == 1);
  CHECK(check_sizes({"tests/kit/a.h", lines(201)}).empty());
  CHECK(check_sizes({"engine/a.cpp", std::string(120, 'x')}).empty());
  CHECK(check_sizes({"engine/a.cpp", std::string(121, 'x')}).size() == 1);
  CHECK(check_sizes({"engine/a.cpp", lines(60, "µµ")}).empty());
  CHECK(check_sizes({"docs/a.md", std::string(500, 'x')}).empty());
}

TEST_CASE("functions: the limit itself passes, one more does not", "[tidy]") {
  const std::string fits = "int f() {\n" + lines(68) + "}\n";
  const std::string exceeds = "int f() {\n" + lines(69) + "}\n";
  CHECK(check_functions({"engine/a.cpp", fits + fits}).empty());
  CHECK(check_functions({"engine/a.cpp", exceeds}).size() == 1);
  CHECK(check_functions({"engine/a.cpp", "namespace a {\nclass B {\n" + exceeds + "};\n}\n"}).size() == 1);
  CHECK(check_functions({"engine/a.cpp", "namespace a {\n" + fits + fits + "}\n"}).empty());
  CHECK(check_functions({"engine/a.cpp", "template <class T>\n" + exceeds}).size() == 1);
  CHECK(check_functions({"engine/a.cpp", "A::A(int a) : a_{a}, b_{a} {\n" + lines(69) + "}\n"}).size() == 1);
  CHECK(check_functions({"engine/a.cpp", "struct A {\n" + lines(90) + "};\n"}).empty());
  CHECK(check_functions({"engine/a.cpp", "const int kTable[] = {\n" + lines(90, "1,\n") + "};\n"}).empty());
  CHECK(check_functions({"engine/a.cpp", "TEST_CASE(\"a\") {\n" + lines(69) + "}\n"}).size() == 1);
}

TEST_CASE("an inner block does not end a function, a brace in a literal does not open one", "[tidy]") {
  CHECK(check_functions({"a.cpp", "int f() {\nif (a) {\n}\n" + lines(69) + "}\n"}).size() == 1);
  CHECK(check_functions({"a.cpp", "int f() { g(\"{\"); }\n" + lines(90)}).empty());
  CHECK(check_functions({"a.cpp", "int f() {\n"}).size() == 1);
}

TEST_CASE("banned calls are found where they are banned", "[tidy]") {
  CHECK(check_calls({"service/a.cpp", "auto t = std::chrono::system_clock::now();"}).size() == 1);
  CHECK(check_calls({"operators/a.cpp", "auto t = std::chrono::steady_clock::now();"}).size() == 1);
  CHECK(check_calls({"state/a.cpp", "std::random_device seed;\nint a = rand();"}).size() == 2);
  CHECK(check_calls({"tests/a.cpp", "std::regex a;"}).size() == 1);
  CHECK(check_calls({"tests/a.cpp", "std::this_thread::sleep_for(1s);"}).size() == 1);
  CHECK(check_calls({"engine/a.cpp", "std::cerr << 1;\nstd::printf(\"a\");\nstd::exit(1);"}).size() == 3);
}

TEST_CASE("what resembles a banned call, or stands where it may, passes", "[tidy]") {
  CHECK(check_calls({"engine/clock.cpp", "auto t = std::chrono::system_clock::now();"}).empty());
  CHECK(check_calls({"engine/a.cpp", "getrandom(p, n); operand(a); on_exit(a); std::snprintf(p, n, \"\");"}).empty());
  CHECK(check_calls({"engine/a.cpp", "// std::cerr is banned\nf(\"std::cerr\");"}).empty());
  CHECK(check_calls({"engine/a.h", "virtual void abort() = 0;"}).empty());
  CHECK(check_calls({"service/a.cpp", "std::cerr << 1;"}).empty());
  CHECK(check_calls({"tests/a.cpp", "std::random_device seed;"}).empty());
}

TEST_CASE("notes for later are found in comments too", "[tidy]") {
  CHECK(check_notes({"engine/a.cpp", std::string("// TO") + "DO: later"}).size() == 1);
  CHECK(check_notes({"docs/a.md", std::string("FIX") + "ME"}).size() == 1);
  CHECK(check_notes({"check", std::string("# X") + "XX"}).size() == 1);
  CHECK(check_notes({"check", std::string("mktemp /tmp/a.XX") + "XXXX"}).empty());
}

TEST_CASE("paths of one machine are found", "[tidy]") {
  CHECK(check_machine_paths({"a.md", std::string("see /wo") + "rk/main"}).size() == 1);
  CHECK(check_machine_paths({"a.md", std::string("see `..") + "/shared/design.md`"}).size() == 1);
  CHECK(check_machine_paths({"a.sh", std::string("cd /ho") + "me/someone"}).size() == 1);
  CHECK(check_machine_paths({"a.cmake", std::string("${dir}/wo") + "rk/prefix"}).empty());
}

TEST_CASE("a source that no list file names is found", "[tidy]") {
  const SourceFile source{"sql/parse/a.cpp", ""};
  CHECK(check_dead_sources({source, {"sql/CMakeLists.txt", "kappa_room(sql SOURCES parse/a.cpp)"}}).empty());
  CHECK(check_dead_sources({source, {"sql/parse/CMakeLists.txt", "f(a.cpp)"}}).empty());
  CHECK(check_dead_sources({source}).size() == 1);
  CHECK(check_dead_sources({source, {"sql/CMakeLists.txt", "f(parse/aa.cpp a.cpp)"}}).size() == 1);
  CHECK(check_dead_sources({source, {"sql/parse/CMakeLists.txt", "# f(a.cpp)"}}).size() == 1);
  CHECK(check_dead_sources({source, {"sql/parse/CMakeLists.txt", "f(data.cpp a.cpp.in)"}}).size() == 1);
}

TEST_CASE("a page without a title, or with two, is found", "[tidy]") {
  CHECK(check_titles({"a.md", "# One\n\n## Two\n```sh\n# a comment\n```\n"}).empty());
  CHECK(check_titles({"a.md", "text\n"}).size() == 1);
  CHECK(check_titles({"a.md", "# One\n# Two\n"}).size() == 1);
  CHECK(check_titles({"a.txt", "text\n"}).empty());
}

TEST_CASE("a link to nothing is found", "[tidy]") {
  const SourceFile other{"docs/b.md", "# B\n"};
  CHECK(check_links({{"docs/a.md", "[b](b.md) [c](../docs/b.md#x) [d](https://d.example/e) [e](#f)"}, other}).empty());
  CHECK(check_links({{"docs/a.md", "[up](../docs/)"}, other}).empty());
  CHECK(check_links({{"docs/a.md", "[b](gone.md)"}, other}).size() == 1);
  CHECK(check_links({{"README.md", "[b](b.md)"}, other}).size() == 1);
}
