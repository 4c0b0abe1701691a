#include "gateway/operations.h"

#include <gtest/gtest.h>

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
  Metrics metrics_{{}};
  Operations operations_{metrics_, [this] { return ready_; }};
};

TEST_F(OperationsTest, IsAliveBeforeItIsReady) {
  EXPECT_EQ(ask("/healthz/live").status, 200);
  EXPECT_EQ(ask("/healthz/ready").status, 503);
  ready_ = true;
  EXPECT_EQ(ask("/healthz/ready").status, 200);
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
