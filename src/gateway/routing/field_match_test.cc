#include "gateway/routing/field_match.h"

#include <gtest/gtest.h>

#include "gateway/routing/fakes.h"

namespace gatehouse::gateway {
namespace {

using Of = FieldMatch::Of;
using Outcome = FieldMatch::Outcome;

Outcome header(const config::FieldMatch& match, const std::vector<http::Field>& fields) {
  http::Request asked = request("/", "front:8080");
  for (const http::Field& field : fields) asked.headers.add(field.name, field.value);
  return FieldMatch::make(match, Of::kHeader).value().test(asked);
}

Outcome query(const config::FieldMatch& match, std::string_view target) {
  return FieldMatch::make(match, Of::kQuery).value().test(request(target));
}

TEST(FieldMatch, AHeaderMustBeThere) {
  EXPECT_EQ(header({"X-A"}, {}), Outcome::kMissing);
  EXPECT_EQ(header({"X-A"}, {{"x-b", "1"}}), Outcome::kMissing);
  EXPECT_EQ(header({"X-A"}, {{"x-a", ""}}), Outcome::kMatches);
}

TEST(FieldMatch, AHeadersValueIsCompared) {
  EXPECT_EQ(header({"x-a", "1"}, {{"X-A", "1"}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", "1"}, {{"X-A", "12"}}), Outcome::kOtherValue);
  EXPECT_EQ(header({"x-a", "", "[0-9]+"}, {{"X-A", "12"}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", "", "[0-9]+"}, {{"X-A", "12x"}}), Outcome::kOtherValue);
}

TEST(FieldMatch, ValuesAreComparedByteByByte) {
  const std::string_view utf8 = "M\xc3\xbcller", latin1 = "M\xfcller";
  EXPECT_EQ(header({"x-a", std::string(utf8)}, {{"X-A", utf8}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", std::string(utf8)}, {{"X-A", latin1}}), Outcome::kOtherValue);
  EXPECT_EQ(header({"x-a", "", "M\xc3\xbcl+er"}, {{"X-A", utf8}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", "", "M.*r"}, {{"X-A", latin1}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", "", "[ -~]*"}, {{"X-A", latin1}}), Outcome::kOtherValue);
}

TEST(FieldMatchAttack, Cve202132777AllFieldsOfOneNameCount) {
  EXPECT_EQ(header({"x-a", "1"}, {{"x-a", "2"}, {"X-A", "1"}}), Outcome::kOtherValue);
  EXPECT_EQ(header({"x-a", "2,1"}, {{"x-a", "2"}, {"X-A", "1"}}), Outcome::kMatches);
  EXPECT_EQ(header({"x-a", ",1"}, {{"x-a", ""}, {"X-A", "1"}}), Outcome::kMatches);
  EXPECT_EQ(query({"a", "1"}, "/?a=2&a=1"), Outcome::kOtherValue);
  EXPECT_EQ(query({"a", "2,1"}, "/?a=2&b&a=1"), Outcome::kMatches);
}

TEST(FieldMatch, TheHostIsTheRequestsAuthority) {
  EXPECT_EQ(header({"Host", "front:8080"}, {{"host", "other"}}), Outcome::kMatches);
  EXPECT_EQ(header({":authority", "", "front.*"}, {}), Outcome::kMatches);
}

TEST(FieldMatch, QueryParametersAreDecodedOnce) {
  EXPECT_EQ(query({"a", "x y"}, "/?a=x%20y"), Outcome::kMatches);
  EXPECT_EQ(query({"a b", "%20"}, "/?a%20b=%2520"), Outcome::kMatches);
  EXPECT_EQ(query({"a", "x+y"}, "/?a=x+y"), Outcome::kMatches);
  EXPECT_EQ(query({"a", "%zz"}, "/?a=%zz"), Outcome::kMatches);
  EXPECT_EQ(query({"a", "1,x y"}, "/?a=1&a=x%20y"), Outcome::kMatches);
  EXPECT_EQ(query({"a", "x y,1"}, "/?a=x%20y&a=1"), Outcome::kMatches);
}

TEST(FieldMatch, AQueryParameterMayBeEmpty) {
  EXPECT_EQ(query({"a"}, "/"), Outcome::kMissing);
  EXPECT_EQ(query({"a"}, "/?"), Outcome::kMissing);
  EXPECT_EQ(query({"a"}, "/?b=a"), Outcome::kMissing);
  EXPECT_EQ(query({"a"}, "/?a"), Outcome::kMatches);
  EXPECT_EQ(query({"a", "1"}, "/?a"), Outcome::kOtherValue);
  EXPECT_EQ(query({"A"}, "/?a"), Outcome::kMissing);
  EXPECT_EQ(query({"a", "1=2"}, "/?&&a=1=2&"), Outcome::kMatches);
}

TEST(FieldMatch, WhatCannotBeIsRefused) {
  for (const config::FieldMatch& bad :
       std::vector<config::FieldMatch>{{""}, {"a b"}, {"a", "1", "1"}, {"a", "", "("}}) {
    EXPECT_FALSE(FieldMatch::make(bad, Of::kHeader)) << bad.name;
  }
  EXPECT_TRUE(FieldMatch::make({"a b"}, Of::kQuery));
}

TEST(FieldMatch, SaysWhatIsWrongWithoutTheRequestsValue) {
  const FieldMatch exact = FieldMatch::make({"X-A", "1"}, Of::kHeader).value();
  EXPECT_EQ(exact.describe(Outcome::kMissing), "header x-a is missing");
  EXPECT_EQ(exact.describe(Outcome::kOtherValue), "header x-a is not \"1\"");
  const FieldMatch regex = FieldMatch::make({"v", "", "1.*"}, Of::kQuery).value();
  EXPECT_EQ(regex.describe(Outcome::kOtherValue), "query parameter v does not match 1.*");
}

}  // namespace
}  // namespace gatehouse::gateway
