#include "gateway/observe/access_log.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(out_);
    log_ = std::make_shared<spdlog::logger>("test", std::move(sink));
    log_->set_pattern("%v");
    request_.target = http::parse_target("/pipeline/?token=secret").value();
    request_.authority = "front.example";
    request_.headers.add("Cookie", "gatehouse_session=secret");
    request_.headers.add("Authorization", "Bearer secret");
    request_.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1"});
    request_.trace.request_id = "id1";
    request_.trace.route = "app";
    request_.trace.upstream = "10.0.0.9:80";
    request_.trace.user = "alice";
  }
  std::string line(const std::string& form, bool complete = true, bool bare = false) {
    config::AccessLog settings{.form = form, .format = format_};
    auto log = AccessLog::make(
        settings, {.log = log_,
                   .log_is_bare = bare,
                   .clock = clock_,
                   .forwarded = Forwarded(http::TrustedProxies::parse(trusted_).value(),
                                          {.listeners = {{.hops = hops_}}})});
    if (!log) return log.error().message;
    net::Exchange exchange{
        .request = request_, .response = &response_, .status = status_, .received = 3, .sent = 4};
    exchange.started = clock_.monotonic() - std::chrono::microseconds(2'250);
    exchange.answered = exchange.started + std::chrono::microseconds(1'150);
    exchange.finished = clock_.monotonic();
    exchange.complete = complete;
    (*log)->ended(exchange);
    log_->flush();
    return out_.str();
  }

  /// Of a TCP connection that failed.
  std::string tcp_line(const std::string& form, bool bare = false) {
    const config::AccessLog settings{.form = form, .format = format_};
    const auto log = AccessLog::make(settings, {.log = log_,
                                                .log_is_bare = bare,
                                                .clock = clock_,
                                                .forwarded = Forwarded(http::TrustedProxies())});
    if (!log) return log.error().message;
    const http::Peer peer{.address = "192.0.2.1", .server_name = "db.example"};
    const config::TcpRoute route{.name = "db"};
    (*log)->ended({.peer = peer,
                   .route = &route,
                   .upstream = "",
                   .result = TcpResult::kUpstreamConnect,
                   .reason = "\"refused\"",
                   .received = 3,
                   .sent = 4,
                   .duration = std::chrono::microseconds(2'250)});
    log_->flush();
    return out_.str();
  }

  ManualClock clock_;
  std::string format_;
  std::vector<std::string> trusted_;
  std::size_t hops_ = 0;
  int status_ = 200;
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> log_;
  http::Request request_;
  http::Response response_;
};

TEST_F(AccessLogTest, TextSaysWhatHappened) {
  EXPECT_EQ(line("text"),
            "method=\"GET\" host=\"front.example\" path=\"/pipeline/\" client=\"192.0.2.1\" "
            "request_id=\"id1\" route=\"app\" upstream=\"10.0.0.9:80\" user=\"alice\" status=200 "
            "received=3 sent=4 answer_us=1150 total_us=2250\n");
}

TEST_F(AccessLogTest, JsonIsOneObject) {
  request_.trace.failure = "denied";
  const Result<Json> json = parse_json(line("json", false));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(json_string(*json, "path"), "/pipeline/");
  EXPECT_EQ(json_integer(*json, "status"), 200);
  EXPECT_EQ(json_integer(*json, "answer_us"), 1150);
  EXPECT_EQ(json_string(*json, "failure"), "denied");
  EXPECT_EQ((*json)["complete"], false);
}

TEST_F(AccessLogTest, ShowsNoQueryCookieOrToken) {
  for (const char* const format : {"text", "json"}) {
    EXPECT_EQ(line(format).find("secret"), std::string::npos);
  }
}

TEST_F(AccessLogTest, NoRequestCanForgeALine) {
  request_.method = "GET\nmethod=\"POST\"";
  request_.trace.user = "a\"b\\c\r\n\x01\xff";
  const std::string text = line("text");
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  out_.str("");
  const Result<Json> json = parse_json(line("json"));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(json_string(*json, "method"), "GET\nmethod=\"POST\"");
}

TEST_F(AccessLogTest, LinesOfAFileTellTheirTime) {
  EXPECT_TRUE(line("text", true, true).starts_with("2027-01-15T07:59:59.997750Z method="))
      << out_.str();
  out_.str("");
  const Result<Json> json = parse_json(line("json", true, true));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(json_string(*json, "time"), "2027-01-15T07:59:59.997750Z");
}

TEST_F(AccessLogTest, AnOwnFormIsFilledIn) {
  format_ =
      "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
      "%RESPONSE_DURATION% %ROUTE_NAME% %UPSTREAM_HOST% %START_TIME(%s)%\n";
  EXPECT_EQ(line("text"), "GET /pipeline/ 200 3 4 2 1 app 10.0.0.9:80 1799999999\n");
}

TEST_F(AccessLogTest, AnOwnFormTellsOfTheAnswer) {
  format_ = "%RESP(Server)% %RESP(Set-Cookie)% %TRAILER(X-Trailer)%";
  response_.headers.add("Server", "s");
  response_.headers.add("Set-Cookie", "secret");
  EXPECT_EQ(line("text"), "s - -\n");
  out_.str("");
  response_.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{}));
  EXPECT_EQ(line("text"), "s - t\n");
}

TEST_F(AccessLogTest, NamesTheClientBehindTrustedProxies) {
  request_.headers.add("X-Forwarded-For", "198.51.100.7");
  const auto client_is = [this](std::string_view address) {
    for (const std::string form : {"text", "json", "own"}) {
      format_ = form == "own" ? "client %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" : "";
      out_.str("");
      const std::string text = line(form == "own" ? "text" : form);
      EXPECT_NE(text.find(address), std::string::npos) << text;
    }
  };
  client_is("192.0.2.1");
  trusted_ = {"192.0.2.1"};
  client_is("198.51.100.7");
  trusted_.clear();
  hops_ = 1;
  client_is("198.51.100.7");
}

TEST_F(AccessLogTest, TellsOfTcpConnections) {
  EXPECT_EQ(tcp_line("text"),
            "protocol=\"tcp\" server_name=\"db.example\" client=\"192.0.2.1\" route=\"db\" "
            "failure=\"upstream_connect\" reason=\"\\\"refused\\\"\" received=3 sent=4 "
            "total_us=2250\n");
  out_.str("");
  const Result<Json> json = parse_json(tcp_line("json", true));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(*json, Json({{"time", "2027-01-15T07:59:59.997750Z"},
                         {"protocol", "tcp"},
                         {"server_name", "db.example"},
                         {"client", "192.0.2.1"},
                         {"route", "db"},
                         {"failure", "upstream_connect"},
                         {"reason", "\"refused\""},
                         {"received", 3},
                         {"sent", 4},
                         {"total_us", 2250}}));
}

TEST_F(AccessLogTest, AnOwnFormIsOfRequestsAlone) {
  format_ = "%REQ(:PATH)%";
  EXPECT_EQ(tcp_line("text"), "");
}

TEST_F(AccessLogTest, AnOwnFormShowsNoSecretAndForgesNoLine) {
  format_ = "%REQ(COOKIE)% %REQ(AUTHORIZATION)% %REQ(:PATH)% %REQ(X-A)%";
  request_.headers.add("X-A", "a\nb");
  const std::string text = line("text");
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
}

TEST_F(AccessLogTest, AnUnknownOperatorIsNamed) {
  format_ = "%NONSENSE%";
  const std::string error = line("text");
  EXPECT_NE(error.find("gateway.access_log.format"), std::string::npos) << error;
  EXPECT_NE(error.find("NONSENSE"), std::string::npos) << error;
}

}  // namespace
}  // namespace gatehouse::gateway
