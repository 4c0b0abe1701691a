#include "config/syntax.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatehouse::config {
namespace {

struct Examples {
  const char* name;
  const Syntax& syntax;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

TEST(SyntaxTest, TellsGoodFromBad) {
  const std::vector<Examples> all = {
      {"issuer",
       kIssuer,
       {"https://a/dex", "http://127.0.0.1:8080/dex", "https://a"},
       {"", "/dex", "https://a/dex?", "https://a/dex?x=1", "https://a/dex#", "ftp://a",
        "https://u:p@a", "https://a b", "https://", "https://a:0/", "https:/a"}},
      {"origin",
       kOrigin,
       {"https://a.example", "http://a:8080", "http://[::1]:8080"},
       {"https://a.example/", "https://A.example", "https://a.example:443", "https://a/x",
        "https://a?x", "a.example"}},
      {"location",
       kLocation,
       {"/", "/authservice/oidc/callback", "https://a/cb?x=1"},
       {"", "authservice", "//evil.example", "/\\evil.example", "/a\tb", "https://a/#x",
        "javascript:alert(1)", "/\nb"}},
      {"redirect URI",
       kRedirectUri,
       {"/authservice/oidc/callback", "https://a/cb", "http://127.0.0.1:1234/",
        "com.example.app:/cb", "urn:ietf:wg:oauth:2.0:oob"},
       {"", "/cb#x", "//evil.example/cb", "/\\evil.example", "https://a/cb#x",
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "1a:/cb", ":/cb", "a:", "https://u@a/cb", "https://a/c b", "vbscript:x", "https:a"}},
      {"service",
       kService,
       {"http://a:80", "https://a/base", "identity", "gatekeeper", "demo", "health"},
       {"", "a:80", "console", "http://a?x", "unix:/x", "Demo"}},
      {"path",
       kPath,
       {"/", "/a", "/a/", "/v1.0/a..b"},
       {"", "a", "//a", "/a//b", "/a/../b", "/..", "/.", "/a?b", "/a#b", "/a%2fb", "/a;b", "/a\\b",
        "/a b"}},
      {"PEM",
       kPem,
       {"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"},
       {"", "/tls/ca.pem", "-----END X----------BEGIN X-----"}},
      {"host URL",
       kHostUrl,
       {"http://a:80", "https://[::1]:8443", "http://a"},
       {"", "a:80", "http://a:80/", "http://a?x", "https://u@a", "demo"}},
      {"local path",
       kLocalPath,
       {"/", "/healthz?full=1"},
       {"", "a", "//evil.example", "/\\evil.example", "https://a/"}},
      {"any host pattern", kAnyHostPattern, {"*", "*.example.org"}, {"", "**", "example.*"}},
      {"route host",
       kRouteHost,
       {"example.org", "*.example.org", "example.*", "*example.org", "*-a.example.org", "a.exa*"},
       {"", "*", "*.", ".*", "**", "*.example.*", "a.*.org", "*.*", "*:80", "A*"}},
      {"method", kMethod, {"GET", "M-SEARCH"}, {"", "get", "GET POST"}},
      {"media type",
       kMediaType,
       {"text/html", "application/problem+json", "text/*"},
       {"", "text", "text/", "text/html; charset=utf-8", "a/b/c"}},
      {"CORS origin",
       kCorsOrigin,
       {"*", "https://a.example", "https://*.example.org:8443"},
       {"", "a.example", "https://*", "https://*.*.org", "https://a.*", "https://a/", "null"}},
      {"label", kLabel, {"a=b", "a=", "example.org/tier=public"}, {"", "a", "=b", "a = b"}},
      {"namespace",
       kNamespace,
       {"default", "kube-system", "a1", std::string(63, 'a')},
       {"", "-a", "a-", "a.b", "A", "a_b", std::string(64, 'a')}},
      {"rate key",
       kRateKey,
       {"user", "token", "address", "all", "header:x-api-key"},
       {"", "User", "ip", "header:", "header:a b"}},
      {"path below", kPathBelow, {"/a", "/a/b"}, {"", "/", "/a/", "a"}},
      {"address",
       kAddress,
       {"127.0.0.1:8080", "[::1]:0", "localhost:65535", "0.0.0.0:443"},
       {"", ":8080", "8080", "127.0.0.1", "a:", "a:65536", "a:-1", "a:+1", "::1:80", "a:80 ",
        "http://a:80", "a:b"}},
      {"host pattern",
       kHostPattern,
       {"example.org", "*.example.org"},
       {"", "*", "*.", "a:80", "Example.org", "*.*.org", "a b", "a,b"}},
      {"host", kHost, {"example.org", "example.org:8443", "[::1]:80"}, {"", "a b", "http://a"}},
      {"network",
       kNetwork,
       {"10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1", "0.0.0.0/0"},
       {"", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "a", "10.0.0.0/8/8"}},
      {"token",
       kToken,
       {"kubeflow-userid", "gatehouse_*"},
       {"", "a b", "a:b", "a=b", "a;b", "a\r\nb", "ä"}},
      {"scope", kScope, {"openid", "audience:server:client_id:x"}, {"", "a b", "a\"b", "a\\b"}},
      {"email",
       kEmail,
       {"ada@example.org", "a@b"},
       {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>"}},
      {"group", kGroup, {"admins", "team a", "ä"}, {"", "a,b", " a", "a ", "a\nb"}},
      {"sealing key",
       kSealingKey,
       {"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"},
       {"", "c2hvcnQ=", "not base64 at all, but of some length.."}},
      {"password hash",
       kPasswordHash,
       {"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", "$2b$10$x"},
       {"", "password", "$argon2i$v=19", "$1$x", "$2b$10$x\n"}},
  };
  for (const Examples& examples : all) {
    for (const std::string& text : examples.good) {
      EXPECT_TRUE(examples.syntax.valid(text)) << examples.name << ": " << text;
    }
    for (const std::string& text : examples.bad) {
      EXPECT_FALSE(examples.syntax.valid(text)) << examples.name << ": " << text;
    }
  }
}

}  // namespace
}  // namespace gatehouse::config
