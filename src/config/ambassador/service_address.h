// The `service` of Mappings and their like: [scheme://]name[.namespace][:port].
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/ambassador/context.h"
#include "config/ambassador/fields.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

struct ServiceAddress {
  std::string url;   // "http://quote.default", "https://quote.default:8443"
  std::string host;  // with its port if it was given: where a redirect leads
  bool https = false;
  bool has_scheme = false;
  bool has_path = false;  // which is dropped
};

/// `https`: what is taken where no scheme is given. The error completes "must be …".
Result<ServiceAddress, std::string> parse_service(std::string_view text, bool https,
                                                  std::string_view name_space,
                                                  const Context& context);

/// Reads the field `name`, and `tls` beside it, into the upstream. False, and a problem, if there
/// is no service that can be reached.
bool read_service(FieldReader& fields, std::string_view name, const Context& context,
                  Upstream& upstream, ServiceAddress& address);

}  // namespace gatehouse::config::ambassador
