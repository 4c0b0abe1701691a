#include "gatekeeper/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse::gatekeeper {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PagesTest, WhatComesFromOutsideIsEscaped) {
  const Pages pages("/authservice");
  const char* const hostile = "\"><script>alert(1)</script>";
  for (const std::string& html :
       {pages.sign_out_form(hostile).body.bytes, pages.home(hostile).body.bytes,
        pages.no_cookie(hostile, hostile).body.bytes, pages.try_later(hostile).body.bytes,
        pages.account_refused(hostile).body.bytes}) {
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  }
}

TEST(PagesTest, ThatAskToTryLaterSayWhen) {
  const http::Response response = Pages("/authservice").try_later("/x");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.has("Retry-After"));
}

TEST(PagesTest, TheStylesheetIsPartOfTheSiteUnderTheGatekeepersPrefix) {
  EXPECT_TRUE(Pages("/gate").stylesheet_path().starts_with("/gate/static/"));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
