// The provider's metadata (OpenID Connect Discovery §3, RFC 8414, RFC 9207), and how it is served.
#pragma once

#include <chrono>
#include <string>

#include "http/message.h"

namespace gatehouse::identity {

/// The document, as bytes. It states only what is so.
std::string provider_metadata(const std::string& issuer);

/// `bytes` for all, to be kept for `max_age`: with an ETag, and 304 for who has them already.
http::Response cacheable_json(const http::Request& request, const std::string& bytes,
                              std::chrono::seconds max_age);

class DiscoveryEndpoint final : public http::Handler {
 public:
  explicit DiscoveryEndpoint(const std::string& issuer) : document_(provider_metadata(issuer)) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  const std::string document_;
};

}  // namespace gatehouse::identity
