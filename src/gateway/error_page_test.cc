#include "gateway/error_page.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace gatehouse::gateway {
namespace {

http::Request request(std::string_view accept) {
  http::Request out;
  out.trace.request_id = "id<1>";
  if (!accept.empty()) out.headers.add("Accept", accept);
  return out;
}

TEST(ErrorPage, IsHtmlForBrowsersAndJsonForOthers) {
  EXPECT_EQ(error_page(request("text/html,*/*;q=0.8"), 503, "x").headers.get("content-type"),
            "text/html; charset=utf-8");
  for (const std::string_view accept : {"", "*/*", "application/json"}) {
    EXPECT_EQ(error_page(request(accept), 503, "x").headers.get("content-type"),
              "application/json");
  }
}

TEST(ErrorPage, SaysStatusSentenceAndId) {
  const http::Response page = error_page(request("text/html"), 504, "Not <in> time.");
  EXPECT_EQ(page.status, 504);
  EXPECT_NE(page.body.bytes.find("Gateway Timeout"), std::string::npos);
  EXPECT_NE(page.body.bytes.find("Not &lt;in&gt; time."), std::string::npos);
  EXPECT_NE(page.body.bytes.find("id&lt;1&gt;"), std::string::npos);
  const Json json = parse_json(error_page(request(""), 504, "Not in time.").body.bytes).value();
  EXPECT_EQ(json_string(json, "error"), "Gateway Timeout");
  EXPECT_EQ(json_string(json, "request_id"), "id<1>");
}

TEST(ErrorPage, IsNeverStoredOrFramed) {
  const http::Response page = error_page(request("text/html"), 404, "x");
  EXPECT_EQ(page.headers.get("cache-control"), "no-store");
  EXPECT_EQ(page.headers.count("cache-control"), 1U);
  EXPECT_TRUE(page.headers.has("content-security-policy"));
}

}  // namespace
}  // namespace gatehouse::gateway
