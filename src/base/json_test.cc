#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

using testing::HasSubstr;

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonTest, ReadsOneValue) {
  const auto json = parse_json(R"( {"a":[1,2.5,"x",true,null],"b":{}} )");
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["a"][2], "x");
  EXPECT_TRUE(parse_json("7"));
  EXPECT_TRUE(parse_json("\"text\""));
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const std::string_view text :
       {"",          " ",    "{",    "[1,]",    "{\"a\":1,}",    "{'a':1}",
        "{a:1}",     "01",   "+1",   "NaN",     "Infinity",      "nul",
        "1 2",       "{}{}", "[1]x", "// c\n1", "/* c */1",      "\"\t\"",
        "\"\\x41\"", "\"a",  "]",    "[}",      "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_FALSE(parse_json(std::string_view("1\0", 2)));
}

TEST(JsonTest, DuplicateMemberIsRefusedAtAnyDepthAndNamed) {
  const auto twice = parse_json(R"({"sub":"a","sub":"b"})");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("\"sub\" twice"));
  EXPECT_FALSE(parse_json(R"([{"x":{"sub":1,"b":{},"sub":2}}])"));
  EXPECT_FALSE(parse_json(R"({"a":1,"b":{"c":1},"a":2})"));
}

TEST(JsonTest, DuplicateMemberInAnotherSpellingIsRefused) {
  EXPECT_FALSE(parse_json(R"({"sub":"a","s\u0075b":"b"})"));
}

TEST(JsonTest, SameMemberInDifferentObjectsIsFine) {
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":2},{"b":{"a":3},"a":4}])"));
}

TEST(JsonTest, DepthIsBounded) {
  EXPECT_TRUE(parse_json(nested(16)));
  EXPECT_FALSE(parse_json(nested(17)));
  EXPECT_TRUE(parse_json(nested(3), {.depth = 3}));
  EXPECT_FALSE(parse_json(nested(4), {.depth = 3}));
  const std::string siblings = "[" + nested(1) + "," + nested(1) + "," + nested(1) + "]";
  EXPECT_TRUE(parse_json(siblings, {.depth = 2}));
}

TEST(JsonTest, BracketsInStringsAreNoDepth) {
  EXPECT_TRUE(parse_json(R"(["[[[[[[\"[[[[\\"])", {.depth = 1}));
}

TEST(JsonTest, DepthBombIsRefusedBeforeAnythingIsBuilt) {
  const auto bomb = parse_json(nested(5'000'000), {.bytes = 20'000'000});
  ASSERT_FALSE(bomb);
  EXPECT_THAT(bomb.error().message, HasSubstr("nested deeper than 16"));
}

TEST(JsonTest, SizeIsBounded) {
  const std::string text = "\"" + std::string(98, 'x') + "\"";
  EXPECT_TRUE(parse_json(text, {.bytes = 100}));
  const auto refused = parse_json(text, {.bytes = 99});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("over 99 bytes"));
}

TEST(JsonTest, InvalidUtf8IsRefused) {
  for (const std::string_view text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
                                      "\"\xf5\x80\x80\x80\"", "\"\xc3\"", "{\"\xff\":1}"}) {
    EXPECT_FALSE(parse_json(text));
  }
  EXPECT_FALSE(parse_json(R"("\ud800")")) << "half a surrogate pair";
  EXPECT_TRUE(parse_json(R"("\ud83d\ude00")"));
}

TEST(JsonTest, NumberThatNoDoubleHoldsIsRefused) {
  EXPECT_FALSE(parse_json("1e999"));
}

TEST(JsonTest, IntegersAreReadExactlyOrNotAtAll) {
  const auto json = parse_json(
      R"({"plain":1800000000,"float":5.0,"power":1e9,"negative":-7,"fraction":1.5,"huge":1e300,
          "edge":9007199254740992,"beyond":9007199254740993,"unsigned":18446744073709551615,
          "negative_beyond":-9007199254740993,"long":123456789012345678901234567890,
          "text":"5","flag":true,"nothing":null})");
  ASSERT_TRUE(json);
  EXPECT_EQ(json_integer(*json, "plain"), 1'800'000'000);
  EXPECT_EQ(json_integer(*json, "float"), 5);
  EXPECT_EQ(json_integer(*json, "power"), 1'000'000'000);
  EXPECT_EQ(json_integer(*json, "negative"), -7);
  EXPECT_EQ(json_integer(*json, "edge"), 9007199254740992);
  for (const char* const member : {"fraction", "huge", "beyond", "unsigned", "negative_beyond",
                                   "long", "text", "flag", "nothing", "absent"}) {
    EXPECT_EQ(json_integer(*json, member), std::nullopt) << member;
  }
  EXPECT_EQ(json_integer(Json(5), "plain"), std::nullopt);
}

TEST(JsonTest, StringMembersAreStringsAlone) {
  const Json json = {{"a", "x"}, {"b", 1}, {"c", nullptr}};
  EXPECT_EQ(json_string(json, "a"), "x");
  EXPECT_EQ(json_string(json, "b"), std::nullopt);
  EXPECT_EQ(json_string(json, "c"), std::nullopt);
  EXPECT_EQ(json_string(json, "d"), std::nullopt);
  EXPECT_EQ(json_string(Json::array(), "a"), std::nullopt);
}

TEST(JsonTest, DumpNeverFails) {
  EXPECT_EQ(dump_json(Json{{"a", "\xff\n"}}), "{\"a\":\"\xef\xbf\xbd\\n\"}");
}

}  // namespace
}  // namespace gatehouse
