#include "gateway/authz/check_response.h"

#include <external_auth.pb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace gatehouse::gateway {
namespace {

namespace v3 = envoy::service::auth::v3;
using Action = http::FieldChange::Action;
using Option = v3::HeaderValueOption;
using Pair = std::pair<std::string, std::string>;
using testing::ElementsAre;
using testing::IsEmpty;

Option option(std::string name, std::string value) {
  Option out;
  out.mutable_header()->set_key(std::move(name));
  out.mutable_header()->set_value(std::move(value));
  return out;
}
Option option(std::string name, std::string value, bool append) {
  Option out = option(std::move(name), std::move(value));
  out.mutable_append()->set_value(append);
  return out;
}
Option option(std::string name, std::string value, Option::HeaderAppendAction action) {
  Option out = option(std::move(name), std::move(value));
  out.set_append_action(action);
  return out;
}

class CheckResponseTest : public testing::Test {
 protected:
  CheckResponseTest() { told_.add("X-There", "client's"); }

  v3::OkHttpResponse& ok() {
    message_.mutable_status();
    return *message_.mutable_ok_response();
  }
  v3::DeniedHttpResponse& denied() {
    message_.mutable_status()->set_code(7);
    return *message_.mutable_denied_response();
  }
  http::Verdict verdict() const { return read_check_response(message_.SerializeAsString(), told_); }
  http::Allow allow() const { return std::get<http::Allow>(verdict()); }
  bool failed() const { return std::holds_alternative<http::Failure>(verdict()); }

  v3::CheckResponse message_;
  http::Headers told_;
};

TEST_F(CheckResponseTest, StatusOkAllows) {
  ok();
  EXPECT_THAT(allow().set, IsEmpty());
  message_.clear_ok_response();
  EXPECT_TRUE(std::holds_alternative<http::Allow>(verdict()));
}

TEST_F(CheckResponseTest, HeadersOverwriteUnlessToldOtherwise) {
  *ok().add_headers() = option("X-Plain", "a");
  *ok().add_headers() = option("X-Overwrite", "a", false);
  *ok().add_headers() = option("X-Overwrite", "b", Option::OVERWRITE_IF_EXISTS_OR_ADD);
  *ok().add_headers() = option("X-Append", "a", true);
  *ok().add_headers() = option("x-there", "a", Option::ADD_IF_ABSENT);
  *ok().add_headers() = option("x-absent", "a", Option::ADD_IF_ABSENT);
  *ok().add_headers() = option("X-There", "b", Option::OVERWRITE_IF_EXISTS);
  *ok().add_headers() = option("X-Missing", "b", Option::OVERWRITE_IF_EXISTS);
  EXPECT_THAT(allow().set, ElementsAre(Pair("X-Plain", "a"), Pair("X-Overwrite", "b"),
                                       Pair("x-absent", "a"), Pair("X-There", "b")));
  EXPECT_THAT(allow().append, ElementsAre(Pair("X-Append", "a")));
}

TEST_F(CheckResponseTest, RawValuesCountToo) {
  Option raw;
  raw.mutable_header()->set_key("X-Raw");
  raw.mutable_header()->set_raw_value("bytes");
  *ok().add_headers() = raw;
  EXPECT_THAT(allow().set, ElementsAre(Pair("X-Raw", "bytes")));
}

TEST_F(CheckResponseTest, AnEmptyValueRemovesTheClientsOwnUnlessItIsKept) {
  *ok().add_headers() = option("X-There", "");
  Option kept = option("X-Kept", "");
  kept.set_keep_empty_value(true);
  *ok().add_headers() = kept;
  EXPECT_THAT(allow().remove, ElementsAre("X-There"));
  EXPECT_THAT(allow().set, ElementsAre(Pair("X-Kept", "")));
}

TEST_F(CheckResponseTest, UserAndSessionAreForTheGatewayAlone) {
  *ok().add_headers() = option("x-gatehouse-user", "alice");
  *ok().add_headers() = option("X-Gatehouse-Session", "s1");
  *ok().add_headers() = option("x_gatehouse_other", "x");
  EXPECT_EQ(allow().user, "alice");
  EXPECT_EQ(allow().session, "s1");
  EXPECT_THAT(allow().set, IsEmpty());
}

TEST_F(CheckResponseTest, HeadersToRemoveAndQueryAreTaken) {
  ok().add_headers_to_remove("authorization");
  ok().add_headers_to_remove(":path");
  ok().add_query_parameters_to_remove("token");
  v3::QueryParameter& parameter = *ok().add_query_parameters_to_set();
  parameter.set_key("user");
  parameter.set_value("alice");
  EXPECT_THAT(allow().remove, ElementsAre("authorization"));
  EXPECT_THAT(allow().query_remove, ElementsAre("token"));
  EXPECT_THAT(allow().query_set, ElementsAre(Pair("user", "alice")));
}

TEST_F(CheckResponseTest, HeadersForTheAnswerAreAppendedUnlessToldOtherwise) {
  *ok().add_response_headers_to_add() = option("Set-Cookie", "a=1");
  *ok().add_response_headers_to_add() = option("X-A", "1", false);
  *ok().add_response_headers_to_add() = option("X-B", "1", Option::ADD_IF_ABSENT);
  *ok().add_response_headers_to_add() = option("X-C", "1", Option::OVERWRITE_IF_EXISTS);
  *ok().add_response_headers_to_add() = option("X-D", "1", Option::OVERWRITE_IF_EXISTS_OR_ADD);
  using Change = http::FieldChange;
  EXPECT_THAT(
      allow().response,
      ElementsAre(Change{"Set-Cookie", "a=1", Action::kAppend}, Change{"X-A", "1", Action::kSet},
                  Change{"X-B", "1", Action::kAddIfAbsent},
                  Change{"X-C", "1", Action::kSetIfPresent}, Change{"X-D", "1", Action::kSet}));
}

TEST_F(CheckResponseTest, ADenialGoesToTheClientAsItIs) {
  denied().mutable_status()->set_code(302);
  *denied().add_headers() = option("Location", "https://login.example/");
  *denied().add_headers() = option("Set-Cookie", "a=1");
  *denied().add_headers() = option("Set-Cookie", "b=2");
  *denied().add_headers() = option("Content-Length", "999");
  *denied().add_headers() = option("Transfer-Encoding", "chunked");
  denied().set_body("go there");
  const http::Verdict said = verdict();
  const http::Response& response = std::get<http::Deny>(said).response;
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.headers.get("location"), "https://login.example/");
  EXPECT_EQ(response.headers.count("set-cookie"), 2U);
  EXPECT_FALSE(response.headers.has("content-length"));
  EXPECT_FALSE(response.headers.has("transfer-encoding"));
  EXPECT_EQ(response.headers.get("cache-control"), "no-store");
  EXPECT_EQ(response.body.bytes, "go there");
}

