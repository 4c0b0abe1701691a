#include "gatekeeper/request_kind.h"

#include <gtest/gtest.h>

#include "gatekeeper/test_world.h"

namespace gatehouse::gatekeeper {
namespace {

TEST(RequestKind, APageOpenedByAPersonCanLogIn) {
  EXPECT_TRUE(can_log_in(make_request("GET", "/", kNavigation)));
  EXPECT_TRUE(can_log_in(make_request("POST", "/", kNavigation)));
}

TEST(RequestKind, AScriptThatGetsThePageCanLogIn) {
  EXPECT_TRUE(can_log_in(make_request("GET", "/", {{"Accept", "*/*"}})));
  EXPECT_TRUE(can_log_in(make_request("GET", "/", {})));
  EXPECT_TRUE(can_log_in(make_request("HEAD", "/", {{"Accept", "*/*"}})));
}

TEST(RequestKind, AMethodOtherThanGetNeedsToAcceptHtml) {
  EXPECT_FALSE(can_log_in(make_request("POST", "/", {})));
  EXPECT_FALSE(can_log_in(make_request("POST", "/", {{"Accept", "application/json"}})));
  EXPECT_FALSE(can_log_in(make_request("DELETE", "/", {{"Accept", "*/*"}})));
  EXPECT_TRUE(can_log_in(make_request("POST", "/", {{"Accept", "TEXT/HTML"}})));
}

TEST(RequestKind, AnXhrCannot) {
  EXPECT_FALSE(can_log_in(make_request("GET", "/", {{"X-Requested-With", "XMLHttpRequest"}})));
}

TEST(RequestKind, AFetchByAPagesScriptCannot) {
  for (const char* mode : {"cors", "same-origin", "no-cors", "websocket", ""}) {
    EXPECT_FALSE(can_log_in(make_request("GET", "/", {{"Sec-Fetch-Mode", mode}}))) << mode;
  }
}

TEST(RequestKind, GrpcCannot) {
  for (const char* type :
       {"application/grpc", "application/grpc-web+proto", "Application/GRPC+json"}) {
    EXPECT_FALSE(
        can_log_in(make_request("POST", "/", {{"Content-Type", type}, {"Accept", "text/html"}})))
        << type;
  }
}

TEST(RequestKind, AWebSocketCannot) {
  http::Request request = make_request("GET", "/", kNavigation);
  request.upgrade = "websocket";
  EXPECT_FALSE(can_log_in(request));
}

TEST(RequestKind, ACorsPreflightCannot) {
  EXPECT_FALSE(can_log_in(make_request(
      "OPTIONS", "/", {{"Access-Control-Request-Method", "POST"}, {"Accept", "text/html"}})));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
