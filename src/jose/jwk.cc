#include "jose/jwk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "jose/algorithms.h"

namespace gatehouse::jose {
namespace {

// A hundred RSA keys with a certificate each.
constexpr std::size_t kJwksBytesLimit = std::size_t{512} * 1024;

// RFC 7518 §6.2.2, §6.3.2, §6.4.1.
constexpr std::array<std::string_view, 8> kPrivateMembers = {"d",  "p",  "q",   "dp",
                                                             "dq", "qi", "oth", "k"};

std::unexpected<Error> refuse(std::string reason) {
  return fail(ErrorCode::kInvalid, "JWK: " + std::move(reason));
}

/// A foreign text within a message: printable and not long.
std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 40)) out += (c >= ' ' && c <= '~') ? c : '?';
  return out + '"';
}

Result<std::string> bytes_member(const Json& jwk, std::string_view name) {
  const auto text = json_string(jwk, name);
  if (!text) return refuse("the member " + shown(name) + " is missing or no string");
  auto bytes = base64url_decode(*text);
  if (!bytes) return refuse("the member " + shown(name) + " is not base64url");
  return *std::move(bytes);
}

Result<std::optional<std::string>> optional_string(const Json& jwk, std::string_view name) {
  if (!jwk.contains(name)) return std::nullopt;
  auto text = json_string(jwk, name);
  if (!text) return refuse("the member " + shown(name) + " is no string");
  return text;
}

Result<void> check_use(const Json& jwk) {
  const auto use = optional_string(jwk, "use");
  if (!use) return std::unexpected(use.error());
  if (*use && **use != "sig") return refuse("its use is " + shown(**use) + ", not \"sig\"");
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return {};
  const auto is_text = [](const Json& operation) { return operation.is_string(); };
  if (!operations->is_array() || !std::ranges::all_of(*operations, is_text)) {
    return refuse("\"key_ops\" is no array of strings");
  }
  if (std::ranges::find(*operations, Json("verify")) == operations->end()) {
    return refuse("its key_ops do not hold \"verify\"");
  }
  return {};
}

Result<crypto::PublicKey> parse_rsa(const Json& jwk) {
  const auto n = bytes_member(jwk, "n");
  if (!n) return std::unexpected(n.error());
  const auto e = bytes_member(jwk, "e");
  if (!e) return std::unexpected(e.error());
  return crypto::PublicKey::rsa(*n, *e);
}

Result<crypto::PublicKey> parse_ec(const Json& jwk) {
  const std::string curve = json_string(jwk, "crv").value_or("");
  if (curve != "P-256" && curve != "P-384") {
    return refuse("the curve " + shown(curve) + " is not supported");
  }
  const auto x = bytes_member(jwk, "x");
  if (!x) return std::unexpected(x.error());
  const auto y = bytes_member(jwk, "y");
  if (!y) return std::unexpected(y.error());
  const auto kind = curve == "P-256" ? crypto::KeyKind::kP256 : crypto::KeyKind::kP384;
  return crypto::PublicKey::ec(kind, *x, *y);
}

Result<crypto::PublicKey> parse_okp(const Json& jwk) {
  const std::string curve = json_string(jwk, "crv").value_or("");
  if (curve != "Ed25519") return refuse("the curve " + shown(curve) + " is not supported");
  const auto x = bytes_member(jwk, "x");
  if (!x) return std::unexpected(x.error());
  return crypto::PublicKey::ed25519(*x);
}

Result<crypto::PublicKey> parse_key(const Json& jwk) {
  const std::string type = json_string(jwk, "kty").value_or("");
  if (type == "RSA") return parse_rsa(jwk);
  if (type == "EC") return parse_ec(jwk);
  if (type == "OKP") return parse_okp(jwk);
  return refuse("the key type " + shown(type) + " is not supported");
}

