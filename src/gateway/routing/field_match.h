// What a route asks of header fields and query parameters.
//
// Compiled from config::FieldMatch; immutable. Several fields of one name count as one, joined by
// commas (RFC 9110 §5.3); a query's parameters are percent-decoded once, "+" stays, and an escape
// that is none stays as it is. Matching allocates only where values have to be joined or decoded.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/regex.h"
#include "http/message.h"

namespace gatehouse::gateway {

class FieldMatch {
 public:
  enum class Of { kHeader, kQuery };
  enum class Outcome { kMatches, kMissing, kOtherValue };

  /// kInvalid: no name, a name that is no token (of a header), value and regex both, a bad regex.
  static Result<FieldMatch> make(const config::FieldMatch& settings, Of of);

  /// "host" and ":authority" are the request's authority.
  Outcome test(const http::Request& request) const;
  /// "header x-a is missing", "query parameter v is not "1"".
  std::string describe(Outcome outcome) const;

  /// What makes it equal to another, and an order among them.
  const std::string& key() const { return key_; }

 private:
  FieldMatch() = default;
  Outcome compare(std::optional<std::string_view> value) const;

  Of of_ = Of::kHeader;
  std::string name_;  // of a header: in lower case
  std::string value_;
  std::string pattern_;
  std::optional<Regex> regex_;
  std::string key_;
};

}  // namespace gatehouse::gateway
