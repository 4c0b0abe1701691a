#include "gateway/authz/guarded_authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using testing::HasSubstr;

class GuardedAuthorizerTest : public testing::Test {
 protected:
  void make() {
    auto behind = std::make_unique<FakeAuthorizer>();
    behind_ = behind.get();
    auto log = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(written_));
    guarded_ =
        std::make_unique<GuardedAuthorizer>(std::move(behind), settings_, &counts_, std::move(log));
  }
  void fails(ErrorCode code) {
    behind_->answer = [code](const http::Request&) {
      return http::Verdict(http::Failure{{code, "it is down"}});
    };
  }
  http::Verdict judge() { return run_now(guarded_->judge(request_)).value(); }

  config::AuthorizerSettings settings_;
  AuthorizerCounts counts_;
  std::ostringstream written_;
  FakeAuthorizer* behind_ = nullptr;
  std::unique_ptr<GuardedAuthorizer> guarded_;
  http::Request request_;
};

TEST_F(GuardedAuthorizerTest, PassesVerdictsOnAndCountsThem) {
  make();
  EXPECT_EQ(std::get<http::Allow>(judge()).user, "alice");
  behind_->answer = [](const http::Request&) { return http::Verdict(http::Deny{}); };
  EXPECT_TRUE(std::holds_alternative<http::Deny>(judge()));
  fails(ErrorCode::kTimeout);
  const http::Verdict verdict = judge();
  EXPECT_EQ(std::get<http::Failure>(verdict).error.code, ErrorCode::kTimeout);
  EXPECT_EQ(counts_.asked.value(), 3U);
  EXPECT_EQ(counts_.answered.value(), 3U);
  EXPECT_EQ(counts_.allowed.value(), 1U);
  EXPECT_EQ(counts_.denied.value(), 1U);
  EXPECT_EQ(counts_.failed.value(), 1U);
  EXPECT_EQ(counts_.let_pass.value(), 0U);
}

TEST_F(GuardedAuthorizerTest, AFailureDeniesUnlessToldOtherwise) {
  make();
  fails(ErrorCode::kUnavailable);
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
}

TEST_F(GuardedAuthorizerTest, FailureModeAllowLetsPassUnjudgedAndSaysSo) {
  settings_.failure_mode_allow = true;
  make();
  fails(ErrorCode::kUnavailable);
  request_.trace.request_id = "r1";
  const http::Verdict verdict = judge();
  const auto& allow = std::get<http::Allow>(verdict);
  EXPECT_TRUE(allow.unjudged);
  EXPECT_TRUE(allow.set.empty());
  EXPECT_EQ(allow.user, "");
  EXPECT_EQ(counts_.let_pass.value(), 1U);
  EXPECT_EQ(counts_.failed.value(), 0U);
  EXPECT_THAT(written_.str(), HasSubstr("r1"));
  EXPECT_THAT(written_.str(), HasSubstr("it is down"));
}

TEST_F(GuardedAuthorizerTest, Cve202423324ARequestThatCannotBeAskedAboutNeverPasses) {
  settings_.failure_mode_allow = true;
  make();
  fails(ErrorCode::kInvalid);
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
  EXPECT_EQ(counts_.let_pass.value(), 0U);
  EXPECT_EQ(counts_.failed.value(), 1U);
}

TEST_F(GuardedAuthorizerTest, AClientThatHasGoneIsNoFailureOfTheAuthorizer) {
  settings_.failure_mode_allow = true;
  make();
  fails(ErrorCode::kCancelled);
  EXPECT_TRUE(std::holds_alternative<http::Failure>(judge()));
  EXPECT_EQ(counts_.let_pass.value(), 0U);
  EXPECT_EQ(counts_.failed.value(), 0U);
}

TEST_F(GuardedAuthorizerTest, OverTheLimitOfQuestionsUnderWayItFailsAtOnce) {
  settings_.circuit_breakers.requests = 1;
  make();
  behind_->gate.shut();
  std::optional<http::Verdict> first;
  spawn(guarded_->judge(request_), [&first](http::Verdict verdict) { first = std::move(verdict); });
  EXPECT_EQ(counts_.asked.value() - counts_.answered.value(), 1U);
  const http::Verdict second = judge();
  EXPECT_EQ(std::get<http::Failure>(second).error.code, ErrorCode::kExhausted);
  EXPECT_EQ(counts_.over_limit.value(), 1U);
  EXPECT_EQ(behind_->asked, 1);
  behind_->gate.open();
  ASSERT_TRUE(first);
  EXPECT_TRUE(std::holds_alternative<http::Allow>(*first));
  EXPECT_TRUE(std::holds_alternative<http::Allow>(judge()));
}

TEST_F(GuardedAuthorizerTest, ALimitOfNoughtIsNone) {
  settings_.circuit_breakers.requests = 0;
  make();
  EXPECT_TRUE(std::holds_alternative<http::Allow>(judge()));
}

TEST_F(GuardedAuthorizerTest, TheFirstManagedHeaderNamesTheUserIfNothingElseDoes) {
  make();
  behind_->answer = [](const http::Request&) {
    http::Allow allow;
    allow.set = {{"X-Team", "a"}, {"Kubeflow-Userid", "bob"}};
    return http::Verdict(std::move(allow));
  };
  EXPECT_EQ(std::get<http::Allow>(judge()).user, "bob");
}

}  // namespace
}  // namespace gatehouse::gateway
