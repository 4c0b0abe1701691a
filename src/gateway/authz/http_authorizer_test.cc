#include "gateway/authz/http_authorizer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

class HttpAuthorizerTest : public testing::Test {
 protected:
  HttpAuthorizerTest() {
    config::Gateway& settings = settings_;
    settings.authorizer.timeout = std::chrono::milliseconds(700);
    settings.authorizer.allowed_request_headers = {"X-Custom"};
    settings.authorizer.allowed_authorization_headers = {"X-Team", "X-Gatehouse-Session"};
    make();
    request_.method = "POST";
    request_.target = http::parse_target("/pipeline/?ns=a%20b").value();
    request_.authority = "front.example";
    request_.peer =
        std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1", .port = 1, .tls = true});
    request_.body = http::Body("secret body");
  }

  void make() {
    auto client = std::make_unique<FakeUpstream>();
    remote_ = client.get();
    authorizer_ = std::make_unique<HttpAuthorizer>(
        settings_, HttpAuthorizer::Parts{loop_, std::move(client), "/verify", Forwarded({})});
  }

  void answers(int status, std::vector<std::pair<std::string, std::string>> headers = {},
               std::string body = "") {
    remote_->answer = [=](http::Request&) {
      http::Response response;
      response.status = status;
      for (const auto& [name, value] : headers) response.headers.add(name, value);
      response.body = http::Body(body);
      return Result<http::Response>(std::move(response));
    };
  }
  http::Verdict judge() { return run_now(authorizer_->judge(request_)).value(); }

  SystemClock clock_;
  net::Loop loop_{clock_};
  config::Gateway settings_;
  FakeUpstream* remote_ = nullptr;
  std::unique_ptr<HttpAuthorizer> authorizer_;
  http::Request request_;
};

TEST_F(HttpAuthorizerTest, AsksWithMethodPrefixedTargetAndNoBody) {
  remote_->answer = [](http::Request& check) {
    EXPECT_TRUE(check.body.empty());
    return Result<http::Response>(http::Response{});
  };
  judge();
  ASSERT_EQ(remote_->seen.size(), 1U);
  const FakeUpstream::Seen& seen = remote_->seen[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/verify/pipeline/?ns=a%20b");
  EXPECT_EQ(seen.authority, "front.example");
  EXPECT_EQ(seen.timeouts.response, std::chrono::milliseconds(700));
  EXPECT_EQ(seen.headers.get("x-forwarded-proto"), "https");
  EXPECT_EQ(seen.headers.get("x-forwarded-host"), "front.example");
  EXPECT_EQ(seen.headers.get("x-forwarded-for"), "192.0.2.1");
}

TEST_F(HttpAuthorizerTest, AsksAboutAConnectAsAboutAGet) {
  request_.method = "CONNECT";
  request_.upgrade = http::kConnect;
  request_.target = http::parse_target("/").value();
  judge();
  const FakeUpstream::Seen& seen = remote_->seen.at(0);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.upgrade, "");
  EXPECT_EQ(seen.authority, "front.example");
  EXPECT_EQ(seen.headers.get("x-forwarded-method"), "CONNECT");
}

TEST_F(HttpAuthorizerTest, SendsTheListedHeadersOnly) {
  request_.headers.add("Cookie", "gatehouse_session=x");
  request_.headers.add("Authorization", "Bearer y");
  request_.headers.add("X-Custom", "1");
  request_.headers.add("X-Other", "2");
  request_.headers.add("Upgrade-Insecure-Requests", "1");
  judge();
  const http::Headers& sent = remote_->seen[0].headers;
  EXPECT_EQ(sent.get("cookie"), "gatehouse_session=x");
  EXPECT_EQ(sent.get("authorization"), "Bearer y");
  EXPECT_EQ(sent.get("x-custom"), "1");
  EXPECT_FALSE(sent.has("x-other"));
  EXPECT_FALSE(sent.has("upgrade-insecure-requests"));
}

