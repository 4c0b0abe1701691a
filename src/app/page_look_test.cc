#include "http/page_look.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace gatehouse::http {
namespace {

TEST(PageLook, ThePolicyAllowsThisVeryStyleWithinAPage) {
  EXPECT_EQ(kPageStyleSource, "'sha256-" + base64_encode(crypto::sha256(kPageStyle)) + "'")
      << "the style was changed: give kPageStyleSource its new hash";
}

TEST(PageLook, NothingInItLeavesItsElement) {
  EXPECT_EQ(kPageStyle.find('<'), std::string_view::npos);
  EXPECT_EQ(kLogo.find("style="), std::string_view::npos);
  EXPECT_EQ(kLogo.find("<script"), std::string_view::npos);
}

TEST(PageLook, TitlesAndPathsAreEscaped) {
  const std::string page = card_page("</title><script>", style_link("\"><script>"), "<p>x</p>");
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("<p>x</p>"), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::http
