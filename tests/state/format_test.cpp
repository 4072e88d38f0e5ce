// The bytes of checkpoints as docs/FORMAT.md pins them.
#include <nlohmann/json.hpp>

#include "kappa/state/files.h"
#include "kappa/state/keys.h"
#include "kappa/state/manifest.h"
#include "kappa/tests/kit/catch.h"
#include "kappa/tests/state/fixture.h"

namespace kappa {
namespace {

using namespace testkit;
using detail::checkpoint_directory_name;
using detail::decode_manifest;
using detail::encode_manifest;
using detail::Manifest;
using detail::node_id;
using detail::parse_task_directory_name;
using detail::task_directory_name;

Manifest sample() {
  Manifest manifest;
  manifest.task = {"totals", 3};
  manifest.meta.id = "00112233445566778899aabbccddeeff";
  manifest.meta.sequence = 12;
  manifest.meta.created_ms = 1'772'323'200'000;
  manifest.meta.inputs = {{"bids", 3, 1042, 1'357'038'000'000'000, 0}};
  manifest.meta.released = 1'357'037'990'000'000;
  manifest.meta.last_order_keys = {{"app-by-rebate-repartition/2", std::string("\x80\x01", 2)}};
  manifest.meta.upstream_progress = {{"app-by-rebate-repartition/2", 7}};
  manifest.meta.order_key = std::string("\x80\x00\xff", 3);
  manifest.meta.fingerprints = {{"totals/group", "0123abcd"}};
  manifest.nodes = {"totals/group"};
  manifest.files = {{"000008.sst", 1234, "ffeeddccbbaa99887766554433221100"}};
  return manifest;
}

std::string reason(std::string_view bytes) {
  return error_of([&] { (void)decode_manifest(bytes); }).second;
}

/// The manifest with another body and a checksum that fits.
std::string with_body(std::string body) {
  body.pop_back();
  const std::string checksum = detail::xxh3_hex(body);
  return body + ",\"checksum\":\"" + checksum + "\"}\n";
}

}  // namespace

TEST_CASE("a node's id is FNV-1a 64 of its name, in front of its keys big-endian", "[state][golden]") {
  CHECK(node_id("") == 0xcbf29ce484222325U);
  CHECK(node_id("a") == 0xaf63dc4c8601ec8cU);
  CHECK(node_id("foobar") == 0x85944171f73967e8U);
  CHECK(detail::node_prefix(0x0102030405060708U) == std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8));
}

TEST_CASE("a task's directory is its name, escaped", "[state][golden]") {
  CHECK(task_directory_name({"totals", 3}) == "totals-3");
  CHECK(task_directory_name({"a / b", 12}) == "a%20%2F%20b-12");
  CHECK(task_directory_name({"..", 0}) == "%2E.-0");
  CHECK(task_directory_name({"größe", 0}) == "gr%C3%B6%C3%9Fe-0");
  for (const char* name :
       {"a", "-1", "a-", "a-x", "a-01", "a-99999999999", "%-1", "%4-1", "%41-1", "%zz-1", ".a-1", "a b-1", ""}) {
    INFO(name);
    CHECK_FALSE(parse_task_directory_name(name).has_value());
  }
  CHECK(parse_task_directory_name("a%2Fb-7") == TaskId{"a/b", 7});
}

TEST_CASE("a manifest is these bytes", "[state][golden]") {
  const std::string body =
      R"({"kappa_checkpoint":1,"stage":"totals","partition":3,"id":"00112233445566778899aabbccddeeff","sequence":12,)"
      R"("created_ms":1772323200000,"savepoint":"","inputs":[{"topic":"bids","partition":3,"offset":1042,)"
      R"("progress":1357038000000000,"decision":0}],"released":1357037990000000,"order_key":"8000ff",)"
      R"("last_order_keys":{"app-by-rebate-repartition/2":"8001"},)"
      R"("upstream_progress":{"app-by-rebate-repartition/2":7},"fingerprints":{"totals/group":"0123abcd"},)"
      R"("nodes":{"totals/group":"a9fd03b123e84426"},)"
      R"("files":[{"name":"000008.sst","size":1234,"xxh3_128":"ffeeddccbbaa99887766554433221100"}])";
  CHECK(encode_manifest(sample()) == body + R"(,"checksum":")" + detail::xxh3_hex(body) + "\"}\n");
  CHECK(detail::xxh3_hex("") == "99aa06d3014798d86001c324468d497f");
  CHECK(checkpoint_directory_name(sample().meta) == "0000000012-00112233445566778899aabbccddeeff");
}

TEST_CASE("a manifest is JSON, and reads back", "[state]") {
  const std::string bytes = encode_manifest(sample());
  CHECK(nlohmann::json::parse(bytes).at("sequence") == 12);
  const Manifest back = decode_manifest(bytes);
  CHECK(back.task == sample().task);
  CHECK(back.nodes == sample().nodes);
  CHECK(back.files == sample().files);
  CHECK(encode_manifest(back) == bytes);
}

TEST_CASE("no manifest with a changed, missing or added byte is taken", "[state]") {
  const std::string bytes = encode_manifest(sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int bit : {0, 3, 5, 7}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      REQUIRE_FALSE(reason(changed).empty());
    }
    REQUIRE_FALSE(reason(bytes.substr(0, i)).empty());
    REQUIRE_FALSE(reason(bytes.substr(0, i) + " " + bytes.substr(i)).empty());
  }
  CHECK_FALSE(reason(bytes + bytes).empty());
}

TEST_CASE("a manifest that fits its checksum but not its format is refused with a reason", "[state]") {
  const nlohmann::ordered_json good = nlohmann::ordered_json::parse(encode_manifest(sample()));
  const auto changed = [&](const char* member, nlohmann::ordered_json value) {
    nlohmann::ordered_json json = good;
    json.erase("checksum");
    json[member] = std::move(value);
    return reason(with_body(json.dump()));
  };
  CHECK(changed("kappa_checkpoint", 2).find("format version 2") != std::string::npos);
  CHECK(changed("nodes", {{"totals/group", "0000000000000000"}}).find("totals/group") != std::string::npos);
  CHECK_FALSE(changed("order_key", "xyz").empty());
  CHECK_FALSE(changed("order_key", "abc").empty());
  CHECK_FALSE(changed("sequence", "12").empty());
  CHECK_FALSE(changed("inputs", 5).empty());
  CHECK_FALSE(changed("files", {{{"name", "../x"}, {"size", 1}, {"xxh3_128", ""}}}).empty());
  CHECK_FALSE(changed("files", {{{"name", ""}, {"size", 1}, {"xxh3_128", ""}}}).empty());
  CHECK_FALSE(changed("files", {{{"name", "manifest.json"}, {"size", 1}, {"xxh3_128", ""}}}).empty());
  CHECK_FALSE(reason(with_body("[]")).empty());
  CHECK_FALSE(reason(with_body(std::string(100'000, '['))).empty());
}

}  // namespace kappa