TEST_F(HttpAuthorizerTest, ExactlyTwoHundredAllows) {
  answers(200, {{"Kubeflow-Userid", "alice"},
                {"X-Team", "a"},
                {"X-Unlisted", "b"},
                {"X-Gatehouse-User", "alice"},
                {"X-Gatehouse-Session", "s1"},
                {"X-Envoy-Auth-Headers-To-Remove", "authorization, , x-a ,bad name"}});
  const http::Verdict verdict = judge();
  const auto& allow = std::get<http::Allow>(verdict);
  EXPECT_EQ(allow.user, "alice");
  EXPECT_EQ(allow.session, "s1");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(allow.set, (std::vector<Pair>{{"Kubeflow-Userid", "alice"}, {"X-Team", "a"}}));
  EXPECT_EQ(allow.remove, (std::vector<std::string>{"authorization", "x-a"}));
}

TEST_F(HttpAuthorizerTest, OtherStatusesDenyWithTheirAnswer) {
  for (const int status : {201, 204, 301, 302, 401, 403, 404, 429}) {
    answers(status, {}, "body");
    const http::Verdict verdict = judge();
    const auto& deny = std::get<http::Deny>(verdict);
    EXPECT_EQ(deny.response.status, status);
    EXPECT_EQ(deny.response.body.bytes, "body");
    EXPECT_EQ(deny.response.headers.get("cache-control"), "no-store");
  }
}

TEST_F(HttpAuthorizerTest, ADenialKeepsWhatItsClientNeeds) {
  answers(302, {{"Location", "https://login.example/"},
                {"Set-Cookie", "state=1"},
                {"Set-Cookie", "nonce=2"},
                {"WWW-Authenticate", "Bearer"},
                {"Cache-Control", "private"},
                {"Server", "inner/1.0"},
                {"X-Gatehouse-Session", "s"}});
  const http::Verdict verdict = judge();
  const http::Headers& headers = std::get<http::Deny>(verdict).response.headers;
  EXPECT_EQ(headers.get("location"), "https://login.example/");
  EXPECT_EQ(headers.count("set-cookie"), 2U);
  EXPECT_EQ(headers.get("www-authenticate"), "Bearer");
  EXPECT_EQ(headers.get("cache-control"), "private");
  EXPECT_FALSE(headers.has("server"));
  EXPECT_FALSE(headers.has("x-gatehouse-session"));
}

TEST_F(HttpAuthorizerTest, ServerErrorsTimeOutsAndBrokenAnswersAreFailures) {
  for (const int status : {101, 500, 502, 503, 599}) {
    answers(status);
    EXPECT_TRUE(std::holds_alternative<http::Failure>(judge())) << status;
  }
  for (const ErrorCode code : {ErrorCode::kTimeout, ErrorCode::kUnavailable, ErrorCode::kCorrupt}) {
    remote_->answer = [code](http::Request&) -> Result<http::Response> { return fail(code, "x"); };
    EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
  }
  remote_->answer = [](http::Request&) {
    http::Response response;
    response.body = http::Body(std::make_unique<FakeBody>(
        std::deque<Result<std::string>>{fail(ErrorCode::kCorrupt, "cut")}));
    return Result<http::Response>(std::move(response));
  };
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
}

TEST_F(HttpAuthorizerTest, AnEndlessDenialIsAFailure) {
  answers(403, {}, std::string(HttpAuthorizer::kBodyLimit + 1, 'x'));
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
}

TEST_F(HttpAuthorizerTest, ATwoHundredOverwritesWhatAmbassadorLetsIt) {
  answers(200, {{"Authorization", "Bearer inner"},
                {"Location", "/a"},
                {"Proxy-Authenticate", "b"},
                {"Set-Cookie", "c=1"},
                {"WWW-Authenticate", "d"},
                {"Content-Type", "text/html"}});
  const http::Verdict verdict = judge();
  std::vector<std::string> names;
  for (const auto& [name, value] : std::get<http::Allow>(verdict).set) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"Authorization", "Location", "Proxy-Authenticate",
                                             "Set-Cookie", "WWW-Authenticate"}));
}

TEST_F(HttpAuthorizerTest, ASessionsCookieOfATwoHundredGoesToNoUpstream) {
  answers(200, {{"Set-Cookie", "gatehouse_session=secret"}, {"Set-Cookie", "c=1"}});
  const http::Verdict verdict = judge();
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(std::get<http::Allow>(verdict).set, (std::vector<Pair>{{"Set-Cookie", "c=1"}}));
}

