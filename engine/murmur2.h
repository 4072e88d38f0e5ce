// kappa/engine/murmur2.h: the hash by which Kafka's Java producers place a key, so that kappa's records lie where
// theirs do.
//
// Threads:  functions; share nothing.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace kappa {

/// MurmurHash2 (Austin Appleby, public domain) with the seed of Kafka's `Utils.murmur2`.
[[nodiscard]] inline std::int32_t murmur2(std::string_view key) {
  static_assert(std::endian::native == std::endian::little, "the words of the key are read as they lie");
  constexpr std::uint32_t kMultiplier = 0x5bd1e995, kSeed = 0x9747b28c;
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, key.data() + at, 4);
    word *= kMultiplier;
    word ^= word >> 24;
    hash = hash * kMultiplier ^ word * kMultiplier;
  }
  if (at < key.size()) {
    std::uint32_t tail = 0;
    std::memcpy(&tail, key.data() + at, key.size() - at);
    hash = (hash ^ tail) * kMultiplier;
  }
  hash = (hash ^ hash >> 13) * kMultiplier;
  return static_cast<std::int32_t>(hash ^ hash >> 15);
}

/// The partition that Java's default partitioner gives a record with this key. Requires: partitions > 0.
[[nodiscard]] inline std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace kappa
