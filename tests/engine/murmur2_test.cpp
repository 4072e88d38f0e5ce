#include "kappa/engine/murmur2.h"

#include "kappa/tests/kit/catch.h"

using namespace kappa;

// Values of Kafka's own UtilsTest.
TEST_CASE("murmur2 is Kafka's", "[murmur2]") {
  CHECK(murmur2("21") == -973932308);
  CHECK(murmur2("foobar") == -790332482);
  CHECK(murmur2("a-little-bit-long-string") == -985981536);
  CHECK(murmur2("a-little-bit-longer-string") == -1486304829);
  CHECK(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8") == -58897971);
  CHECK(murmur2("abc") == 479470107);
}

TEST_CASE("keys lie where the format's page says", "[murmur2]") {
  CHECK(murmur2("7") == -1961297549);
  CHECK(murmur2("-42") == -771745009);
  CHECK(murmur2("") == 275646681);
  CHECK(partition_of("7", 2) == 1);
  CHECK(partition_of("21", 8) == 4);
  CHECK(partition_of("-42", 4) == 3);
  CHECK(partition_of("foobar", 8) == 6);
}

TEST_CASE("a partition is never negative", "[murmur2]") {
  for (const char* key : {"", "21", "foobar", "abc"}) {
    CHECK(partition_of(key, 7) == (murmur2(key) & 0x7fffffff) % 7);
    CHECK(partition_of(key, 1) == 0);
  }
}

TEST_CASE("zero bytes at the end of a key count", "[murmur2]") {
  CHECK(murmur2(std::string_view("a\0", 2)) != murmur2("a"));
  CHECK(murmur2(std::string_view("\0", 1)) != murmur2(""));
}
