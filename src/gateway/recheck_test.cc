#include "gateway/recheck.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using std::chrono::seconds;

http::Allow allow(std::string session, std::string user = "alice") {
  http::Allow out;
  out.session = std::move(session);
  out.user = std::move(user);
  return out;
}

class Recheck : public testing::Test {
 protected:
  MonotonicTime at(int second) const { return MonotonicTime(seconds(1000 + second)); }

  /// Judges by this list of sessions that are alive.
  void alive(std::vector<std::string> sessions) {
    judge_.answer = [sessions](const http::Request& request) -> http::Verdict {
      const std::string session(request.headers.get("x-test-session").value_or(""));
      if (std::ranges::find(sessions, session) == sessions.end()) {
        return http::Deny{http::make_response(401, "text/plain", "")};
      }
      return allow(session);
    };
  }
  http::Request request_of(const std::string& session) {
    http::Request request;
    request.target = *http::parse_target("/stream?q=1");
    request.headers.add("x-test-session", session);
    return request;
  }
  OpenExchanges::Watch open(const std::string& session) {
    return exchanges_.open(requests_.emplace_back(request_of(session)), allow(session));
  }
  void fail_judge() {
    judge_.answer = [](const http::Request&) {
      return http::Verdict(http::Failure{Error{ErrorCode::kTimeout, "no answer"}});
    };
  }

  FakeAuthorizer judge_;
  std::list<http::Request> requests_;
  OpenExchanges exchanges_{std::shared_ptr<http::Authorizer>(std::shared_ptr<void>(), &judge_)};
};

TEST_F(Recheck, AsksWithTheRequestAsItCame) {
  alive({"s1"});
  http::Request request = request_of("s1");
  request.method = "PUT";
  request.authority = "h";
  request.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1"});
  const OpenExchanges::Watch watch = exchanges_.open(request, allow("s1"));
  std::string seen;
  judge_.answer = [&](const http::Request& asked) {
    seen = asked.method + " " + asked.authority + asked.target.str() + " " + asked.peer->address;
    return http::Verdict(allow("s1"));
  };
  exchanges_.turn(at(0));
  EXPECT_EQ(seen, "PUT h/stream?q=1 192.0.2.1");
  EXPECT_FALSE(watch.ended());
}

TEST_F(Recheck, AsksWithTheBodyAndTheRoutesContextIfTheJudgeKnewThem) {
  judge_.wanted.bytes = 10;
  http::Request request = request_of("s1");
  request.body.bytes = "told";
  request.auth_context = std::make_shared<http::AuthContext>();
  const OpenExchanges::Watch watch = exchanges_.open(request, allow("s1"));
  judge_.answer = [&](const http::Request& asked) {
    EXPECT_EQ(asked.body.bytes, "told");
    EXPECT_EQ(asked.auth_context, request.auth_context);
    return http::Verdict(allow("s1"));
  };
  exchanges_.turn(at(0));
  EXPECT_EQ(judge_.asked, 1);
}

TEST_F(Recheck, KeepsNoBodyThatTheJudgeDoesNotKnow) {
  http::Request request = request_of("s1");
  request.body.bytes = "large";
  const OpenExchanges::Watch watch = exchanges_.open(request, allow("s1"));
  judge_.answer = [](const http::Request& asked) {
    EXPECT_EQ(asked.body.bytes, "");
    return http::Verdict(allow("s1"));
  };
  exchanges_.turn(at(0));
  EXPECT_EQ(judge_.asked, 1);
}

TEST_F(Recheck, AJudgeWhoseFailureLetsPassEndsNothing) {
  const OpenExchanges::Watch watch = open("s1");
  judge_.answer = [](const http::Request&) {
    http::Allow unjudged;
    unjudged.unjudged = true;
    return http::Verdict(std::move(unjudged));
  };
  for (int second = 0; second < 30; ++second) exchanges_.turn(at(second));
  EXPECT_FALSE(watch.ended());
  alive({});
  exchanges_.turn(at(30));
  EXPECT_TRUE(watch.ended());
}

TEST_F(Recheck, OneQuestionForAllExchangesOfASession) {
  alive({"s1", "s2"});
  const OpenExchanges::Watch a = open("s1");
  const OpenExchanges::Watch b = open("s1");
  const OpenExchanges::Watch c = open("s2");
  exchanges_.turn(at(0));
  EXPECT_EQ(judge_.asked, 2);
}

TEST_F(Recheck, WithoutASessionEachIsJudgedByItself) {
  judge_.answer = [](const http::Request&) { return http::Verdict(allow("")); };
  const OpenExchanges::Watch a = open("");
  const OpenExchanges::Watch b = open("");
  exchanges_.turn(at(0));
  EXPECT_EQ(judge_.asked, 2);
  EXPECT_FALSE(a.ended() || b.ended());
}

TEST_F(Recheck, AnEndedSessionEndsItsExchangesAtOnceAndNoOthers) {
  alive({"s1", "s2"});
  http::Cancellation cancellation;
  http::Request request = request_of("s1");
  request.cancellation = &cancellation;
  const OpenExchanges::Watch a = exchanges_.open(request, allow("s1"));
  const OpenExchanges::Watch b = open("s2");
  exchanges_.turn(at(0));
  EXPECT_FALSE(a.ended());
  alive({"s2"});
  exchanges_.turn(at(1));
  EXPECT_TRUE(a.ended());
  EXPECT_TRUE(cancellation.cancelled());
  EXPECT_FALSE(b.ended());
}

