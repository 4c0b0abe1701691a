#include "base/encoding.h"

#include <gtest/gtest.h>

#include <utility>

namespace gatehouse {
namespace {

std::string all_bytes() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

TEST(EncodingTest, Base64IsThatOfTheRfc) {
  // RFC 4648 §10.
  for (const auto& [plain, encoded] :
       {std::pair("", ""), std::pair("f", "Zg=="), std::pair("fo", "Zm8="),
        std::pair("foo", "Zm9v"), std::pair("foob", "Zm9vYg=="), std::pair("fooba", "Zm9vYmE="),
        std::pair("foobar", "Zm9vYmFy")}) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
}

TEST(EncodingTest, Base64UrlHasItsOwnAlphabetAndNoPadding) {
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
}

TEST(EncodingTest, EveryLengthReadsBackAsItself) {
  const std::string bytes = all_bytes() + all_bytes();
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const std::string part = bytes.substr(bytes.size() - length);
    ASSERT_EQ(base64_decode(base64_encode(part)), part) << length;
    ASSERT_EQ(base64url_decode(base64url_encode(part)), part) << length;
    ASSERT_EQ(hex_decode(hex_encode(part)), part) << length;
  }
}

TEST(EncodingTest, Base64UrlRefusesWhatIsNotExactlyItsForm) {
  for (const std::string_view text :
       {"A", "AAAAA", "Zg==", "Zg=", "+/8", "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v.", "Z\xc3"}) {
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(base64url_decode(std::string_view("Zm9\0", 4)), std::nullopt);
}

TEST(EncodingTest, Base64RefusesWhatIsNotExactlyItsForm) {
  for (const std::string_view text : {"Zg", "Zg=", "Z===", "====", "=",
                                      "Zm9v====", "Zg==Zg==", "Zm=v", "-_8=", "Zm9v\r\n", "Zm 9"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(EncodingTest, SecondSpellingOfTheSameBytesIsRefused) {
  // The last character's unused bits; a token must have one spelling alone.
  EXPECT_TRUE(base64url_decode("Zg"));
  EXPECT_EQ(base64url_decode("Zh"), std::nullopt);
  EXPECT_TRUE(base64url_decode("Zm8"));
  EXPECT_EQ(base64url_decode("Zm9"), std::nullopt);
  EXPECT_EQ(base64_decode("Zh=="), std::nullopt);
}

TEST(EncodingTest, HexIsWrittenLowerAndReadInAnyCase) {
  EXPECT_EQ(hex_encode(std::string("\x00\xab\xff", 3)), "00abff");
  EXPECT_EQ(hex_decode("00aBFf"), std::string("\x00\xab\xff", 3));
  for (const std::string_view text : {"0", "0g", "0x", " 0", "00 ", "0:"}) {
    EXPECT_EQ(hex_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gatehouse
