#include "identity/grants/claims.h"

#include "base/encoding.h"
#include "oauth/scope.h"

namespace gatehouse::identity {
namespace {

/// A field of wire type 2: its tag, the length as a varint, the bytes.
void append_field(std::string& message, int number, std::string_view bytes) {
  // proto3 does not write empty strings.
  if (bytes.empty()) return;
  message += static_cast<char>(number << 3 | 2);
  std::size_t length = bytes.size();
  for (; length >= 0x80; length >>= 7) message += static_cast<char>((length & 0x7f) | 0x80);
  message += static_cast<char>(length);
  message += bytes;
}

void add(Json& claims, const char* name, const std::string& value) {
  if (!value.empty()) claims[name] = value;
}

}  // namespace

std::string subject(std::string_view user_id, std::string_view connector_id) {
  std::string message;
  append_field(message, 1, user_id);
  append_field(message, 2, connector_id);
  return base64url_encode(message);
}

Json user_claims(const store::User& user, const std::vector<std::string>& scopes) {
  Json claims = Json::object();
  if (oauth::has_scope(scopes, "email")) {
    add(claims, "email", user.email);
    claims["email_verified"] = true;
  }
  if (oauth::has_scope(scopes, "groups") && !user.groups.empty()) claims["groups"] = user.groups;
  if (oauth::has_scope(scopes, "profile")) {
    add(claims, "name", user.name.empty() ? user.username : user.name);
    add(claims, "preferred_username", user.username);
  }
  if (oauth::has_scope(scopes, "federated:id")) {
    claims["federated_claims"] = {{"connector_id", kLocalConnector}, {"user_id", user.id}};
  }
  return claims;
}

}  // namespace gatehouse::identity
