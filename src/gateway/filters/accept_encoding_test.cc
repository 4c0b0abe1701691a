#include "gateway/filters/accept_encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::gateway {
namespace {

std::string chosen(std::string_view accept) {
  static const std::vector<std::string_view> kOffered = {"br", "zstd", "gzip"};
  http::Headers headers;
  headers.add("Accept-Encoding", accept);
  const auto index = choose_coding(headers, kOffered);
  return index ? std::string(kOffered[*index]) : "plain";
}

TEST(AcceptEncoding, TheFirstOfOursAmongEquals) {
  EXPECT_EQ(chosen("gzip, deflate, br, zstd"), "br");
  EXPECT_EQ(chosen("gzip, zstd"), "zstd");
  EXPECT_EQ(chosen("GZip"), "gzip");
  EXPECT_EQ(chosen("x-gzip"), "gzip");
}

TEST(AcceptEncoding, WeightsDecide) {
  EXPECT_EQ(chosen("br;q=0.5, gzip;q=0.8"), "gzip");
  EXPECT_EQ(chosen("br ; q=0.001,gzip;Q=0"), "br");
  EXPECT_EQ(chosen("gzip;q=0"), "plain");
  EXPECT_EQ(chosen("gzip;q=0.000, br;q=0.0"), "plain");
  EXPECT_EQ(chosen("identity, gzip;q=0.5"), "plain");
  EXPECT_EQ(chosen("identity;q=0.5, gzip;q=0.5"), "gzip");
  EXPECT_EQ(chosen("identity;q=0, gzip;q=0.1"), "gzip");
}

TEST(AcceptEncoding, TheAsteriskStandsForWhatIsNotNamed) {
  EXPECT_EQ(chosen("*"), "br");
  EXPECT_EQ(chosen("*;q=0.5, br;q=0"), "zstd");
  EXPECT_EQ(chosen("*;q=0, gzip"), "gzip");
  EXPECT_EQ(chosen("*;q=0"), "plain");
}

TEST(AcceptEncoding, IllFormedMembersDoNotCount) {
  for (const std::string_view text :
       {"", ",", ";", "gzip;", "gzip;q", "gzip;q=", "gzip;q=2", "gzip;q=1.1", "gzip;q=0.1234",
        "gzip;q=-1", "gzip;q=.5", "gzip;q=0,5x", "gzip br", "gzip;level=1", "gzi p", "gzipp",
        "deflate", "g", ",,,;;;,,"}) {
    EXPECT_EQ(chosen(text), "plain") << text;
  }
  EXPECT_EQ(chosen("gzip;q=bad, br;q=0.1"), "br");
}

TEST(AcceptEncoding, WhoDoesNotSayGetsItPlain) {
  EXPECT_FALSE(choose_coding({}, {"gzip"}));
}

}  // namespace
}  // namespace gatehouse::gateway
