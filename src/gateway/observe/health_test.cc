#include "gateway/observe/health.h"

#include <gtest/gtest.h>

#include "base/queue_executor.h"
#include "http/target.h"

namespace gatehouse::gateway {
namespace {

int status_of(Health& health, std::string_view path, std::string method = "GET") {
  http::Request request;
  request.method = std::move(method);
  request.target = http::parse_target(path).value();
  return run_now(health.handle(request)).value().status;
}

TEST(Health, IsAliveBeforeItIsReady) {
  bool ready = false;
  Health health([&ready] { return ready; });
  for (const std::string_view path : {"/healthz/live", "/ambassador/v0/check_alive?x=1"}) {
    EXPECT_EQ(status_of(health, path), 200) << path;
  }
  for (const std::string_view path : {"/healthz/ready", "/ambassador/v0/check_ready"}) {
    EXPECT_EQ(status_of(health, path), 503) << path;
  }
  ready = true;
  EXPECT_EQ(status_of(health, "/healthz/ready", "HEAD"), 200);
}

TEST(Health, SaysNothingElse) {
  Health health([] { return true; });
  for (const std::string_view path : {"/", "/metrics", "/healthz/ready/", "/ambassador/v0/diag/"}) {
    EXPECT_EQ(status_of(health, path), 404) << path;
  }
  EXPECT_EQ(status_of(health, "/healthz/ready", "POST"), 405);
}

}  // namespace
}  // namespace gatehouse::gateway
