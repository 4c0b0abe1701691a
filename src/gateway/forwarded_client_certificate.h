// The X-Forwarded-Client-Cert header, in the form that Envoy gives it.
//
// What a certificate holds can not look like more than its own value: a value is in double quotes
// unless it is harmless, and nothing within can end them.
#pragma once

#include <string>
#include <vector>

#include "http/message.h"

namespace gatehouse::gateway {

/// One element: key=value pairs between semicolons, in the order of `details`, which are hash,
/// subject, uri, dns, cert and chain; others are left out. A detail that the certificate has not
/// is left out too, but Subject. Empty if nothing is left. The subject is RFC 2253, with each "
/// and \ of its values as a hex pair; what could be taken for the header's own signs is
/// percent-encoded in a URI or DNS name; cert and chain are percent-encoded PEM.
std::string forwarded_client_certificate(const http::ClientCertificate& certificate,
                                         const std::vector<std::string>& details);

}  // namespace gatehouse::gateway
