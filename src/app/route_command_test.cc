#include "app/route_command.h"

#include <gtest/gtest.h>

#include "app/exit_code.h"

namespace gatehouse::app {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

config::Settings settings() {
  config::Settings out;
  out.gateway.authorizer.kind = "none";
  out.gateway.routes.resize(2);
  out.gateway.routes[0].prefix = "/a";
  out.gateway.routes[0].upstream.service = "http://app:80";
  out.gateway.routes[1].prefix = "/a/b";
  out.gateway.routes[1].headers = {{"x-a", "1", ""}};
  return out;
}

RouteQuestion question(std::string url) {
  return {.method = "GET", .url = std::move(url), .headers = {}, .json = false};
}

TEST(RouteExplain, ReadsARequest) {
  RouteQuestion asked = question("https://A.org:444/x%61?y=%2f");
  asked.headers = {"X-A: 1 2 ", "Cookie:a=b"};
  const Result<http::Request> request = request_of(asked);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->authority, "a.org:444");
  EXPECT_EQ(request->target.str(), "/xa?y=%2f");
  EXPECT_EQ(request->headers.get("x-a"), "1 2");
  EXPECT_TRUE(request->peer->tls);
  asked = question("/x");
  asked.headers = {"Host: B.org"};
  EXPECT_EQ(request_of(asked)->authority, "b.org");
}

TEST(RouteExplain, SaysWhatIsNoRequest) {
  for (const std::string& url :
       {"", "a", "ftp://a/b", "http://", "http://a b/", "/a/../b", "/%2f", "http://u:p@a/"}) {
    const Result<http::Request> request = request_of(question(url));
    ASSERT_FALSE(request) << url;
    EXPECT_NE(request.error().message.find("URL"), std::string::npos);
  }
  RouteQuestion asked = question("/");
  asked.method = "G T";
  EXPECT_FALSE(request_of(asked));
  for (const std::string& header : {"a", "a b: c", "a: \n", "Host: a b"}) {
    asked = question("/");
    asked.headers = {header};
    EXPECT_FALSE(request_of(asked)) << header;
  }
}

TEST(RouteExplain, TheRoutesOfTheOtherRolesAreThereIfTheyServeTogether) {
  EXPECT_EQ(gathered_gateway(settings())->routes.size(), 2);
  config::Settings together = settings();
  together.gateway.authorizer.kind = "gatekeeper";
  EXPECT_EQ(gathered_gateway(together)->routes.size(), 4);
}

TEST(RouteExplain, PrintsTheWinnerAndWhoLost) {
  CaptureStdout();
  EXPECT_EQ(explain_route(settings(), question("http://h/a/b")), kOk);
  const std::string out = GetCapturedStdout();
  EXPECT_NE(out.find("Route \"/a\" wins"), std::string::npos) << out;
  EXPECT_NE(out.find("\"/a/b\": header x-a is missing"), std::string::npos) << out;
}

TEST(RouteExplain, ExitsWith1WithoutARoute2ForNoRequestAnd3ForRoutesThatCannotBe) {
  CaptureStdout();
  CaptureStderr();
  EXPECT_EQ(explain_route(settings(), question("http://h/x")), kFailed);
  EXPECT_EQ(explain_route(settings(), question("http://h/a;/b")), kFailed);
  EXPECT_EQ(explain_route(settings(), question("x")), kUsage);
  config::Settings bad = settings();
  bad.gateway.routes[1].prefix = "b";
  EXPECT_EQ(explain_route(bad, question("http://h/a")), kConfiguration);
  GetCapturedStdout();
  EXPECT_NE(GetCapturedStderr().find("route \"b\": prefix must be a path"), std::string::npos);
}

TEST(RouteExplain, SaysWhatTheHostDoesWithInsecureRequests) {
  config::Settings with_host = settings();
  with_host.gateway.hosts.resize(1);
  RouteQuestion asked = question("http://h/a?q");
  asked.json = true;
  CaptureStdout();
  EXPECT_EQ(explain_route(with_host, asked), kOk);
  EXPECT_NE(GetCapturedStdout().find("\"insecure\":\"redirect to https://h/a?q\""),
            std::string::npos);
  CaptureStdout();
  EXPECT_EQ(explain_route(with_host, question("https://h/a")), kOk);
  EXPECT_EQ(GetCapturedStdout().find("insecure"), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::app
