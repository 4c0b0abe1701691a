#include "http/headers.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::http {
namespace {

std::string text(const Headers& headers) {
  std::string out;
  for (const Field field : headers) {
    out += std::string(field.name) + "=" + std::string(field.value) + "\n";
  }
  return out;
}

TEST(Headers, KeepOrderSpellingAndRepetitions) {
  Headers headers;
  headers.add("B", "1");
  headers.add("a", "2");
  headers.add("b", "3");
  EXPECT_EQ(text(headers), "B=1\na=2\nb=3\n");
  EXPECT_EQ(headers.get("b"), "1");
  EXPECT_EQ(headers.count("B"), 2U);
  EXPECT_EQ(headers.only("B"), std::nullopt);
  EXPECT_FALSE(headers.get("c"));
}

TEST(Headers, SetReplacesAllOfThatName) {
  Headers headers;
  headers.add("X", "1");
  headers.add("Y", "2");
  headers.add("x", "3");
  headers.set("x", "4");
  EXPECT_EQ(text(headers), "Y=2\nx=4\n");
}

TEST(Headers, RemoveCountsWhatWent) {
  Headers headers;
  headers.add("X", "1");
  headers.add("x", "2");
  EXPECT_EQ(headers.remove("X"), 2U);
  EXPECT_EQ(headers.remove("X"), 0U);
  EXPECT_TRUE(headers.empty());
}

TEST(Headers, ReplaceKeepsThePlace) {
  Headers headers;
  headers.add("a", "1");
  headers.add("b", "2");
  headers.replace(0, "longer than before");
  EXPECT_EQ(text(headers), "a=longer than before\nb=2\n");
}

TEST(Headers, LinesAreThoseOfHttp1) {
  Headers headers;
  headers.add("a", "1");
  headers.add("B", "");
  headers.add("c", std::string(3000, 'x'));
  headers.replace(0, "other");
  EXPECT_EQ(headers.line(0), "a: other\r\n");
  EXPECT_EQ(headers.line(1), "B: \r\n");
  EXPECT_EQ(headers.line(2), "c: " + std::string(3000, 'x') + "\r\n");
  EXPECT_GE(headers.bytes(),
            headers.line(0).size() + headers.line(1).size() + headers.line(2).size());
  headers.clear();
  EXPECT_EQ(headers.bytes(), 0U);
}

TEST(Headers, RemoveIfSeesEachFieldOnce) {
  Headers headers;
  headers.add("a", "1");
  headers.add("b", "2");
  headers.add("c", "1");
  EXPECT_EQ(headers.remove_if([](Field field) { return field.value == "1"; }), 2U);
  EXPECT_EQ(text(headers), "b=2\n");
}

TEST(Headers, ListsAreSearchedOverAllFields) {
  Headers headers;
  headers.add("Connection", "keep-alive, \tUpgrade ,x");
  headers.add("connection", "close");
  EXPECT_TRUE(headers.list_has("connection", "upgrade"));
  EXPECT_TRUE(headers.list_has("Connection", "CLOSE"));
  EXPECT_FALSE(headers.list_has("connection", "up"));
  EXPECT_FALSE(headers.list_has("vary", "x"));
}

TEST(Headers, ClearForgetsEverything) {
  Headers headers;
  headers.add("a", "1");
  headers.clear();
  EXPECT_TRUE(headers.empty());
  headers.add("b", "2");
  EXPECT_EQ(text(headers), "b=2\n");
}

TEST(FieldSyntax, TokensAndValues) {
  EXPECT_TRUE(is_token("X-a_b!#$%&'*+.^`|~9"));
  for (const std::string_view bad : {"", "a b", "a:", "a\n", "\xff", "a(", "a="}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a\tb c"));
  for (const std::string_view bad : {" a", "a ", "\ta", "a\rb", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(is_field_value(bad)) << bad;
    EXPECT_FALSE(is_ascii_field_value(bad)) << bad;
  }
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_ascii_field_value("a\tb c"));
  for (const std::string_view beyond : {"\x80", "M\xc3\xbcller", "a\xff", "\x85", "\xa0"}) {
    EXPECT_TRUE(is_field_value(beyond)) << beyond;
    EXPECT_FALSE(is_ascii_field_value(beyond)) << beyond;
  }
}

TEST(FieldSyntax, CaseIsFoldedForAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("AbZ", "aBz"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_EQ(lower_case("A[Z\xc4"), "a[z\xc4");
}

/// Holds `skip` against a look at each byte, at each place of texts of each length.
void expect_skips(std::size_t (*skip)(std::string_view, std::size_t), bool (*passes)(char)) {
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_EQ(skip(std::string(size, 'a'), 0), size);
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'z');
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(skip(text, 0), passes(text[at]) ? size : at) << byte << " of " << size;
      }
    }
  }
}

TEST(FieldBytes, EachIsSeenAtEachPlace) {
  expect_skips(&skip_value_bytes, [](char c) {
    return c == '\t' || (c >= ' ' && c <= '~') || static_cast<unsigned char>(c) >= 0x80;
  });
  expect_skips(&skip_token_bytes, [](char c) {
    constexpr std::string_view kToken =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return kToken.find(c) != std::string_view::npos;
  });
}

}  // namespace
}  // namespace gatehouse::http