TEST_F(Recheck, AnotherSessionOrUserIsNoLeaveToGoOn) {
  const OpenExchanges::Watch watch = open("s1");
  judge_.answer = [](const http::Request&) { return http::Verdict(allow("s1", "mallory")); };
  exchanges_.turn(at(0));
  EXPECT_TRUE(watch.ended());
  const OpenExchanges::Watch other = open("s2");
  judge_.answer = [](const http::Request&) { return http::Verdict(allow("s3")); };
  exchanges_.turn(at(1));
  EXPECT_TRUE(other.ended());
}

TEST_F(Recheck, ATunnelIsAborted) {
  bool aborted = false;
  {
    http::Response response;
    response.status = 101;
    response.upgrade = std::make_unique<FakeTunnel>(aborted);
    keep_watch(response, open("s1"));
    alive({});
    exchanges_.turn(at(0));
    EXPECT_TRUE(aborted);
    EXPECT_EQ(exchanges_.size(), 1U);
  }
  EXPECT_EQ(exchanges_.size(), 0U);
}

TEST_F(Recheck, ABodyIsCutShort) {
  http::Response response;
  response.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{"a", "b"}));
  keep_watch(response, open("s1"));
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), "a");
  EXPECT_FALSE(response.body.stream->trailers().empty());
  EXPECT_NE(response.body.stream->in_socket(), nullptr);
  alive({});
  exchanges_.turn(at(0));
  EXPECT_EQ(response.body.stream->in_socket(), nullptr);
  EXPECT_FALSE(run_now(response.body.stream->read()).value());
}

TEST_F(Recheck, AFailingJudgeIsAskedAgainForTenSecondsThenAllEnds) {
  fail_judge();
  const OpenExchanges::Watch watch = open("s1");
  exchanges_.turn(at(0));
  exchanges_.turn(at(9));
  EXPECT_FALSE(watch.ended());
  EXPECT_EQ(judge_.asked, 2);
  exchanges_.turn(at(10));
  EXPECT_TRUE(watch.ended());
}

TEST_F(Recheck, AJudgeThatRecoversEndsTheDoubt) {
  fail_judge();
  const OpenExchanges::Watch watch = open("s1");
  exchanges_.turn(at(0));
  alive({"s1"});
  exchanges_.turn(at(9));
  fail_judge();
  exchanges_.turn(at(12));
  exchanges_.turn(at(21));
  EXPECT_FALSE(watch.ended());
  exchanges_.turn(at(22));
  EXPECT_TRUE(watch.ended());
}

TEST_F(Recheck, AJudgeThatThrowsHasFailedAndIsAskedAgain) {
  judge_.answer = [](const http::Request&) -> http::Verdict { throw std::runtime_error("thrown"); };
  const OpenExchanges::Watch watch = open("s1");
  exchanges_.turn(at(0));
  EXPECT_FALSE(watch.ended());
  alive({"s1"});
  exchanges_.turn(at(9));
  EXPECT_EQ(judge_.asked, 2);
  exchanges_.turn(at(18));
  EXPECT_FALSE(watch.ended());
}

TEST_F(Recheck, AJudgeThatNeverAnswersIsNotAskedTwiceAndEndsInDenial) {
  judge_.gate.shut();
  const OpenExchanges::Watch watch = open("s1");
  exchanges_.turn(at(0));
  exchanges_.turn(at(5));
  EXPECT_EQ(judge_.asked, 1);
  exchanges_.turn(at(10));
  EXPECT_TRUE(watch.ended());
  judge_.gate.open();
  EXPECT_TRUE(watch.ended());
}

TEST_F(Recheck, AnExchangeThatFinishesWhileItIsJudgedIsLeftAlone) {
  judge_.gate.shut();
  alive({});
  http::Cancellation cancellation;
  {
    http::Request request = request_of("s1");
    request.cancellation = &cancellation;
    const OpenExchanges::Watch watch = exchanges_.open(request, allow("s1"));
    exchanges_.turn(at(0));
  }
  judge_.gate.open();
  EXPECT_FALSE(cancellation.cancelled());
}

TEST_F(Recheck, EndingOneMayCloseOthersOfItsSession) {
  alive({});
  http::Cancellation cancellation;
  http::Request request = request_of("s1");
  request.cancellation = &cancellation;
  auto second = std::make_unique<OpenExchanges::Watch>(open("s1"));
  auto first = std::make_unique<OpenExchanges::Watch>(exchanges_.open(request, allow("s1")));
  cancellation.listen([&] {
    first.reset();
    second.reset();
  });
  exchanges_.turn(at(0));
  EXPECT_EQ(exchanges_.size(), 0U);
}

TEST_F(Recheck, AFinishedExchangeLeavesTheListAndItsPlaceIsUsedAgain) {
  int first = 0;
  exchanges_.on_first([&] { ++first; });
  {
    const OpenExchanges::Watch watch = open("s1");
  }
  EXPECT_EQ(exchanges_.size(), 0U);
  alive({"s2"});
  const OpenExchanges::Watch watch = open("s2");
  EXPECT_FALSE(watch.ended());
  exchanges_.turn(at(0));
  EXPECT_EQ(judge_.asked, 1);
  EXPECT_FALSE(watch.ended());
  EXPECT_EQ(first, 2);
}

TEST_F(Recheck, GoesWhileAQuestionIsOpen) {
  judge_.gate.shut();
  auto exchanges = std::make_unique<OpenExchanges>(
      std::shared_ptr<http::Authorizer>(std::shared_ptr<void>(), &judge_));
  {
    const http::Request request = request_of("s1");
    const OpenExchanges::Watch watch = exchanges->open(request, allow("s1"));
    exchanges->turn(at(0));
  }
  exchanges.reset();
  SUCCEED();
}

}  // namespace
}  // namespace gatehouse::gateway
