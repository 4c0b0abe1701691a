#include "gateway/authz/allow_edits.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::gateway {
namespace {

using Action = http::FieldChange::Action;

std::string edited(std::string_view target, const http::Allow& allow) {
  http::Target parsed = http::parse_target(target).value();
  const Result<void> done = edit_query(parsed, allow);
  return done ? parsed.str() : "refused";
}

TEST(AllowEdits, ParametersAreRemovedAndSet) {
  http::Allow allow;
  allow.query_remove = {"token"};
  allow.query_set = {{"user", "alice"}};
  EXPECT_EQ(edited("/a?x=1&token=s&user=eve&y", allow), "/a?x=1&y&user=alice");
  EXPECT_EQ(edited("/a", allow), "/a?user=alice");
}

TEST(AllowEdits, NothingSaidLeavesTheTargetAsItCame) {
  EXPECT_EQ(edited("/a?&x=1&&", {}), "/a?&x=1&&");
}

TEST(AllowEdits, AQueryThatLosesItsLastParameterGoes) {
  http::Allow allow;
  allow.query_remove = {"token"};
  EXPECT_EQ(edited("/a?token=1&token=2", allow), "/a");
}

TEST(AllowEdits, AParameterIsFoundUnderEverySpelling) {
  http::Allow allow;
  allow.query_set = {{"user id", "alice"}};
  EXPECT_EQ(edited("/a?%75ser+id=eve&user%20id=eve&%75ser%20%69d=eve", allow),
            "/a?user%20id=alice");
}

TEST(AllowEdits, WhatWouldBreakTheQueryIsEscaped) {
  http::Allow allow;
  allow.query_set = {{"a=b&c", "d&e=f#g h\r\n%41%"}};
  EXPECT_EQ(edited("/", allow), "/?a%3Db%26c=d%26e=f%23g%20h%0D%0A%41%25");
}

TEST(AllowEdits, ATargetThatBecomesTooLongIsRefused) {
  http::Allow allow;
  allow.query_set = {{"a", std::string(http::kTargetLimit, 'x')}};
  EXPECT_EQ(edited("/a?b", allow), "refused");
}

TEST(AllowEdits, AnswersFieldsFollowTheirActions) {
  http::Headers headers;
  headers.add("A", "1");
  headers.add("a", "2");
  headers.add("B", "1");
  headers.add("C", "1");
  edit_fields(headers, {{"A", "3", Action::kSet},
                        {"B", "2", Action::kAppend},
                        {"C", "2", Action::kAddIfAbsent},
                        {"D", "2", Action::kAddIfAbsent},
                        {"C", "3", Action::kSetIfPresent},
                        {"E", "3", Action::kSetIfPresent}});
  EXPECT_EQ(headers.count("a"), 1U);
  EXPECT_EQ(headers.get("a"), "3");
  EXPECT_EQ(headers.count("b"), 2U);
  EXPECT_EQ(headers.get("c"), "3");
  EXPECT_EQ(headers.get("d"), "2");
  EXPECT_FALSE(headers.has("e"));
}

TEST(AllowEdits, FieldsThatCannotBeSentAreRefused) {
  EXPECT_TRUE(check_changes({{"X-A", "b"}}));
  EXPECT_FALSE(check_changes({{"X-A", "b\r\nX-B: c"}}));
  EXPECT_FALSE(check_changes({{"X A", "b"}}));
  EXPECT_FALSE(check_changes({{"Content-Length", "1"}}));
  EXPECT_FALSE(check_changes({{"", "b"}}));
}

}  // namespace
}  // namespace gatehouse::gateway
