#include "gateway/observe/operations.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace gatehouse::gateway {
namespace {

class OperationsTest : public testing::Test {
 protected:
  http::Response ask(std::string_view target, std::string method = "GET") {
    http::Request request;
    request.method = std::move(method);
    request.target = http::parse_target(target).value();
    return run_now(operations_.handle(request)).value();
  }
  bool ready_ = false;
  DiagnosticSnapshot snapshot_;
  Metrics metrics_{{}};
  Operations operations_{{.metrics = metrics_,
                          .ready = [this] { return ready_; },
                          .diagnose = [this] { return snapshot_; }}};
};

TEST_F(OperationsTest, IsAliveBeforeItIsReady) {
  EXPECT_EQ(ask("/healthz/live").status, 200);
  EXPECT_EQ(ask("/healthz/ready").status, 503);
  ready_ = true;
  EXPECT_EQ(ask("/healthz/ready").status, 200);
}

TEST_F(OperationsTest, AnswersUnderAmbassadorsNamesToo) {
  EXPECT_EQ(ask("/ambassador/v0/check_alive").status, 200);
  EXPECT_EQ(ask("/ambassador/v0/check_ready").status, 503);
  ready_ = true;
  EXPECT_EQ(ask("/ambassador/v0/check_ready").status, 200);
}

TEST_F(OperationsTest, ShowsThePageAndItsStyle) {
  snapshot_.version = "1.2.3";
  const http::Response page = ask("/ambassador/v0/diag/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.headers.get("content-security-policy")->find("default-src 'none'"),
            std::string::npos);
  EXPECT_NE(page.body.bytes.find("1.2.3"), std::string::npos);
  EXPECT_NE(page.body.bytes.find("/ambassador/v0/diag/style.css"), std::string::npos);
  EXPECT_EQ(ask("/ambassador/v0/diag/style.css").headers.get("content-type"),
            "text/css; charset=utf-8");
  EXPECT_EQ(ask("/ambassador/v0/diag").headers.get("location"), "/ambassador/v0/diag/");
}

TEST_F(OperationsTest, ShowsTheSameAsJson) {
  snapshot_.version = "1.2.3";
  const http::Response response = ask("/ambassador/v0/diag/?json=true");
  EXPECT_EQ(response.headers.get("content-type"), "application/json");
  const Result<Json> json = parse_json(response.body.bytes);
  ASSERT_TRUE(json);
  EXPECT_EQ(json_string(*json, "version"), "1.2.3");
}

TEST_F(OperationsTest, WithoutDiagnosticsThereIsNoSuchPage) {
  Operations bare({.metrics = metrics_, .ready = [] { return true; }});
  http::Request request;
  request.target = http::parse_target("/ambassador/v0/diag/").value();
  EXPECT_EQ(run_now(bare.handle(request)).value().status, 404);
}

TEST_F(OperationsTest, ShowsTheMetrics) {
  const http::Response response = ask("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.headers.get("content-type")->starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(response.body.bytes.find("# TYPE gatehouse_requests_total counter"), std::string::npos);
}

TEST_F(OperationsTest, NothingElseIsThere) {
  EXPECT_EQ(ask("/").status, 404);
  EXPECT_EQ(ask("/metrics/x").status, 404);
  EXPECT_EQ(ask("/metrics", "POST").status, 405);
}

}  // namespace
}  // namespace gatehouse::gateway
