#include "http/html.h"

#include <gtest/gtest.h>

#include "http/headers.h"

namespace gatehouse::http {
namespace {

TEST(Html, EscapesWhatCouldLeaveAnAttributeOrElement) {
  EXPECT_EQ(html_escape("<a href=\"x\" id='y'>&amp;"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
}

TEST(Html, PagesAllowNoInlineCodeAndNoFrames) {
  Headers headers;
  headers.add("content-security-policy", "weaker");
  add_page_headers(headers);
  EXPECT_EQ(headers.count("Content-Security-Policy"), 1U);
  const std::string_view policy = *headers.get("Content-Security-Policy");
  EXPECT_EQ(policy.find("unsafe"), std::string_view::npos);
  EXPECT_NE(policy.find("default-src 'none'"), std::string_view::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string_view::npos);
  EXPECT_EQ(headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(headers.get("X-Content-Type-Options"), "nosniff");
}

TEST(AcceptsHtml, IfAnyAcceptNamesIt) {
  Headers headers;
  EXPECT_FALSE(accepts_html(headers));
  headers.add("Accept", "application/json, */*");
  EXPECT_FALSE(accepts_html(headers));
  headers.add("accept", "Text/HTML;q=0.9");
  EXPECT_TRUE(accepts_html(headers));
}

}  // namespace
}  // namespace gatehouse::http
