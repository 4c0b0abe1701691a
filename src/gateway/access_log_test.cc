#include "gateway/access_log.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

#include "base/json.h"

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
  std::string line(AccessLog::Format format, bool complete = true) {
    net::Exchange exchange{.request = request_, .status = 200, .received = 3, .sent = 4};
    exchange.answered = exchange.started + std::chrono::microseconds(150);
    exchange.finished = exchange.started + std::chrono::microseconds(250);
    exchange.complete = complete;
    AccessLog(log_, format).ended(exchange);
    log_->flush();
    return out_.str();
  }

  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> log_;
  http::Request request_;
};

TEST_F(AccessLogTest, TextSaysWhatHappened) {
  EXPECT_EQ(line(AccessLog::Format::kText),
            "method=\"GET\" host=\"front.example\" path=\"/pipeline/\" client=\"192.0.2.1\" "
            "request_id=\"id1\" route=\"app\" upstream=\"10.0.0.9:80\" user=\"alice\" status=200 "
            "received=3 sent=4 answer_us=150 total_us=250\n");
}

TEST_F(AccessLogTest, JsonIsOneObject) {
  request_.trace.failure = "denied";
  const Result<Json> json = parse_json(line(AccessLog::Format::kJson, false));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(json_string(*json, "path"), "/pipeline/");
  EXPECT_EQ(json_integer(*json, "status"), 200);
  EXPECT_EQ(json_integer(*json, "answer_us"), 150);
  EXPECT_EQ(json_string(*json, "failure"), "denied");
  EXPECT_EQ((*json)["complete"], false);
}

TEST_F(AccessLogTest, ShowsNoQueryCookieOrToken) {
  for (const auto format : {AccessLog::Format::kText, AccessLog::Format::kJson}) {
    EXPECT_EQ(line(format).find("secret"), std::string::npos);
  }
}

TEST_F(AccessLogTest, NoRequestCanForgeALine) {
  request_.method = "GET\nmethod=\"POST\"";
  request_.trace.user = "a\"b\\c\r\n\x01\xff";
  const std::string text = line(AccessLog::Format::kText);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  out_.str("");
  const Result<Json> json = parse_json(line(AccessLog::Format::kJson));
  ASSERT_TRUE(json) << out_.str();
  EXPECT_EQ(json_string(*json, "method"), "GET\nmethod=\"POST\"");
}

}  // namespace
}  // namespace gatehouse::gateway
