#include "app/route_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/exit_code.h"

namespace gatehouse::app {
namespace {

using testing::HasSubstr;
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
  EXPECT_EQ(served_by(settings())->gateway.routes.size(), 2);
  config::Settings together = settings();
  together.gateway.authorizer.kind = "gatekeeper";
  EXPECT_EQ(served_by(together)->gateway.routes.size(), 4);
}

TEST(RouteExplain, PrintsTheWinnerAndWhoLost) {
  CaptureStdout();
  EXPECT_EQ(explain_route(settings(), question("http://h/a/b")), kOk);
  const std::string out = GetCapturedStdout();
  EXPECT_NE(out.find("Route \"/a\" wins"), std::string::npos) << out;
  EXPECT_NE(out.find("\"/a/b\": header x-a is missing"), std::string::npos) << out;
}

TEST(RouteExplain, SaysWhetherAnybodyIsAskedForAuthentication) {
  const auto told = [](const std::string& kind, bool json) {
    config::Settings asking = settings();
    asking.gateway.authorizer.kind = kind;
    asking.gateway.authorizer.url = "http://authorizer:80";
    RouteQuestion asked = question("http://h/a");
    asked.json = json;
    CaptureStdout();
    EXPECT_EQ(explain_route(asking, asked), kOk);
    return GetCapturedStdout();
  };
  EXPECT_THAT(told("http", false), HasSubstr("Authentication is asked for."));
  EXPECT_THAT(told("http", true), HasSubstr("\"authenticate\":true"));
  EXPECT_THAT(told("none", false), HasSubstr("Passes without authentication."));
  EXPECT_THAT(told("none", true), HasSubstr("\"authenticate\":false"));
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

class RouteExplainOfManifests : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "manifests-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& spec) const {
    std::ofstream(folder_ / (name + ".yaml"))
        << "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " << name
        << "}\nspec: " << spec << "\n";
  }
  config::Settings settings_with_folder() const {
    config::Settings out = settings();
    out.gateway.manifests = folder_.string();
    return out;
  }

  std::filesystem::path folder_;
};

TEST_F(RouteExplainOfManifests, TheirRoutesAreBesideThoseOfTheFile) {
  write("m", "{hostname: '*', prefix: /m/, service: app}");
  CaptureStdout();
  EXPECT_EQ(explain_route(settings_with_folder(), question("http://h/m/x")), kOk);
  const std::string out = GetCapturedStdout();
  EXPECT_NE(out.find("Route \"default/m\" (Mapping default/m in m.yaml:1) wins"), std::string::npos)
      << out;
  CaptureStdout();
  EXPECT_EQ(explain_route(settings_with_folder(), question("http://h/a/b")), kOk);
  EXPECT_NE(GetCapturedStdout().find("Route \"/a\" wins"), std::string::npos);
}

TEST_F(RouteExplainOfManifests, WhatIsWrongIsNamedAndLeftOutAndTheRestExplained) {
  write("typed", "{hostname: '*', prefix: /m/, service: app, timeout_ms: soon}");
  write("regex", "{hostname: '*', prefix: '/m(', prefix_regex: true, service: app}");
  write("good", "{hostname: '*', prefix: /m/, service: app}");
  CaptureStdout();
  CaptureStderr();
  EXPECT_EQ(explain_route(settings_with_folder(), question("http://h/m/x")), kOk);
  EXPECT_NE(GetCapturedStdout().find("Route \"default/good\" ("), std::string::npos);
  const std::string told = GetCapturedStderr();
  EXPECT_NE(told.find("error: typed.yaml:4:"), std::string::npos) << told;
  EXPECT_NE(told.find("error: route \"default/regex\""), std::string::npos) << told;
}

TEST_F(RouteExplainOfManifests, AFolderThatIsNotThereIsAWrongConfiguration) {
  config::Settings absent = settings();
  absent.gateway.manifests = (folder_ / "absent").string();
  CaptureStderr();
  EXPECT_EQ(explain_route(absent, question("http://h/a")), kConfiguration);
  EXPECT_NE(GetCapturedStderr().find("absent"), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::app
