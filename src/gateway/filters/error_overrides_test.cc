#include "gateway/filters/error_overrides.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using namespace std::string_view_literals;

using Settings = std::vector<config::ErrorOverride>;

/// Applies them to an answer with that status.
struct Answered {
  bool replaced;
  http::Response response;
};
Answered answer(const Settings& settings, http::Response response,
                const http::Headers& request_headers = {}) {
  http::Request request;
  request.headers = request_headers;
  const auto made = ErrorOverrides::make(settings, {});
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return {false, std::move(response)};
  }
  const bool replaced = made->apply({.request = request, .response = &response}, response);
  return {replaced, std::move(response)};
}

std::string error_of(const Settings& settings) {
  const auto made = ErrorOverrides::make(settings, {});
  return made ? "" : made.error().message;
}

class File {
 public:
  File(const std::string& name, const std::string& content)
      : path_(std::filesystem::path(testing::TempDir()) / ("override_" + name)) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(ErrorOverrides, OnlyTheNamedStatusIsReplaced) {
  const Settings settings = {{.status = 404, .text = "none (%RESPONSE_CODE%)"}};
  const Answered hit = answer(settings, http::make_response(404, "text/html", "theirs"));
  EXPECT_TRUE(hit.replaced);
  EXPECT_EQ(hit.response.status, 404);
  EXPECT_EQ(hit.response.body.bytes, "none (404)");
  EXPECT_EQ(hit.response.headers.only("Content-Type"), "text/plain; charset=utf-8");
  for (const int status : {200, 302, 403, 500}) {
    const Answered miss = answer(settings, http::make_response(status, "text/html", "theirs"));
    EXPECT_FALSE(miss.replaced);
    EXPECT_EQ(miss.response.body.bytes, "theirs");
  }
}

// CVE-2026-24513: a custom error page defeats auth.
TEST(ErrorOverrides, ADenialStaysADenial) {
  http::Response denial = http::make_response(401, "application/json", "{}");
  denial.headers.add("WWW-Authenticate", "Bearer");
  denial.headers.add("Set-Cookie", "s=; Max-Age=0");
  denial.headers.add("Location", "/login");
  denial.headers.add("Retry-After", "3");
  const Answered got = answer({{.status = 401, .text = "log in"}}, std::move(denial));
  EXPECT_EQ(got.response.status, 401);
  EXPECT_EQ(got.response.headers.get("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(got.response.headers.get("Set-Cookie"), "s=; Max-Age=0");
  EXPECT_EQ(got.response.headers.get("Location"), "/login");
  EXPECT_EQ(got.response.headers.get("Retry-After"), "3");
  EXPECT_EQ(got.response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(got.response.body.bytes, "log in");
}

TEST(ErrorOverrides, WhatDescribedTheOldBodyGoes) {
  http::Response theirs = http::make_response(503, "application/json", "");
  theirs.body =
      http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{"zipped"}), 6);
  for (const std::string_view name : {"Content-Encoding", "ETag", "content-length", "Content-Range",
                                      "Last-Modified", "Content-Security-Policy"}) {
    theirs.headers.add(name, "old");
  }
  const Answered got = answer({{.status = 503, .text = "later"}}, std::move(theirs));
  EXPECT_EQ(got.response.body.stream, nullptr);
  EXPECT_EQ(got.response.body.bytes, "later");
  EXPECT_EQ(got.response.headers.size(), 3U);  // Content-Type, Cache-Control, nosniff
}

TEST(ErrorOverrides, JsonIsOneValidObject) {
  http::Headers headers;
  headers.add("X", "a\"}\\\n\xff"sv);
  const Answered got = answer({{.status = 500,
                                .json = {{"sta\"tus", "%RESPONSE_CODE%"},
                                         {"say", "\"hi\" 100% %REQ(x)%"},
                                         {"took", "%DURATION%"}}}},
                              http::make_response(500, "text/html", "x"), headers);
  EXPECT_EQ(got.response.headers.get("Content-Type"), "application/json");
  const Result<Json> body = parse_json(got.response.body.bytes);
  ASSERT_TRUE(body) << got.response.body.bytes;
  EXPECT_EQ((*body)["sta\"tus"], 500);
  EXPECT_EQ((*body)["say"], "\"hi\" 100% a\"}\\\n\u00ff");
  EXPECT_EQ((*body)["took"], "-");
}

TEST(ErrorOverrides, PagesEscapeWhatComesFromTheRequest) {
  const File page("a.html", "<style>p{width:100%}</style><p>%REQ(x)% %REQ(cookie)%</p>");
  http::Headers headers;
  headers.add("X", "<script>alert('1')</script>");
  headers.add("Cookie", "s=secret");
  const Answered got = answer({{.status = 502, .file = page.path()}},
                              http::make_response(502, "application/json", "{}"), headers);
  EXPECT_EQ(got.response.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(got.response.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(got.response.body.bytes.contains("<script>"));
  EXPECT_TRUE(got.response.body.bytes.contains("&lt;script&gt;"));
  EXPECT_TRUE(got.response.body.bytes.contains("width:100%}"));
  EXPECT_FALSE(got.response.body.bytes.contains("secret"));
}

TEST(ErrorOverrides, AnyTypeButPlainTextIsEscapedAsMarkup) {
  http::Headers headers;
  headers.add("X", "<b>");
  const Answered got =
      answer({{.status = 500, .content_type = "Text/HTML; charset=utf-8", .text = "%REQ(x)%"}},
             http::make_response(500, "a/b", ""), headers);
  EXPECT_EQ(got.response.body.bytes, "&lt;b&gt;");
}

TEST(ErrorOverrides, TunnelsAreLeftAlone) {
  bool aborted = false;
  http::Response upgraded;
  upgraded.status = 404;
  upgraded.upgrade = std::make_unique<FakeTunnel>(aborted);
  EXPECT_FALSE(answer({{.status = 404, .text = "a"}}, std::move(upgraded)).replaced);
}

TEST(ErrorOverrides, OfNothingIsAnEmptyBody) {
  const Answered got = answer({{.status = 404}}, http::make_response(404, "a/b", "page"));
  EXPECT_TRUE(got.replaced);
  EXPECT_EQ(got.response.status, 404);
  EXPECT_EQ(got.response.body.bytes, "");
}

TEST(ErrorOverrides, BadSettingsSayWhichStatus) {
  const File large("large.txt", std::string(ErrorOverrides::kFileLimit + 1, 'a'));
  for (const config::ErrorOverride& one :
       Settings{{.status = 404, .text = "a", .file = "b"},
                {.status = 404, .text = "a", .json = {{"a", "b"}}},
                {.status = 404, .text = "%NOPE%"},
                {.status = 404, .json = {{"a", "%NOPE%"}}},
                {.status = 404, .content_type = "a\r\nb", .text = "a"},
                {.status = 404, .file = "/nowhere/at/all.html"},
                {.status = 404, .file = testing::TempDir()},
                {.status = 404, .file = "/dev/zero"},
                {.status = 404, .file = large.path()}}) {
    EXPECT_NE(error_of({one}).find("status 404"), std::string::npos) << error_of({one});
  }
  for (const int status : {0, 101, 199, 204, 205, 304, 600}) {
    EXPECT_NE(error_of({{.status = status, .text = "a"}}), "") << status;
  }
  EXPECT_NE(error_of({{.status = 404, .text = "a"}, {.status = 404, .text = "b"}}), "");
}

TEST(ErrorOverrides, EmptyByDefault) {
  EXPECT_TRUE(ErrorOverrides().empty());
  EXPECT_FALSE(answer({}, http::make_response(500, "a/b", "")).replaced);
}

}  // namespace
}  // namespace gatehouse::gateway
