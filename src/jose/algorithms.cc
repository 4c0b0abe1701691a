#include "jose/algorithms.h"

#include <array>
#include <utility>

namespace gatehouse::jose {
namespace {

constexpr std::array<std::pair<Algorithm, std::string_view>, 6> kNames = {{
    {Algorithm::kHs256, "HS256"},
    {Algorithm::kRs256, "RS256"},
    {Algorithm::kPs256, "PS256"},
    {Algorithm::kEs256, "ES256"},
    {Algorithm::kEs384, "ES384"},
    {Algorithm::kEdDsa, "EdDSA"},
}};

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  for (const auto& [known, name] : kNames) {
    if (known == algorithm) return name;
  }
  return "unknown";
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  for (const auto& [algorithm, known] : kNames) {
    if (known == name) return algorithm;
  }
  return std::nullopt;
}

std::optional<crypto::Scheme> scheme_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return std::nullopt;
    case Algorithm::kRs256:
      return crypto::Scheme::kRs256;
    case Algorithm::kPs256:
      return crypto::Scheme::kPs256;
    case Algorithm::kEs256:
      return crypto::Scheme::kEs256;
    case Algorithm::kEs384:
      return crypto::Scheme::kEs384;
    case Algorithm::kEdDsa:
      return crypto::Scheme::kEd25519;
  }
  return std::nullopt;
}

std::optional<crypto::KeyKind> key_kind_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return std::nullopt;
    case Algorithm::kRs256:
    case Algorithm::kPs256:
      return crypto::KeyKind::kRsa;
    case Algorithm::kEs256:
      return crypto::KeyKind::kP256;
    case Algorithm::kEs384:
      return crypto::KeyKind::kP384;
    case Algorithm::kEdDsa:
      return crypto::KeyKind::kEd25519;
  }
  return std::nullopt;
}

Algorithm default_algorithm(crypto::KeyKind kind) {
  switch (kind) {
    case crypto::KeyKind::kRsa:
      break;
    case crypto::KeyKind::kP256:
      return Algorithm::kEs256;
    case crypto::KeyKind::kP384:
      return Algorithm::kEs384;
    case crypto::KeyKind::kEd25519:
      return Algorithm::kEdDsa;
  }
  return Algorithm::kRs256;
}

}  // namespace gatehouse::jose
