#include "net/http2/request_fields.h"

#include <gtest/gtest.h>

#include "net/http2/field_list.h"
#include "net/http2/test_frames.h"

namespace gatehouse::net::http2 {
namespace {

class RequestFieldsTest : public testing::Test {
 protected:
  /// 0 if it may be handled, else the refusal's status.
  int read(const FieldPairs& pairs) {
    http1::Limits limits;
    limits.head_bytes = 4096;
    limits.target_bytes = 300;
    fields_.begin(request_, limits);
    for (const auto& [name, value] : pairs) fields_.take(name, value);
    const std::optional<http1::Refusal> refusal = fields_.finish();
    return refusal ? refusal->status : 0;
  }
  int read_with(std::string name, std::string value) {
    return read(request_fields("GET", "/", {{std::move(name), std::move(value)}}));
  }
  RequestFields fields_;
  http::Request request_;
};

TEST_F(RequestFieldsTest, FillsARequest) {
  EXPECT_EQ(read(request_fields("GET", "//a/%41?q=1", {{"x", "y"}, {"content-length", "7"}})), 0);
  EXPECT_EQ(request_.method, "GET");
  EXPECT_EQ(request_.target.str(), "/a/A?q=1");
  EXPECT_EQ(request_.authority, "a");
  EXPECT_EQ(request_.version, http::Version::kHttp2);
  EXPECT_EQ(request_.headers.size(), 1u);
  EXPECT_EQ(fields_.length(), 7u);
}

TEST_F(RequestFieldsTest, ForgetsTheRequestBefore) {
  read(request_fields("POST", "/x", {{"cookie", "a"}, {"expect", "100-continue"}}));
  EXPECT_TRUE(fields_.expects_continue());
  EXPECT_EQ(read(request_fields()), 0);
  EXPECT_FALSE(fields_.expects_continue());
  EXPECT_TRUE(request_.headers.empty());
  EXPECT_FALSE(fields_.length().has_value());
}

TEST_F(RequestFieldsTest, WantsOneAuthority) {
  EXPECT_EQ(read_with("host", "A"), 0);
  EXPECT_FALSE(request_.headers.has("host"));
  EXPECT_EQ(read_with("host", "b"), 400);
  EXPECT_EQ(read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}), 400);
  EXPECT_EQ(read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "h:1"}}), 0);
  EXPECT_EQ(request_.authority, "h:1");
  EXPECT_EQ(read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@h"}}),
            400);
}

// As HTTP/1.1 has them refused.
TEST_F(RequestFieldsTest, RefusesWhatIsAmbiguous) {
  for (const std::string path : {"/..", "/a%2fb", "/%00", "/a\\b", "*", "x", "http://a/", ""}) {
    EXPECT_EQ(read(request_fields("GET", path)), 400) << path;
  }
  EXPECT_EQ(read_with("x", std::string("a\0b", 3)), 400);
  EXPECT_EQ(read_with("x", "a\rb"), 400);
  EXPECT_EQ(read_with("x", "a\x7f"), 400);
  EXPECT_EQ(read_with("x", " a"), 400);
  EXPECT_EQ(read_with("content-length", "+1"), 400);
  EXPECT_EQ(read_with("content-length", "1, 1"), 400);
  EXPECT_EQ(read_with("content-length", ""), 400);
  EXPECT_EQ(read_with("expect", "magic"), 417);
  EXPECT_EQ(read(request_fields(std::string(33, 'M'))), 501);
  FieldPairs scheme = request_fields();
  scheme[1].second = "ftp";
  EXPECT_EQ(read(scheme), 400);
}

TEST_F(RequestFieldsTest, BytesFrom80UpStandInValuesOnly) {
  EXPECT_EQ(read_with("x", "M\xc3\xbcller \xff"), 0);
  EXPECT_EQ(request_.headers.get("x"), "M\xc3\xbcller \xff");
  for (std::size_t pseudo = 0; pseudo < 4; ++pseudo) {
    FieldPairs fields = request_fields();
    fields[pseudo].second += "\xc3\xbc";
    EXPECT_EQ(read(fields), 400) << fields[pseudo].first;
  }
  EXPECT_EQ(read_with("host", "a\xc3\xbc"), 400);
  EXPECT_EQ(read_with("content-length", "1\xa0"), 400);
}

TEST_F(RequestFieldsTest, HoldsTheLimits) {
  EXPECT_EQ(read_with("x", std::string(5000, 'x')), 431);
  FieldPairs many(129, {"x", "y"});
  EXPECT_EQ(read(request_fields("GET", "/", many)), 431);
  EXPECT_EQ(read(request_fields("GET", "/" + std::string(299, 'x'))), 0);
  EXPECT_EQ(read(request_fields("GET", "/" + std::string(300, 'x'))), 414);
}

TEST_F(RequestFieldsTest, MakesAGetOfAnExtendedConnect) {
  EXPECT_EQ(read(request_fields("CONNECT", "/chat", {})), 0);
  EXPECT_EQ(request_.upgrade, "");
  FieldPairs connect = request_fields("CONNECT", "/chat");
  connect.emplace_back(":protocol", "websocket");
  EXPECT_EQ(read(connect), 0);
  EXPECT_EQ(request_.method + request_.target.str() + request_.upgrade, "GET/chatwebsocket");
  FieldPairs get = request_fields("GET", "/chat");
  get.emplace_back(":protocol", "websocket");
  EXPECT_EQ(read(get), 400);
}

TEST_F(RequestFieldsTest, ReadsAConnectWhereItIsServed) {
  const auto read_connect = [this](std::string authority) {
    fields_.begin(request_, {.connect = true});
    fields_.take(":method", "CONNECT");
    fields_.take(":authority", authority);
    const auto refusal = fields_.finish();
    return refusal ? refusal->status : 0;
  };
  EXPECT_EQ(read_connect("example.org:443"), 0);
  EXPECT_EQ(request_.method + " " + request_.authority, "CONNECT example.org:443");
  EXPECT_EQ(request_.target.str() + " " + request_.upgrade, "/ connect");
  EXPECT_EQ(read_connect("example.org"), 400);
  EXPECT_EQ(read_connect("[::1]"), 400);
}

TEST(FieldListTest, LowersNamesAndLeavesOutTheConnections) {
  http::Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("Connection", "close");
  headers.add("Transfer-Encoding", "chunked");
  headers.add("Content-Length", "5");
  headers.add("Skipped", "1");
  headers.add("x-bad", "a\r\nb");
  FieldList list;
  list.add(":status", "200");
  list.add_all(headers, {"skipped"});
  FieldPairs got;
  for (const FieldList::Field& field : list.fields()) {
    got.emplace_back(std::string(field.name), std::string(field.value));
  }
  EXPECT_EQ(got,
            (FieldPairs{{":status", "200"}, {"content-type", "text/plain"}, {"x-bad", "a  b"}}));
}

TEST(FieldListTest, KeepsWhatItHasCopiedWhereItIs) {
  http::Headers headers;
  for (int i = 0; i < 500; ++i) headers.add("X-Field-" + std::to_string(i), "v");
  FieldList list;
  list.add_all(headers);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(list.fields()[static_cast<std::size_t>(i)].name, "x-field-" + std::to_string(i));
  }
}

}  // namespace
}  // namespace gatehouse::net::http2