Result<Algorithm> choose_algorithm(const std::optional<std::string>& name, crypto::KeyKind kind) {
  if (!name) return default_algorithm(kind);
  const auto algorithm = parse_algorithm(*name);
  if (!algorithm) return refuse("the algorithm " + shown(*name) + " is not supported");
  if (key_kind_of(*algorithm) != kind) {
    return refuse("the algorithm " + shown(*name) + " does not fit the key's type");
  }
  return *algorithm;
}

/// The members of RFC 7638 §3.2 and RFC 8037 §2: what makes the key this key.
Json required_members(const crypto::PublicKey& key) {
  const auto [first, second] = key.numbers();
  const std::string x = base64url_encode(first);
  switch (key.kind()) {
    case crypto::KeyKind::kRsa:
      break;
    case crypto::KeyKind::kP256:
      return {{"kty", "EC"}, {"crv", "P-256"}, {"x", x}, {"y", base64url_encode(second)}};
    case crypto::KeyKind::kP384:
      return {{"kty", "EC"}, {"crv", "P-384"}, {"x", x}, {"y", base64url_encode(second)}};
    case crypto::KeyKind::kEd25519:
      return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", x}};
  }
  return {{"kty", "RSA"}, {"n", x}, {"e", base64url_encode(second)}};
}

}  // namespace

Result<SigningKey> generate_key(Algorithm algorithm) {
  const auto kind = key_kind_of(algorithm);
  if (!kind) return fail(ErrorCode::kInvalid, "HS256 has no key pair");
  auto key = crypto::PrivateKey::generate(*kind);
  if (!key) return fail(std::move(key));
  std::string kid = thumbprint(key->public_key());
  return SigningKey{std::move(kid), algorithm, *std::move(key)};
}

Json to_jwk(const VerificationKey& key) {
  Json jwk = required_members(key.key);
  jwk["kid"] = key.kid;
  jwk["alg"] = to_string(key.algorithm);
  jwk["use"] = "sig";
  return jwk;
}

VerificationKey public_part(const SigningKey& key) {
  return VerificationKey{key.kid, key.algorithm, key.key.public_key()};
}

std::string thumbprint(const crypto::PublicKey& key) {
  // RFC 7638 §3.3 asks for members in the order of their names, which is the order of Json.
  return base64url_encode(crypto::sha256(dump_json(required_members(key))));
}

Result<VerificationKey> parse_jwk(const Json& jwk) {
  if (!jwk.is_object()) return refuse("not a JSON object");
  for (const std::string_view member : kPrivateMembers) {
    if (jwk.contains(member)) return refuse("a private or symmetric key is refused here");
  }
  const auto use = check_use(jwk);
  if (!use) return std::unexpected(use.error());
  auto kid = optional_string(jwk, "kid");
  if (!kid) return std::unexpected(kid.error());
  const auto name = optional_string(jwk, "alg");
  if (!name) return std::unexpected(name.error());
  auto key = parse_key(jwk);
  if (!key) return fail(std::move(key));
  const auto algorithm = choose_algorithm(*name, key->kind());
  if (!algorithm) return std::unexpected(algorithm.error());
  return VerificationKey{std::move(*kid).value_or(""), *algorithm, *std::move(key)};
}

Result<std::vector<VerificationKey>> parse_jwks(std::string_view text, std::size_t limit) {
  const auto set = parse_json(text, {.bytes = kJwksBytesLimit});
  if (!set) return std::unexpected(Error(set.error()).in("JWK Set"));
  if (!set->is_object() || !set->contains("keys") || !(*set)["keys"].is_array()) {
    return fail(ErrorCode::kInvalid, "JWK Set: no array \"keys\"");
  }
  std::vector<VerificationKey> keys;
  std::size_t read = 0;
  for (const Json& jwk : (*set)["keys"]) {
    if (read++ == limit) break;
    auto key = parse_jwk(jwk);
    if (key) keys.push_back(*std::move(key));
  }
  return keys;
}

std::string to_jwks(const std::vector<VerificationKey>& keys) {
  Json set = {{"keys", Json::array()}};
  for (const VerificationKey& key : keys) set["keys"].push_back(to_jwk(key));
  return dump_json(set);
}

}  // namespace gatehouse::jose