TEST_F(CheckResponseTest, ADenialWithoutAStatusOrPartIsForbidden) {
  denied();
  EXPECT_EQ(std::get<http::Deny>(verdict()).response.status, 403);
  message_.clear_denied_response();
  EXPECT_EQ(std::get<http::Deny>(verdict()).response.status, 403);
}

TEST_F(CheckResponseTest, ADenialsStatusMustBeOneOfAnAnswer) {
  for (const int status : {-1, 1, 100, 199, 600, 1'000'000}) {
    denied().mutable_status()->set_code(status);
    EXPECT_TRUE(failed()) << status;
  }
}

TEST_F(CheckResponseTest, WithoutAStatusNothingIsAllowed) {
  EXPECT_TRUE(failed());
  message_.mutable_ok_response();
  EXPECT_TRUE(failed());
}

TEST_F(CheckResponseTest, ContradictionsAreFailures) {
  message_.mutable_status();
  message_.mutable_denied_response();
  EXPECT_TRUE(failed());
  ok();
  message_.mutable_status()->set_code(7);
  EXPECT_TRUE(failed());
  message_.mutable_status()->set_code(0);
  message_.mutable_error_response();
  EXPECT_TRUE(failed());
}

TEST_F(CheckResponseTest, BytesThatAreNoMessageAreFailures) {
  for (const std::string& bytes : {std::string("\xff"), std::string("\x0a\x05"),
                                   std::string("<html>"), std::string(1000, '\x07')}) {
    EXPECT_TRUE(std::holds_alternative<http::Failure>(read_check_response(bytes, told_)));
  }
}

TEST_F(CheckResponseTest, TextThatIsNotUtf8IsAFailure) {
  // status {}, ok_response { headers_to_remove: "\xff" }
  const std::string bytes("\x0a\x00\x1a\x03\x2a\x01\xff", 7);
  EXPECT_TRUE(std::holds_alternative<http::Failure>(read_check_response(bytes, told_)));
}

TEST_F(CheckResponseTest, HeadersThatCannotBeSentAreFailures) {
  for (const auto& [name, value] : std::vector<Pair>{{"X-A", "b\r\nX-B: c"},
                                                     {"X A", "b"},
                                                     {"", "b"},
                                                     {":path", "/admin"},
                                                     {"Host", "other"},
                                                     {"content_length", "5"}}) {
    message_.Clear();
    *ok().add_headers() = option(name, value);
    EXPECT_TRUE(failed()) << name;
    message_.Clear();
    *ok().add_response_headers_to_add() = option(name, value);
    EXPECT_TRUE(failed()) << name;
  }
  message_.Clear();
  *denied().add_headers() = option("X-A", "b\r\nX-B: c");
  EXPECT_TRUE(failed());
}

TEST_F(CheckResponseTest, BeyondAsciiOnlyTheClientIsTold) {
  *ok().add_headers() = option("X-User", "Zo\xc3\xab");
  EXPECT_TRUE(failed());
  message_.Clear();
  *ok().add_response_headers_to_add() = option("X-Greeting", "Zo\xc3\xab");
  EXPECT_FALSE(failed());
}

}  // namespace
}  // namespace gatehouse::gateway
