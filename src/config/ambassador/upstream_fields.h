// The fields of Mapping, TCPMapping, AuthService and Module that say how a service is reached.
#pragma once

#include "config/ambassador/context.h"
#include "config/ambassador/fields.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// circuit_breakers: those of priority default.
void read_circuit_breakers(FieldReader& fields, CircuitBreakers& out);
/// retry_policy.
void read_retry_policy(FieldReader& fields, RetryPolicy& out);
/// Time-outs, DNS, keep-alive, balancing, breakers, outliers and health checks of a Mapping. The
/// service itself is read by read_service().
void read_upstream(FieldReader& fields, const Context& context, Upstream& out);
/// Those that a TCPMapping has too: resolver, circuit_breakers, enable_ipv4, enable_ipv6,
/// cluster_tag, stats_name.
void read_connection(FieldReader& fields, const Context& context, Upstream& out);

}  // namespace gatehouse::config::ambassador
