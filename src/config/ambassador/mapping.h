// Mapping → Route.
#pragma once

#include <optional>

#include "config/ambassador/context.h"
#include "config/ambassador/fields.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// nullopt if the Mapping has a problem, which is then reported.
std::optional<Route> read_mapping(const Object& object, const Context& context, Report& report);

/// Reads all fields of a Mapping. Of its parts:
void read_mapping_fields(FieldReader& fields, const Context& context, Route& route);
/// … what matches: prefix, hostname, method, headers, query parameters, precedence.
void read_match(FieldReader& fields, const Context& context, Route& route);
/// … what is changed: rewrites, headers, CORS, error overrides. Redirects are read with the
/// service.
void read_changes(FieldReader& fields, const Context& context, Route& route);
/// … host_redirect and its like; `host` is where the service leads, `https` how.
void read_redirect(FieldReader& fields, const std::string& host, bool https, Route& route);

/// cors. What cannot be allowed is left out with a warning.
void read_cors(FieldReader& fields, Cors& out);
/// error_response_overrides.
std::vector<ErrorOverride> read_error_overrides(FieldReader& fields);

/// A hostname of Mapping or Host: lower case, without port. The error completes "must be …".
Result<std::string, std::string> parse_hostname(std::string_view text);
/// Of what parse_hostname() gave: whether a certificate can be found by it, which only whole names,
/// "*.example.org" and "*" are for.
bool is_name_of_tls(std::string_view hostname);

}  // namespace gatehouse::config::ambassador
