#include "gateway/filters/format.h"

#include <gtest/gtest.h>

#include "gateway/filters/format_time.h"

namespace gatehouse::gateway {
namespace {

using namespace std::string_view_literals;

using Use = Format::Use;

http::Request make_request() {
  http::Request request;
  request.method = "POST";
  request.target = http::parse_target("/a/b?code=secret").value();
  request.authority = "example.org";
  request.headers.add("User-Agent", "curl \"7\"");
  request.headers.add("Cookie", "s=topsecret");
  request.headers.add("Authorization", "Bearer topsecret");
  request.headers.add("X-Api-Key", "topsecret");
  request.headers.add("Referer", "https://a.example/x?token=topsecret");
  request.headers.add("X-Long", "0123456789");
  request.peer = std::make_shared<http::Peer>(
      http::Peer{.address = "192.0.2.7", .port = 4711, .tls = true, .server_name = "example.org"});
  request.trace.request_id = "id1";
  request.trace.route = "pages";
  request.trace.upstream = "10.0.0.1:80";
  return request;
}

std::string fill(std::string_view text, const FormatContext& context, Use use = Use::kLog) {
  const Result<Format> format =
      Format::parse(text, {.use = use, .private_fields = {"x-api-key"}, .hostname = "host1"});
  if (!format) return "error: " + format.error().message;
  std::string out;
  format->append(out, context);
  return out;
}

std::string fill(std::string_view text, Use use = Use::kLog) {
  const http::Request request = make_request();
  return fill(text, FormatContext{.request = request}, use);
}

std::string error_of(std::string_view text, Use use = Use::kLog) {
  const Result<Format> format = Format::parse(text, {.use = use, .private_fields = {"x-api-key"}});
  return format ? "" : format.error().message;
}

TEST(Format, TextWithoutOperatorsIsConstant) {
  const Result<Format> format = Format::parse("100%% sure", {});
  ASSERT_TRUE(format);
  ASSERT_NE(format->constant(), nullptr);
  EXPECT_EQ(*format->constant(), "100% sure");
  EXPECT_EQ(Format::parse("%PROTOCOL%", {})->constant(), nullptr);
  EXPECT_EQ(*Format().constant(), "");
}

TEST(Format, RequestHeadersAndPseudoHeaders) {
  EXPECT_EQ(fill("%REQ(X-Long)%|%REQ(x-long):3%|%REQ(nope)%|%REQ(NOPE?X-LONG):2%"),
            "0123456789|012|-|01");
  EXPECT_EQ(fill("%REQ(:METHOD)% %REQ(:AUTHORITY)% %REQ(host)% %REQ(:SCHEME)%"),
            "POST example.org example.org https");
  EXPECT_EQ(fill("%REQ(X-REQUEST-ID)%"), "id1");
}

TEST(Format, ConnectionAndRoute) {
  EXPECT_EQ(fill("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %PROTOCOL% "
                 "%UPSTREAM_HOST% %ROUTE_NAME% %REQUESTED_SERVER_NAME% %HOSTNAME%"),
            "192.0.2.7:4711 192.0.2.7 HTTP/1.1 10.0.0.1:80 pages example.org host1");
}

TEST(Format, ClientBehindProxies) {
  const http::Request request = make_request();
  const FormatContext context{.request = request, .client_address = "2001:db8::1"};
  EXPECT_EQ(fill("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "
                 "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
                 context),
            "[2001:db8::1]:0 2001:db8::1 192.0.2.7:4711");
}

TEST(Format, Answer) {
  http::Request request = make_request();
  http::Response response;
  response.status = 404;
  response.headers.add("Server", "s");
  response.headers.add("Set-Cookie", "s=topsecret");
  response.headers.add("Location", "/login?state=topsecret");
  http::Headers trailers;
  trailers.add("grpc-status", "5");
  request.trace.failure = "upstream timeout";
  request.trace.service = std::make_shared<const std::string>("c1");
  http::Peer peer = *request.peer;
  peer.local_port = 8443;
  peer.tls_version = "TLSv1.3";
  peer.certificate =
      std::make_shared<const http::ClientCertificate>(http::ClientCertificate{.subject = "CN=a"});
  request.peer = std::make_shared<const http::Peer>(std::move(peer));
  const FormatContext context{.request = request,
                              .response = &response,
                              .trailers = &trailers,
                              .bytes_received = 1,
                              .bytes_sent = 18446744073709551615U,
                              .started = WallTime(std::chrono::microseconds(1'767'225'600'123'456)),
                              .duration = std::chrono::microseconds(12'900)};
  EXPECT_EQ(
      fill("%RESPONSE_CODE% %RESP(SERVER)% %RESP(SET-COOKIE)% %TRAILER(GRPC-STATUS)%", context),
      "404 s - 5");
  EXPECT_EQ(fill("%RESP(LOCATION)%", context), "/login");
  EXPECT_EQ(fill("%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_DURATION%", context),
            "1 18446744073709551615 12 -");
  EXPECT_EQ(fill("%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER%", context),
            "UT upstream timeout c1");
  EXPECT_EQ(
      fill("%DOWNSTREAM_LOCAL_PORT% %DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_SUBJECT%", context),
      "8443 TLSv1.3 CN=a");
  EXPECT_EQ(fill("%START_TIME% %START_TIME(%Y/%m/%d %3f %9f %s %%)%", context),
            "2026-01-01T00:00:00.123Z 2026/01/01 123 123456000 1767225600 %");
}

TEST(Format, AmbassadorsUsualLineIsUnderstood) {
  EXPECT_EQ(fill("ACCESS [%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% "
                 "%PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% "
                 "%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
                 "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
                 "\"%UPSTREAM_HOST%\""),
            "ACCESS [1970-01-01T00:00:00.000Z] \"POST /a/b HTTP/1.1\" 0 - 0 0 - - \"-\" "
            "\"curl \\\"7\\\"\" \"id1\" \"example.org\" \"10.0.0.1:80\"");
}

TEST(Format, SecretsNeverComeOut) {
  for (const Use use : {Use::kLog, Use::kText, Use::kHtml, Use::kJson}) {
    EXPECT_EQ(fill("%REQ(cookie)% %REQ(AUTHORIZATION)% %REQ(x-api-key)% %REQ(nope?Cookie)% "
                   "%REQ(x_api_key)%",
                   use),
              "- - - - -");
  }
  EXPECT_EQ(fill("%REQ(:PATH)% %REQ(Referer)%"), "/a/b https://a.example/x");
  EXPECT_EQ(fill("%REQ(authorization)%", Use::kRequestField), "Bearer topsecret");
  for (const std::string_view name : {"%REQ(cookie)%", "%REQ(a?cookie)%", "%RESP(SET_COOKIE)%"}) {
    EXPECT_NE(error_of(name, Use::kRequestField), "") << name;
  }
  EXPECT_NE(error_of("%REQ(authorization)%", Use::kResponseField), "");
  EXPECT_NE(error_of("%REQ(x-api-key)%", Use::kResponseField), "");
}

TEST(Format, ValuesCannotEscapeTheirPlace) {
  http::Request request;
  request.headers.add("X", "a\r\nSet-Cookie: b\0\xff<\"\\"sv);
  const FormatContext context{.request = request};
  EXPECT_EQ(fill("%REQ(X)%", context, Use::kRequestField), "a__Set-Cookie: b_\xff<\"\\");
  EXPECT_EQ(fill("%REQ(X)%", context, Use::kLog), "a\\x0d\\x0aSet-Cookie: b\\x00\\xff<\\\"\\\\");
  EXPECT_EQ(fill("%REQ(X)%", context, Use::kJson),
            "a\\u000d\\u000aSet-Cookie: b\\u0000\\u00ff<\\\"\\\\");
  EXPECT_TRUE(fill("%REQ(X)%", context, Use::kHtml).ends_with("\xef\xbf\xbd&lt;&quot;\\"));
  EXPECT_TRUE(fill("%REQ(X)%", context, Use::kText).ends_with("\xef\xbf\xbd<\"\\"));
}

TEST(Format, TextOfPeopleStaysReadable) {
  http::Request request;
  request.headers.add("X", "M\xc3\xbcller");
  const FormatContext context{.request = request};
  for (const Use use : {Use::kRequestField, Use::kResponseField, Use::kHtml, Use::kText}) {
    EXPECT_EQ(fill("Z\xc3\xbcrich %REQ(X)%", context, use), "Z\xc3\xbcrich M\xc3\xbcller");
  }
  EXPECT_EQ(fill("%REQ(X)%", context, Use::kLog), "M\\xc3\\xbcller");
}

TEST(Format, AnswerToTheClientKeepsTheQueryInFields) {
  EXPECT_EQ(fill("%REQ(:PATH)%", Use::kRequestField), "/a/b?code=secret");
}

TEST(Format, MissingValuesOfFieldsAreEmpty) {
  EXPECT_EQ(fill("a%REQ(nope)%b%DURATION%", Use::kRequestField), "ab");
}

TEST(Format, LongValuesAreCut) {
  http::Request request;
  request.headers.add("X", std::string(Format::kValueLimit + 5, 'x'));
  const FormatContext context{.request = request};
  EXPECT_EQ(fill("%REQ(X)%", context).size(), Format::kValueLimit);
  EXPECT_EQ(fill("%REQ(X):99999999%", context).size(), Format::kValueLimit);
}

TEST(Format, ErrorsNameTheOperator) {
  EXPECT_NE(error_of("a %FOO% b").find("\"%FOO%\""), std::string::npos);
  EXPECT_NE(error_of("%DYNAMIC_METADATA(a:b)%").find("%DYNAMIC_METADATA(a:b)%"), std::string::npos);
  for (const std::string_view text : {"%",
                                      "100%",
                                      "%REQ%",
                                      "%REQ()%",
                                      "%REQ(a",
                                      "%REQ(a)",
                                      "%REQ(a b)%",
                                      "%REQ(a?)%",
                                      "%REQ(a):%",
                                      "%REQ(a):0%",
                                      "%REQ(a):x%",
                                      "%PROTOCOL(a)%",
                                      "%START_TIME(%Q)%",
                                      "%START_TIME(%)%",
                                      "%START_TIME(%3)%",
                                      "%START_TIME(%3Y)%",
                                      "%START_TIME(%n)%",
                                      "%req(a)%",
                                      "%REQ(::a)%",
                                      "%REQ(a):99999999999999999999999%"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
  EXPECT_NE(error_of("a\r\nb", Use::kRequestField), "");
  EXPECT_NE(error_of(" a", Use::kResponseField), "");
  EXPECT_NE(error_of(std::string(Format::kTemplateLimit + 1, 'a')), "");
  std::string many;
  for (std::size_t i = 0; i <= Format::kOperatorLimit; ++i) many += "%PROTOCOL%";
  EXPECT_NE(error_of(many), "");
}

TEST(Format, PagesMayHoldLonePercentSigns) {
  const Result<Format> page = Format::parse("p{width:100%;height:50%}%RESPONSE_CODE%%",
                                            {.use = Use::kHtml, .lone_percent = true});
  ASSERT_TRUE(page);
  const http::Request request;
  std::string out;
  page->append(out, FormatContext{.request = request, .status = 503});
  EXPECT_EQ(out, "p{width:100%;height:50%}503%");
  EXPECT_FALSE(Format::parse("%FOO%", {.use = Use::kHtml, .lone_percent = true}));
}

TEST(Format, FlagsAreEnvoys) {
  EXPECT_EQ(response_flags("no route"), "NR");
  EXPECT_EQ(response_flags(""), "-");
}

}  // namespace
}  // namespace gatehouse::gateway
