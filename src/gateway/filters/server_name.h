// The Server header of all answers, if the configuration gives one (RFC 9110 §10.2.4). Nothing else
// is removed from what upstreams say.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace gatehouse::gateway {

class ServerName {
 public:
  /// "": answers keep what the upstream says. kInvalid if it is no header value.
  static Result<ServerName> make(std::string_view name) {
    if (!http::is_ascii_field_value(name)) {
      return fail(ErrorCode::kInvalid,
                  "server_name: it may hold visible ASCII and inner spaces only");
    }
    ServerName out;
    out.name_ = name;
    return out;
  }

  void apply(http::Headers& headers) const {
    if (!name_.empty()) headers.set("Server", name_);
  }

 private:
  std::string name_;
};

}  // namespace gatehouse::gateway
