#include "gateway/authz/external_authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/test_loop.h"

namespace gatehouse::gateway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ExternalAuthorizerTest : public testing::Test {
 protected:
  ExternalAuthorizerTest() { settings_.authorizer.url = "http://127.0.0.1:9"; }

  std::string http_error() { return message(make_http_authorizer(settings_, parts())); }
  std::string grpc_error() { return message(make_grpc_authorizer(settings_, parts())); }

  config::Gateway settings_;

 private:
  ExternalAuthorizerParts parts() { return {.loop = loop_.get(), .resolver = *resolver_}; }
  static std::string message(const Result<std::unique_ptr<http::Authorizer>>& made) {
    return made ? "" : made.error().message;
  }

  net::TestLoop loop_;
  std::unique_ptr<net::Resolver> resolver_ = net::Resolver::make(loop_.get());
};

TEST_F(ExternalAuthorizerTest, AreMadeFromGoodSettings) {
  settings_.authorizer.add_headers = {{.name = "X-Key", .value = "k"}};
  EXPECT_EQ(http_error(), "");
  EXPECT_EQ(grpc_error(), "");
}

TEST_F(ExternalAuthorizerTest, ABadUrlIsNamed) {
  settings_.authorizer.url = "oidc-gatekeeper:8080";
  EXPECT_THAT(http_error(), HasSubstr("gateway.authorizer.url"));
  EXPECT_THAT(grpc_error(), HasSubstr("gateway.authorizer.url"));
}

TEST_F(ExternalAuthorizerTest, AGrpcServiceHasNoPath) {
  settings_.authorizer.url = "http://127.0.0.1:9/verify";
  EXPECT_EQ(http_error(), "");
  EXPECT_THAT(grpc_error(), HasSubstr("must end with the host and port"));
}

TEST_F(ExternalAuthorizerTest, AHeaderThatCannotBeSentIsNamed) {
  for (const char* name : {"Content-Length", "X Key", ""}) {
    settings_.authorizer.add_headers = {{.name = name, .value = "k"}};
    EXPECT_THAT(http_error(), HasSubstr("add_headers"));
    EXPECT_THAT(grpc_error(), HasSubstr("add_headers"));
  }
  settings_.authorizer.add_headers = {{.name = "X-Key", .value = "a\r\nb: c"}};
  EXPECT_THAT(http_error(), HasSubstr("add_headers"));
}

TEST_F(ExternalAuthorizerTest, AMissingCaFileIsNamed) {
  settings_.authorizer.url = "https://127.0.0.1:9";
  settings_.authorizer.tls.ca_file = "/nowhere/ca.pem";
  EXPECT_THAT(grpc_error(), HasSubstr("/nowhere/ca.pem"));
}

TEST_F(ExternalAuthorizerTest, LettingPassIsWarnedOfLoudly) {
  config::AuthorizerSettings settings;
  settings.failure_mode_allow = true;
  EXPECT_THAT(authorizer_warnings(settings), IsEmpty()) << "in process nothing lets pass";
  settings.kind = "grpc";
  EXPECT_THAT(authorizer_warnings(settings), SizeIs(1));
  EXPECT_THAT(authorizer_warnings(settings)[0], HasSubstr("failure_mode_allow"));
  settings.path_prefix = "/x";
  EXPECT_THAT(authorizer_warnings(settings), SizeIs(2));
}

}  // namespace
}  // namespace gatehouse::gateway
