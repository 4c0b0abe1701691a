// What both protocols of external authorization tell of a request, and how far an answer's fields
// may reach.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/forwarded.h"
#include "gateway/identity_headers.h"
#include "http/authorizer.h"

namespace gatehouse::gateway {

/// Of the gatekeeper as an external authorizer: who the user is and by which session, for the log
/// and for judging open exchanges again. No upstream sees them.
inline constexpr std::string_view kUserField = "x-gatehouse-user";
inline constexpr std::string_view kSessionField = "x-gatehouse-session";

/// Says, true or false, whether more of the body exists than is told (Envoy).
inline constexpr std::string_view kPartialBodyField = "x-envoy-auth-partial-body";

/// True for the fields by which parts of Gatehouse tell one another things.
bool is_internal_field(std::string_view name);

/// The beginning of a body that the authorizer is told.
struct ToldBody {
  std::string_view bytes;
  bool partial = false;
};
/// `limit` is authorizer.body_bytes.
ToldBody told_body(const http::Request& request, std::size_t limit);

/// Chooses the fields of a request that its authorizer sees.
class QuestionFields {
 public:
  QuestionFields(const config::Gateway& settings, Forwarded forwarded)
      : identity_(settings.managed_headers, settings.private_cookies),
        forwarded_(std::move(forwarded)) {}

  /// Of `told`, which is some or all of the request's fields: what only the gateway may say of a
  /// user goes, and what is said of the client's connection becomes the gateway's own account.
  void finish(const http::Request& request, http::Headers& told) const;

  const IdentityHeaders& identity() const { return identity_; }

 private:
  IdentityHeaders identity_;
  Forwarded forwarded_;
};

}  // namespace gatehouse::gateway
