#include "http/last_authority.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

TEST(LastAuthority, GivesWhatParseAuthorityGives) {
  LastAuthority last;
  EXPECT_EQ(last.parse(""), nullptr) << "nothing was remembered yet";
  EXPECT_EQ(*last.parse("Example.org:80"), "example.org:80");
  EXPECT_EQ(*last.parse("Example.org:80"), "example.org:80");
  EXPECT_EQ(*last.parse("example.org"), "example.org");
  EXPECT_EQ(last.parse("a,b"), nullptr);
  EXPECT_EQ(last.parse(""), nullptr);
  EXPECT_EQ(*last.parse("example.org"), "example.org");
}

}  // namespace
}  // namespace gatehouse::http
