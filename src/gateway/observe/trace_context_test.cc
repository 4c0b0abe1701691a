#include "gateway/observe/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParent, IsReadAndWritten) {
  const std::optional<TraceParent> parent = parse_traceparent(kGood);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id[0], 0x0a);
  EXPECT_EQ(parent->trace_id[15], 0x9c);
  EXPECT_EQ(parent->parent_id[0], 0xb7);
  EXPECT_TRUE(parent->sampled);
  EXPECT_EQ(format_traceparent(*parent), kGood);
  TraceParent unsampled = *parent;
  unsampled.sampled = false;
  EXPECT_TRUE(format_traceparent(unsampled).ends_with("-00"));
}

TEST(TraceParent, OtherFlagsAreNotTheSampledOne) {
  std::string text(kGood);
  text.replace(53, 2, "fe");
  EXPECT_FALSE(parse_traceparent(text)->sampled);
  text.replace(53, 2, "ff");
  EXPECT_TRUE(parse_traceparent(text)->sampled);
}

TEST(TraceParent, WhatIsMalformedIsNone) {
  const std::string good(kGood);
  std::string zero_trace = good;
  zero_trace.replace(3, 32, std::string(32, '0'));
  std::string zero_parent = good;
  zero_parent.replace(36, 16, std::string(16, '0'));
  std::string upper = good;
  upper[4] = 'A';
  std::string version_ff = good;
  version_ff.replace(0, 2, "ff");
  std::string not_hex = good;
  not_hex[53] = 'g';
  std::string dash = good;
  dash[35] = '_';
  for (const std::string& text :
       {std::string(), good.substr(1), good + "0", good + "-00", good.substr(0, 54), zero_trace,
        zero_parent, upper, version_ff, not_hex, dash, " " + good}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceParent, ALaterVersionIsReadAsFarAsItIsKnown) {
  std::string later(kGood);
  later.replace(0, 2, "cc");
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-what-the-future-will-be"));
  EXPECT_FALSE(parse_traceparent(later + ".what"));
}

TEST(TraceParent, TwoFieldsAreNone) {
  http::Headers headers;
  headers.add("Traceparent", kGood);
  EXPECT_TRUE(traceparent_of(headers));
  headers.add("traceparent", kGood);
  EXPECT_FALSE(traceparent_of(headers));
}

std::string state(std::initializer_list<std::string> values) {
  http::Headers headers;
  for (const std::string& value : values) headers.add("TraceState", value);
  return tracestate_of(headers);
}

TEST(TraceState, MembersOfAllFieldsAreJoined) {
  EXPECT_EQ(state({"a=1 , b@sys=x y", "", "1t@s=3"}), "a=1,b@sys=x y,1t@s=3");
  EXPECT_EQ(state({}), "");
}

TEST(TraceState, AListThatIsNotValidIsDroppedWhole) {
  for (const std::string& list :
       {std::string("a"), std::string("A=1"), std::string("a=1,a=2"), std::string("a=1=2"),
        std::string("1a=2"), std::string("a@=2"), std::string("@s=2"), std::string("a="),
        std::string("a=\x7f"), "a=" + std::string(257, 'x'), std::string(257, 'a') + "=1",
        "a@" + std::string(15, 's') + "=1"}) {
    EXPECT_EQ(state({"good=1," + list}), "") << list;
  }
}

TEST(TraceState, HasLimits) {
  std::string many;
  for (int i = 0; i < 32; ++i) many += "k" + std::to_string(i) + "=1,";
  EXPECT_NE(state({many}), "");
  EXPECT_EQ(state({many + "z=1"}), "");
  EXPECT_EQ(state({"a=" + std::string(256, 'x'), "b=" + std::string(256, 'x')}), "");
}

}  // namespace
}  // namespace gatehouse::gateway
