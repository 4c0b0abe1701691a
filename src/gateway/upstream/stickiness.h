// By what ring_hash and maglev keep a client at one address: a cookie, a header, the client's
// address; and the cookie that is given to a client without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/upstream/random_sequence.h"
#include "http/message.h"

namespace gatehouse::gateway::upstream {

/// Who the request is for, as far as the request itself does not say it.
struct Client {
  std::string_view address;  // the real one, behind trusted proxies; "" if unknown
  std::string_view user;     // who is signed in; "" if nobody
  bool secure = false;       // the client came over https
};

class Stickiness {
 public:
  /// `entropy` outlives this.
  Stickiness(config::LoadBalancer settings, Entropy& entropy);
  /// kInvalid for a cookie that could not be set.
  static Result<void> check(const config::LoadBalancer& settings);

  struct Key {
    std::uint64_t hash = 0;
    /// The value of a Set-Cookie field that belongs into the answer, so that the next request has
    /// the same key.
    std::optional<std::string> set_cookie;
  };
  /// The first that is there: the cookie, a cookie that is given now (if cookie_ttl is not 0), the
  /// header, the client's address; then the user; then chance.
  Key key_of(const http::Request& request, const Client& client, RandomSequence& random) const;

 private:
  Key new_cookie(bool secure) const;

  config::LoadBalancer settings_;
  Entropy& entropy_;
};

}  // namespace gatehouse::gateway::upstream
