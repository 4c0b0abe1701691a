// What a client's certificate says, as text. For tls_stream.cc.
#pragma once

#include "http/message.h"
#include "net/openssl.h"

namespace gatehouse::net {

/// `issuers`: what the client sent with it; may be null. Empty fields where OpenSSL gives nothing.
http::ClientCertificate describe(X509& certificate, const STACK_OF(X509) * issuers);

}  // namespace gatehouse::net
