#include "identity/clients/client_authentication.h"

#include <optional>

#include "base/secret.h"
#include "crypto/digest.h"
#include "oauth/credentials.h"

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

struct Credentials {
  std::string client_id;
  Secret secret;
};

using CredentialsResult = std::expected<Credentials, TokenError>;

std::unexpected<TokenError> refuse(OAuthError error, std::string description) {
  return std::unexpected(TokenError{error, std::move(description)});
}

CredentialsResult basic(std::string_view authorization, const http::Parameters& form) {
  std::optional<std::pair<std::string, std::string>> pair =
      oauth::parse_basic_credentials(authorization);
  if (!pair) {
    return refuse(OAuthError::kInvalidClient, "the Authorization header is not valid Basic");
  }
  if (http::single(form, "client_secret").value_or("") != "") {
    return refuse(OAuthError::kInvalidRequest,
                  "authenticate in the header or in the body, not both");
  }
  const std::optional<std::string_view> named = http::single(form, "client_id");
  if (named && *named != pair->first) {
    return refuse(OAuthError::kInvalidRequest, "client_id differs from the Authorization header's");
  }
  return Credentials{std::move(pair->first), Secret(std::move(pair->second))};
}

CredentialsResult read_credentials(const http::Headers& headers, const http::Parameters& form) {
  if (headers.count("Authorization") > 1) {
    return refuse(OAuthError::kInvalidRequest, "more than one Authorization header");
  }
  if (const auto authorization = headers.get("Authorization")) return basic(*authorization, form);
  const std::optional<std::string_view> id = http::single(form, "client_id");
  if (!id) return refuse(OAuthError::kInvalidClient, "no client authentication");
  return Credentials{std::string(*id),
                     Secret(std::string(http::single(form, "client_secret").value_or("")))};
}

/// Digests are compared, so that not even the secret's length shows.
bool same_secret(const Secret& given, const Secret& registered) {
  return equal_in_constant_time(crypto::sha256(given.reveal()),
                                crypto::sha256(registered.reveal()));
}

}  // namespace

std::expected<const Client*, TokenError> authenticate_client(const Clients& clients,
                                                             const http::Headers& headers,
                                                             const http::Parameters& form) {
  const CredentialsResult credentials = read_credentials(headers, form);
  if (!credentials) return std::unexpected(credentials.error());

  const Client* const client = clients.find(credentials->client_id);
  const Secret registered = client != nullptr ? client->secret : Secret();
  const bool matches = same_secret(credentials->secret, registered);
  const bool needs_secret = client == nullptr || !client->is_public;
  const bool proven = matches && (!needs_secret || !registered.empty());
  if (client == nullptr || !proven) {
    return refuse(OAuthError::kInvalidClient, "the client is unknown or its secret is wrong");
  }
  return client;
}

}  // namespace gatehouse::identity
