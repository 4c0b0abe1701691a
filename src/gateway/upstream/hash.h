// The hash behind ring_hash and maglev: the same for the same bytes on every loop, in every process
// and on every machine, so that all gateways send a client to the same address. Not for anything
// that has to resist somebody: who chooses their own key chooses where they go, and nothing more.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatehouse::gateway::upstream {

/// Spreads every bit of `x` over all 64 (the finalizer of SplitMix64, Steele et al. 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// FNV-1a of the bytes, mixed. Different seeds give independent hashes.
constexpr std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ mix(seed);
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return mix(hash);
}

}  // namespace gatehouse::gateway::upstream
