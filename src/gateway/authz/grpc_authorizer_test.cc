#include "gateway/authz/grpc_authorizer.h"

#include <external_auth.pb.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gateway/authz/test_grpc.h"
#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

namespace v3 = envoy::service::auth::v3;

class GrpcAuthorizerTest : public testing::Test {
 protected:
  GrpcAuthorizerTest() {
    settings_.authorizer.timeout = std::chrono::milliseconds(700);
    settings_.authorizer.body_bytes = 4;
    settings_.authorizer.body_may_be_cut = true;
    settings_.authorizer.add_headers = {{.name = "X-Key", .value = "k"}};
    request_.method = "POST";
    request_.target = http::parse_target("/a?b").value();
    request_.authority = "front.example";
    request_.peer =
        std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1", .port = 1, .tls = true});
    response_.mutable_status();
  }

  http::Verdict judge() {
    auto client = std::make_unique<FakeUpstream>();
    FakeUpstream& server = *client;
    server.answer = [this](http::Request& call) {
      metadata_ = call.headers;
      EXPECT_EQ(call.target.str(), "/envoy.service.auth.v3.Authorization/Check");
      EXPECT_TRUE(asked_.ParseFromString(call.body.bytes.substr(5)));
      return Result<http::Response>(
          grpc_answer(grpc_frame(response_.SerializeAsString()), grpc_status(status_)));
    };
    GrpcAuthorizer authorizer(settings_, {loop_, std::move(client), Forwarded({})});
    return run_now(authorizer.judge(request_)).value();
  }
  const v3::AttributeContext::HttpRequest& told() const {
    return asked_.attributes().request().http();
  }

  ManualClock clock_;
  net::Loop loop_{clock_};
  config::Gateway settings_;
  http::Request request_;
  v3::CheckResponse response_;
  std::string status_ = "0";
  v3::CheckRequest asked_;
  http::Headers metadata_;
};

TEST_F(GrpcAuthorizerTest, AsksAndAllows) {
  v3::HeaderValue& header = *response_.mutable_ok_response()->add_headers()->mutable_header();
  header.set_key("kubeflow-userid");
  header.set_value("alice");
  request_.headers.add("X-Any", "1");
  const http::Verdict verdict = judge();
  EXPECT_EQ(std::get<http::Allow>(verdict).set.at(0).second, "alice");
  EXPECT_EQ(told().path(), "/a?b");
  EXPECT_EQ(told().scheme(), "https");
  EXPECT_EQ(told().headers().at("x-any"), "1");
  EXPECT_EQ(told().headers().at("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(asked_.attributes().request().time().seconds(), unix_seconds(clock_.now()));
  EXPECT_EQ(metadata_.get("x-key"), "k");
  EXPECT_EQ(metadata_.get("grpc-timeout"), "700m");
}

TEST_F(GrpcAuthorizerTest, ShowsNothingThatOnlyTheGatewayMaySay) {
  request_.headers.add("Kubeflow_Userid", "root");
  request_.headers.add("X-Gatehouse-User", "root");
  request_.headers.add("X-Forwarded-For", "127.0.0.1");
  request_.headers.add("X-Forwarded-Proto", "http");
  request_.headers.add("X-Envoy-Auth-Partial-Body", "false");
  request_.body = http::Body(std::string("12345"));
  judge();
  EXPECT_FALSE(told().headers().contains("kubeflow_userid"));
  EXPECT_FALSE(told().headers().contains("x-gatehouse-user"));
  EXPECT_EQ(told().headers().at("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(told().headers().at("x-forwarded-proto"), "https");
  EXPECT_EQ(told().headers().at("x-envoy-auth-partial-body"), "true");
  EXPECT_EQ(told().body(), "1234");
}

TEST_F(GrpcAuthorizerTest, AFailingCallIsAFailure) {
  status_ = "14";
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
}

TEST_F(GrpcAuthorizerTest, ADenialDenies) {
  response_.mutable_status()->set_code(16);
  response_.mutable_denied_response()->mutable_status()->set_code(401);
  EXPECT_EQ(std::get<http::Deny>(judge()).response.status, 401);
}

TEST_F(GrpcAuthorizerTest, AnAnswerOverTheLimitIsAFailure) {
  response_.mutable_status()->set_message(std::string(GrpcAuthorizer::kAnswerLimit, 'x'));
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
}

TEST_F(GrpcAuthorizerTest, Cve202423324NoRequestMakesTheQuestionInvalid) {
  request_.headers.add("X-Odd", "\xff\xfe");
  request_.body = http::Body(std::string("\xff\x00\xfe\x80", 4));
  EXPECT_TRUE(std::holds_alternative<http::Allow>(judge()));
  EXPECT_EQ(told().headers().at("x-odd"), "%FF%FE");
  EXPECT_EQ(told().raw_body(), std::string("\xff\x00\xfe\x80", 4));
}

}  // namespace
}  // namespace gatehouse::gateway
