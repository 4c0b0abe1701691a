// AuthService, TracingService and TCPMapping → AuthorizerSettings, Tracing and TcpRoute.
#pragma once

#include "config/ambassador/context.h"
#include "config/ambassador/objects.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// An authorizer that cannot be reached (RFC 6761 §6.4), so that every request is denied that is
/// asked for.
inline constexpr std::string_view kDenyingAuthorizer = "http://authservice.invalid";

/// The first AuthService without a problem or with a last good version, or v0's Module
/// "authentication". If there are some, and none can be read, kDenyingAuthorizer.
void read_auth_services(const Objects& objects, const Context& context, Report& report,
                        AuthorizerSettings& authorizer);

/// The first TracingService whose driver is opentelemetry.
void read_tracing_services(const Objects& objects, const Context& context, Report& report,
                           Tracing& tracing);

/// Those with problems that were never right are left out, as are those on an address of the
/// gateway's listeners, which must be there, as must its Hosts.
void read_tcp_mappings(const Objects& objects, const Context& context, Report& report,
                       Gateway& gateway);

}  // namespace gatehouse::config::ambassador
