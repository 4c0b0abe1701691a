// A provider's discovery document (OpenID Connect Discovery 1.0, RFC 8414), as the relying party
// reads it. The provider writes its own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::oauth {

/// OpenID Connect Discovery §3, as far as it is used here. `userinfo_endpoint` and
/// `end_session_endpoint` are empty if the provider has none.
struct ProviderMetadata {
  std::string issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, jwks_uri,
      end_session_endpoint;
};

/// Refuses a document whose issuer is not exactly `issuer` (Discovery §4.3), or that lacks an
/// endpoint that it must have, with kInvalid and the member's name.
Result<ProviderMetadata> parse_metadata(std::string_view json, std::string_view issuer);

}  // namespace gatehouse::oauth
