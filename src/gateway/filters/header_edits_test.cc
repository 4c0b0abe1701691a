#include "gateway/filters/header_edits.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

using namespace std::string_view_literals;

using Of = HeaderEdits::Of;
const std::vector<std::string> kManaged = {"kubeflow-userid"};

Result<HeaderEdits> make(Of of, const std::vector<config::FieldEdit>& add,
                         const std::vector<std::string>& remove = {}) {
  return HeaderEdits::make(of, {.add = add, .remove = remove, .managed_headers = kManaged});
}

std::string all(const http::Headers& headers) {
  std::string out;
  for (const http::Field field : headers) {
    out.append(field.name).append("=").append(field.value).append(";");
  }
  return out;
}

std::string edit_request(const std::vector<config::FieldEdit>& add,
                         const std::vector<std::string>& remove, const http::Headers& before) {
  http::Request request;
  request.headers = before;
  request.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.7"});
  make(Of::kRequest, add, remove).value().apply(request.headers, {.request = request});
  return all(request.headers);
}

TEST(HeaderEdits, EmptyByDefault) {
  EXPECT_TRUE(HeaderEdits().empty());
  EXPECT_TRUE(make(Of::kRequest, {})->empty());
}

TEST(HeaderEdits, SetsAppendsAndRemoves) {
  http::Headers headers;
  headers.add("x-a", "client");
  headers.add("X-B", "client");
  headers.add("X-C", "client");
  EXPECT_EQ(
      edit_request({{"X-A", "ours"}, {"X-B", "ours", true}, {"X-D", "100%%"}}, {"x-c"}, headers),
      "X-B=client;X-A=ours;X-B=ours;X-D=100%;");
}

TEST(HeaderEdits, ValuesAreMadeFromTheMessageAsItWas) {
  http::Headers headers;
  headers.add("X-Old", "v");
  EXPECT_EQ(edit_request({{"X-New", "%REQ(x-old)%"},
                          {"X-Old", "2"},
                          {"X-From", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}},
                         {"X-Old"}, headers),
            "X-New=v;X-Old=2;X-From=192.0.2.7;");
}

TEST(HeaderEdits, OtherSpellingsOfARequestsHeaderDoNotSurvive) {
  http::Headers headers;
  headers.add("X_Role", "admin");
  headers.add("x.gone", "a");
  EXPECT_EQ(edit_request({{"X-Role", "user"}}, {"X-Gone"}, headers), "X-Role=user;");
}

TEST(HeaderEdits, AnEmptyValueStillReplaces) {
  http::Headers headers;
  headers.add("X-Subject", "forged");
  EXPECT_EQ(edit_request({{"X-Subject", "%DOWNSTREAM_PEER_SUBJECT%"}}, {}, headers), "");
}

TEST(HeaderEdits, NoValueCanSplitAHeader) {
  http::Request request;
  request.headers.add("X-In", " a\r\nX-Evil: 1\0 "sv);
  http::Response response;
  make(Of::kResponse, {{"X-Out", "%REQ(x-in)%"}})
      .value()
      .apply(response.headers, {.request = request, .response = &response});
  EXPECT_EQ(all(response.headers), "X-Out=a__X-Evil: 1_;");
}

TEST(HeaderEdits, ResponsesAreEditedByExactName) {
  const http::Request request;
  http::Response response;
  response.headers.add("Server", "upstream");
  response.headers.add("X_Server", "kept");
  response.status = 404;
  make(Of::kResponse, {{"X-Was", "%RESP(server)% %RESPONSE_CODE%"}}, {"server", "x-server"})
      .value()
      .apply(response.headers, {.request = request, .response = &response});
  EXPECT_EQ(all(response.headers), "X_Server=kept;X-Was=upstream 404;");
}

TEST(HeaderEdits, WhatMayNotBeEditedIsNamed) {
  for (const std::string name :
       {"kubeflow-userid", "Kubeflow_UserId", "X-Gatehouse-Session", "Content-Length", "Host",
        "Transfer-Encoding", "Connection", "Upgrade", "TE", "", "a b", "a\r\nb", ":path"}) {
    const auto added = make(Of::kRequest, {{name, "v"}});
    ASSERT_FALSE(added) << name;
    EXPECT_NE(added.error().message.find('"' + name + '"'), std::string::npos);
    EXPECT_FALSE(make(Of::kRequest, {}, {name})) << name;
    EXPECT_FALSE(make(Of::kResponse, {}, {name})) << name;
  }
  const auto bad_value = make(Of::kRequest, {{"X-A", "%NOPE%"}});
  ASSERT_FALSE(bad_value);
  EXPECT_NE(bad_value.error().message.find("X-A"), std::string::npos);
  EXPECT_NE(bad_value.error().message.find("%NOPE%"), std::string::npos);
  EXPECT_FALSE(make(Of::kRequest, {{"X-A", "a\r\nb"}}));
  EXPECT_FALSE(make(Of::kRequest, {{"X-A", "%REQ(cookie)%"}}));
}

}  // namespace
}  // namespace gatehouse::gateway
