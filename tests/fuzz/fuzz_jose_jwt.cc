// Whatever comes: as a token it is refused, as a key set it gives only keys that are written and
// read again alike, and as header and payload under a right signature it is accepted only with the
// claims that were expected.
//
// The first line of the input is taken for a header, the rest for a payload.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

namespace {

using namespace gatehouse;
using namespace gatehouse::jose;

constexpr WallTime kNow(std::chrono::seconds(1'800'000'000));

void require(bool holds) {
  if (!holds) std::abort();
}

/// RFC 8032 §7.1, TEST 2: the same key in each run, so that an input can be tried again.
SigningKey make_key() {
  const Secret der(hex_decode("302e020100300506032b657004220420"
                              "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
                       .value());
  return SigningKey{"k", Algorithm::kEdDsa, crypto::PrivateKey::from_der(der).value()};
}

bool holds_audience(const Json& audience) {
  if (audience == "client") return true;
  return audience.is_array() && std::ranges::find(audience, Json("client")) != audience.end();
}

void check_claims(const Json& claims) {
  require(claims.at("iss") == "https://op.example");
  require(holds_audience(claims.at("aud")));
  require(claims.at("exp").is_number());
  require(claims.at("exp").get<double>() > 1'799'999'940.0);
  require(claims.at("exp").get<double>() < 1e16);
}

void try_signed(std::string_view header, std::string_view payload) {
  static const SigningKey key = make_key();
  static const std::vector<VerificationKey> keys = {public_part(key)};
  std::string token = base64url_encode(header) + '.' + base64url_encode(payload);
  const std::string signature = key.key.sign(crypto::Scheme::kEd25519, token).value();
  token += '.' + base64url_encode(signature);
  const auto bytes = verify_jws(token, keys);
  if (bytes) require(*bytes == payload);
  const Expected expected{.issuer = "https://op.example", .audience = "client"};
  const auto claims = verify_jwt(token, keys, expected, kNow);
  if (claims) check_claims(*claims);
}

void try_unsigned(std::string_view text) {
  static const std::vector<VerificationKey> keys = {public_part(make_key())};
  require(!verify_jws(text, keys));
}

void try_hs256(std::string_view text) {
  static std::vector<Hs256Key> keys = [] {
    std::vector<Hs256Key> made;
    made.emplace_back("k", Secret(std::string(32, 'k')));
    return made;
  }();
  require(!verify_hs256(text, keys));
  const std::string token = keys[0].sign(text);
  const auto payload = verify_hs256(token, keys);
  require(token.size() > kTokenLimit ? !payload : payload == std::string(text));
}

void try_key_set(std::string_view text) {
  const auto keys = parse_jwks(text);
  if (!keys) return;
  const auto again = parse_jwks(to_jwks(*keys));
  require(again.has_value() && to_jwks(*again) == to_jwks(*keys));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  const std::string_view payload =
      end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  try_signed(text.substr(0, end), payload);
  try_unsigned(text);
  try_hs256(text);
  try_key_set(text);
  return 0;
}
