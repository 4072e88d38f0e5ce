// The rules over the whole repository. tests/tidy/rules_test.cpp shows that each of them can fail.
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/tidy/rules.h"

using namespace kappa::tidy;

namespace {

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> kTree = load_tree(KAPPA_SOURCE_DIR);
  return kTree;
}

void expect_none(const Findings& findings) {
  for (const Finding& finding : findings) FAIL_CHECK(to_string(finding));
  SUCCEED();
}

void expect_none_per_file(Findings (*rule)(const SourceFile&)) {
  for (const SourceFile& file : tree()) expect_none(rule(file));
}

}  // namespace

TEST_CASE("the tree is seen: sources, list files and documents", "[tidy]") {
  int sources = 0;
  int documents = 0;
  for (const SourceFile& file : tree()) {
    sources += is_cpp(file.path) ? 1 : 0;
    documents += file.path.ends_with(".md") ? 1 : 0;
  }
  CHECK(sources > 20);
  CHECK(documents > 2);
}

TEST_CASE("rooms include only what they may", "[tidy]") { expect_none_per_file(check_arrows); }
TEST_CASE("librdkafka, libpg_query, RocksDB and CLI11 have one includer each", "[tidy]") {
  expect_none_per_file(check_single_includers);
}
TEST_CASE("includes are spelled kappa/room/file.h", "[tidy]") { expect_none_per_file(check_include_spelling); }
TEST_CASE("files, headers and lines keep to their limits", "[tidy]") { expect_none_per_file(check_sizes); }
TEST_CASE("functions keep to their limit", "[tidy]") { expect_none_per_file(check_functions); }
TEST_CASE("no banned calls", "[tidy]") { expect_none_per_file(check_calls); }
TEST_CASE("no notes for later", "[tidy]") { expect_none_per_file(check_notes); }
TEST_CASE("no paths of one machine", "[tidy]") { expect_none_per_file(check_machine_paths); }
TEST_CASE("every source is built", "[tidy]") { expect_none(check_dead_sources(tree())); }
TEST_CASE("every page has one title", "[tidy]") { expect_none_per_file(check_titles); }
TEST_CASE("links between pages lead somewhere", "[tidy]") { expect_none(check_links(tree())); }