TEST_F(HttpAuthorizerTest, OwnHeadersOfTheQuestionOverwriteTheClients) {
  settings_.authorizer.add_headers = {{.name = "X-Custom", .value = "ours"},
                                      {.name = "Accept", .value = "b", .append = true}};
  make();
  request_.headers.add("x-custom", "client's");
  request_.headers.add("Accept", "a");
  judge();
  const http::Headers& sent = remote_->seen[0].headers;
  EXPECT_EQ(sent.count("x-custom"), 1U);
  EXPECT_EQ(sent.get("x-custom"), "ours");
  EXPECT_EQ(sent.count("accept"), 2U);
}

TEST_F(HttpAuthorizerTest, TheBodyIsToldAsFarAsWanted) {
  settings_.authorizer.body_bytes = 6;
  settings_.authorizer.body_may_be_cut = true;
  make();
  std::string told;
  remote_->answer = [&told](http::Request& question) {
    told = question.body.bytes;
    return Result<http::Response>(http::Response{});
  };
  judge();
  EXPECT_EQ(told, "secret");
  EXPECT_EQ(remote_->seen[0].headers.get("x-envoy-auth-partial-body"), "true");
  EXPECT_EQ(request_.body.bytes, "secret body");
  request_.body = http::Body(std::string("whole"));
  judge();
  EXPECT_EQ(told, "whole");
  EXPECT_EQ(remote_->seen[1].headers.get("x-envoy-auth-partial-body"), "false");
  EXPECT_EQ(authorizer_->body_wanted().bytes, 6U);
  EXPECT_TRUE(authorizer_->body_wanted().may_be_cut);
}

TEST_F(HttpAuthorizerTest, ADeniedHeadKeepsItsLength) {
  request_.method = "HEAD";
  answers(401, {{"Content-Length", "77"}});
  const http::Verdict verdict = judge();
  EXPECT_EQ(std::get<http::Deny>(verdict).response.headers.get("content-length"), "77");
}

// Attacks that were published against others.

TEST_F(HttpAuthorizerTest, Cve202327488BytesBeyondAsciiReachTheAuthorizer) {
  request_.headers.add("X-Custom", "\xff\xfe");
  judge();
  EXPECT_EQ(remote_->seen[0].headers.get("x-custom"), "\xff\xfe");
}

TEST_F(HttpAuthorizerTest, AClientCannotSayThatItsBodyIsWhole) {
  settings_.authorizer.allowed_request_headers = {"X-Envoy-Auth-Partial-Body"};
  make();
  request_.headers.add("X-Envoy-Auth-Partial-Body", "false");
  judge();
  EXPECT_FALSE(remote_->seen[0].headers.has("x-envoy-auth-partial-body"));
}

TEST_F(HttpAuthorizerTest, Cve202132777AllDuplicatesOfAHeaderAreShown) {
  request_.headers.add("X-Custom", "first");
  request_.headers.add("x-custom", "second");
  judge();
  const http::Headers& sent = remote_->seen[0].headers;
  EXPECT_EQ(sent.count("x-custom"), 2U);
  EXPECT_EQ(sent.get("x-custom"), "first");
}

TEST_F(HttpAuthorizerTest, Cve202423324ACheckThatCannotBeMadeFailsClosed) {
  request_.target = http::parse_target("/" + std::string(http::kTargetLimit - 2, 'a')).value();
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
  EXPECT_TRUE(remote_->seen.empty());
}

TEST_F(HttpAuthorizerTest, Cve202640575ForgedWordsAboutTheClientAreNotShown) {
  request_.headers.add("X-Forwarded-For", "127.0.0.1");
  request_.headers.add("X-Forwarded-Proto", "http");
  request_.headers.add("X-Custom", "1");
  request_.headers.add("kubeflow-userid", "root");
  judge();
  const http::Headers& sent = remote_->seen[0].headers;
  EXPECT_EQ(sent.get("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(sent.get("x-forwarded-proto"), "https");
  EXPECT_FALSE(sent.has("kubeflow-userid"));
}

}  // namespace
}  // namespace gatehouse::gateway
