#include "identity/clients/clients.h"

#include <gtest/gtest.h>

namespace gatehouse::identity {
namespace {

Client confidential(std::vector<std::string> redirect_uris) {
  Client client;
  client.id = "web";
  client.secret = Secret("s3cret");
  client.redirect_uris = std::move(redirect_uris);
  return client;
}

Client native() {
  Client client;
  client.id = "cli";
  client.is_public = true;
  return client;
}

TEST(Clients, FindsByExactId) {
  const Clients clients({confidential({"/cb"})});
  EXPECT_NE(clients.find("web"), nullptr);
  EXPECT_EQ(clients.find("Web"), nullptr);
  EXPECT_EQ(clients.find(""), nullptr);
}

TEST(Clients, RefusesAtStartWhatCouldNeverBeSafe) {
  EXPECT_TRUE(Clients({confidential({"/authservice/oidc/callback"})}).check());
  EXPECT_TRUE(Clients({confidential({"com.example.app:/oauth"})}).check());
  for (const char* uri : {"", "//evil", "/a#b", "javascript:alert(1)", "data:x", "https://a b/",
                          "https://user@host/cb", "/a\r\nSet-Cookie:x", "/\\evil", "callback",
                          "com.example;script-src:/"}) {
    EXPECT_FALSE(Clients({confidential({uri})}).check()) << uri;
  }
  EXPECT_FALSE(Clients({confidential({})}).check());
  EXPECT_FALSE(Clients({confidential({"/a"}), confidential({"/b"})}).check());
  Client without_secret = confidential({"/a"});
  without_secret.secret = Secret();
  EXPECT_FALSE(Clients({without_secret}).check());
  Client odd_algorithm = confidential({"/a"});
  odd_algorithm.id_token_alg = "none";
  EXPECT_FALSE(Clients({odd_algorithm}).check());
}

TEST(Clients, RedirectUriIsComparedByteForByte) {
  const Client client = confidential({"https://app.example/cb?x=1", "/authservice/oidc/callback"});
  EXPECT_TRUE(allows_redirect(client, "https://app.example/cb?x=1"));
  EXPECT_TRUE(allows_redirect(client, "/authservice/oidc/callback"));
  for (const char* uri : {"https://app.example/cb", "https://app.example/cb?x=1&y=2",
                          "https://APP.example/cb?x=1", "https://app.example:443/cb?x=1",
                          "https://app.example/cb/../cb?x=1", "/authservice/oidc/callback/",
                          "/authservice/oidc/callback?a", "/authservice/oidc%2Fcallback",
                          "https://app.example/%63b?x=1", "", "http://127.0.0.1:1/"}) {
    EXPECT_FALSE(allows_redirect(client, uri)) << uri;
  }
}

TEST(Clients, PublicClientWithoutRegisteredUrisMayUseAnyLoopbackPort) {
  EXPECT_TRUE(allows_redirect(native(), "http://127.0.0.1:49152/cb"));
  EXPECT_TRUE(allows_redirect(native(), "http://localhost:8000"));
  EXPECT_TRUE(allows_redirect(native(), "http://[::1]:5555/x?y=1"));
  for (const char* uri :
       {"https://127.0.0.1/cb", "http://127.0.0.1.evil.example/", "http://evil.example/",
        "http://localhost@evil.example/", "http://localhost#x", "/cb", "http://127.0.0.1\\@evil/",
        "http://127.0.0.1;script-src/", "http://127.0.0.1/\"", "http://127.0.0.1/\r\nX: y",
        "com.example:/cb"}) {
    EXPECT_FALSE(allows_redirect(native(), uri)) << uri;
  }
}

TEST(Clients, ConfidentialClientNeverGetsTheLoopbackRule) {
  EXPECT_FALSE(allows_redirect(confidential({}), "http://127.0.0.1:1/"));
}

TEST(Clients, PolicyNamesWhereTheRedirectLeads) {
  EXPECT_EQ(csp_source("/authservice/oidc/callback"), "'self'");
  EXPECT_EQ(csp_source("https://app.example:8443/cb?a=b"), "https://app.example:8443");
  EXPECT_EQ(csp_source("com.example.app:/oauth"), "com.example.app:");
}

}  // namespace
}  // namespace gatehouse::identity
