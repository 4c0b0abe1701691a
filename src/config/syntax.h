// The forms that text fields may be held to. Each is a rule in words and a pure question.
#pragma once

#include <string_view>

namespace gatehouse::config {

struct Syntax {
  std::string_view rule;  // completes "must be …"
  bool (*valid)(std::string_view text);
};

extern const Syntax kText;            // anything, several lines too
extern const Syntax kOneLine;         // any text without control characters
extern const Syntax kPem;             // PEM blocks (RFC 7468)
extern const Syntax kHttpUrl;         // absolute http(s) URL
extern const Syntax kIssuer;          // … without query and fragment (OIDC Discovery §2)
extern const Syntax kOrigin;          // … spelt as a browser's Origin
extern const Syntax kLocation;        // local path or absolute URL
extern const Syntax kRedirectUri;     // local path, or any scheme that is no script; no fragment
extern const Syntax kService;         // URL, or a part of this process
extern const Syntax kHostUrl;         // scheme, host and port
extern const Syntax kLocalPath;       // "/a?b": a path on this site
extern const Syntax kPath;            // "/dex": segments, no query, no dots
extern const Syntax kPathBelow;       // … that is not the whole site
extern const Syntax kAddress;         // host:port to listen at
extern const Syntax kHostPattern;     // "example.org" or "*.example.org"
extern const Syntax kAnyHostPattern;  // … or "*"
extern const Syntax kRouteHost;       // … or "*example.org", "example.*"
extern const Syntax kHost;            // "example.org" or "example.org:8443"
extern const Syntax kNetwork;         // IP address or CIDR block
extern const Syntax kToken;           // RFC 9110 §5.6.2
extern const Syntax kMethod;          // a token without small letters
extern const Syntax kMediaType;       // "text/html" (RFC 9110 §8.3.1), without parameters
extern const Syntax kCorsOrigin;      // origin, "https://*.example.org" or "*"
extern const Syntax kLabel;           // "key=value"
extern const Syntax kNamespace;       // of Kubernetes
extern const Syntax kRateKey;         // what a rate limit counts by
extern const Syntax kScope;           // RFC 6749 §3.3, one
extern const Syntax kEmail;           // one @ between two parts
extern const Syntax kGroup;           // what can stand in a comma-separated header
extern const Syntax kClientId;        // RFC 6749 appendix A.1
extern const Syntax kSealingKey;      // 32 bytes as base64
extern const Syntax kPasswordHash;    // Argon2id or bcrypt

}  // namespace gatehouse::config
