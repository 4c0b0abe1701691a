#include "gateway/filters/base64_stream.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace gatehouse::gateway {
namespace {

using namespace std::string_view_literals;

/// Fed in pieces of `size` bytes.
std::string decoded(std::string_view text, std::size_t size) {
  Base64Decoder decoder;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    if (!decoder.feed(text.substr(0, size), out)) return "corrupt";
  }
  return decoder.finish() ? out : "cut";
}

TEST(Base64Decoder, AnyPieces) {
  const std::string bytes("a\0b\xff some longer text than one group"sv);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::string part = bytes.substr(0, length);
    for (const std::size_t size : {1, 2, 3, 4, 5, 7, 100}) {
      EXPECT_EQ(decoded(base64_encode(part), size), part);
    }
  }
}

TEST(Base64Decoder, PartsPaddedByThemselves) {
  const std::string text =
      base64_encode("a") + base64_encode("bc") + base64_encode("def") + base64_encode("g");
  for (const std::size_t size : {1, 2, 3, 4, 5, 100}) EXPECT_EQ(decoded(text, size), "abcdefg");
}

TEST(Base64Decoder, WhatIsNotBase64) {
  for (const std::string_view text :
       {"====", "a===", "QQ=Q", "QR==", "Q Q=", "QQ-_", "QUJD\n", "QQ==="}) {
    for (const std::size_t size : {1, 3, 100}) EXPECT_NE(decoded(text, size), "A") << text;
    EXPECT_TRUE(decoded(text, 1) == "corrupt" || decoded(text, 1) == "cut") << text;
  }
  EXPECT_EQ(decoded("QUJ", 1), "cut");
}

}  // namespace
}  // namespace gatehouse::gateway
