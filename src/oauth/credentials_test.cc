#include "oauth/credentials.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace gatehouse::oauth {
namespace {

using Pair = std::pair<std::string, std::string>;

std::string basic(std::string_view pair) {
  return "Basic " + base64_encode(pair);
}

TEST(BasicCredentialsTest, ReadsWhatItWrote) {
  for (const auto& [id, secret] : {Pair("client", "secret"), Pair("a:b", "c:d"),
                                   Pair("sp ace", "+/=%&;?#"), Pair("\xc3\xb6", "empty after")}) {
    EXPECT_EQ(parse_basic_credentials(basic_credentials(id, secret)), Pair(id, secret));
  }
}

TEST(BasicCredentialsTest, EncodesBothPartsBeforeJoining) {
  EXPECT_EQ(basic_credentials("a:b", "c%"), basic("a%3Ab:c%25"));
}

TEST(BasicCredentialsTest, PlusInAFormIsASpace) {
  EXPECT_EQ(parse_basic_credentials(basic("my+client:a+b")), Pair("my client", "a b"));
}

TEST(BasicCredentialsTest, SplitsAtTheFirstColon) {
  EXPECT_EQ(parse_basic_credentials(basic("id:a:b")), Pair("id", "a:b"));
}

TEST(BasicCredentialsTest, SchemeIsReadInAnyCase) {
  EXPECT_EQ(parse_basic_credentials("bASIC  " + base64_encode("id:")), Pair("id", ""));
}

TEST(BasicCredentialsTest, RefusesWhatIsMalformed) {
  for (const std::string& text :
       {std::string(), std::string("Basic"), std::string("Basic "), basic("no colon"), basic(":s"),
        basic("id:%zz"), basic("id:%"), basic("id:a&v=b"), basic("id:%00"),
        "Bearer " + basic("a:b"), basic("id:s") + " ", basic("id:s") + "\n",
        "Basic!" + base64_encode("id:s"), std::string("Basic aWQ6cw")}) {
    EXPECT_EQ(parse_basic_credentials(text), std::nullopt) << text;
  }
}

TEST(BearerTest, GivesTheToken) {
  EXPECT_EQ(parse_bearer("Bearer abc.DEF-_~+/9=="), "abc.DEF-_~+/9==");
  EXPECT_EQ(parse_bearer("bearer  x"), "x");
}

TEST(BearerTest, RefusesWhatIsMalformed) {
  for (const std::string_view text :
       {"", "Bearer", "Bearer ", "Bearer  ", "Bearer a b", "Bearer a,b", "Bearer ==", "Bearer a=b",
        "Bearer\ta", "Basic a", "Bearera", "Bearer a\r\n", " Bearer a", "Bearer \"a\""}) {
    EXPECT_EQ(parse_bearer(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gatehouse::oauth
