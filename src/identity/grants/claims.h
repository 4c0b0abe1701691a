// What tokens and userinfo say of a user.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "store/contract.h"

namespace gatehouse::identity {

/// The one connector there is: users and passwords of our own.
inline constexpr std::string_view kLocalConnector = "local";

/// `sub` in Dex's form: base64url of the protobuf message {1: user_id, 2: connector_id}. Role
/// bindings in clusters hang on it, so it stays the same to the bit.
std::string subject(std::string_view user_id, std::string_view connector_id);

/// The claims about the user that the scopes give (OpenID Connect Core §5.4): email and
/// email_verified, groups, name and preferred_username, federated_claims. Members without a value
/// are left out.
Json user_claims(const store::User& user, const std::vector<std::string>& scopes);

}  // namespace gatehouse::identity
