#include "gatekeeper/provider_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coroutine>

#include "base/queue_executor.h"
#include "gatekeeper/test_provider.h"

namespace gatehouse::gatekeeper {
namespace {

using std::chrono::seconds;

/// Holds each request back until it is let go, and counts.
class SlowClient final : public http::Client {
 public:
  SlowClient(http::Client& inner, QueueExecutor& loop) : inner_(inner), loop_(loop) {}
  Task<Result<http::Response>> send(http::Request& request) override {
    asked.push_back("http://" + request.authority + request.target.str());
    if (error) co_return std::unexpected(*error);
    co_await Turn{loop_};
    Result<http::Response> response = co_await inner_.send(request);
    co_return response;
  }
  std::vector<std::string> asked;
  std::optional<Error> error;

 private:
  struct Turn {
    QueueExecutor& loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) const {
      loop.post([handle] { handle.resume(); });
    }
    void await_resume() const {}
  };
  http::Client& inner_;
  QueueExecutor& loop_;
};

class Client : public testing::Test {
 protected:
  Client() {
    settings.issuer = TestProvider::kIssuer;
    provider.client_secret = Secret("secret");
  }
  ProviderClient make() { return ProviderClient(settings, Secret("secret"), slow, clock); }
  std::string token(const std::string& nonce = "n") {
    const long long now = unix_seconds(clock.now());
    return *jose::sign_jwt(provider.key, {{"iss", TestProvider::kIssuer},
                                          {"aud", "authservice-oidc"},
                                          {"sub", "1"},
                                          {"iat", now},
                                          {"exp", now + 600},
                                          {"nonce", nonce}});
  }

  config::Gatekeeper settings;
  ManualClock clock;
  TestProvider provider{clock};
  http::HandlerClient direct{provider};
  QueueExecutor loop;
  SlowClient slow{direct, loop};
};

TEST_F(Client, MetadataIsAskedForOnceAndKeptForAnHour) {
  ProviderClient client = make();
  ASSERT_TRUE(loop.wait(client.provider()));
  ASSERT_TRUE(loop.wait(client.provider()));
  EXPECT_EQ(slow.asked.size(), 1U);
  clock.advance(kMetadataKept);
  ASSERT_TRUE(loop.wait(client.provider()));
  EXPECT_EQ(slow.asked.size(), 2U);
}

TEST_F(Client, ManyWhoAskAtOnceWaitForOneAnswer) {
  ProviderClient client = make();
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    spawn(client.provider(), [&answers](auto got) { answers += got ? 1 : 0; });
  }
  loop.run_ready();
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(slow.asked.size(), 1U);
}

TEST_F(Client, ManyWhoAskAProviderThatIsDownAllHearOfIt) {
  ProviderClient client = make();
  provider.status = 500;
  int failures = 0;
  for (int i = 0; i < 5; ++i) {
    spawn(client.provider(), [&failures](auto got) {
      failures += !got && got.error().code == ErrorCode::kUnavailable ? 1 : 0;
    });
  }
  loop.run_ready();
  EXPECT_EQ(failures, 5);
  EXPECT_EQ(slow.asked.size(), 1U);
}

TEST_F(Client, AFailureIsRememberedForAMoment) {
  ProviderClient client = make();
  slow.error = Error{ErrorCode::kTimeout, "no answer"};
  EXPECT_EQ(loop.wait(client.provider()).error().code, ErrorCode::kTimeout);
  slow.error.reset();
  EXPECT_FALSE(loop.wait(client.provider()));
  EXPECT_EQ(slow.asked.size(), 1U);
  clock.advance(kFailureRemembered);
  EXPECT_TRUE(loop.wait(client.provider()));
}

TEST_F(Client, MetadataOfAnotherIssuerIsRefused) {
  provider.issuer = "http://evil.example/dex";
  ProviderClient client = make();
  EXPECT_EQ(loop.wait(client.provider()).error().code, ErrorCode::kInvalid);
}

TEST_F(Client, AnUnknownKidFetchesTheKeysAgainButNotOftenForEver) {
  ProviderClient client = make();
  ASSERT_TRUE(loop.wait(client.verify(token(), "n")));
  EXPECT_EQ(provider.key_requests, 1);
  provider.key = *jose::generate_key(jose::Algorithm::kEs256);  // rotated
  EXPECT_FALSE(loop.wait(client.verify(token(), "n")));         // too soon to ask again
  EXPECT_EQ(provider.key_requests, 1);
  clock.advance(kKeysAtMostEvery);
  EXPECT_TRUE(loop.wait(client.verify(token(), "n")));
  EXPECT_EQ(provider.key_requests, 2);
  const jose::SigningKey forged = *jose::generate_key(jose::Algorithm::kEs256);
  for (int i = 0; i < 100; ++i) {
    const std::string foreign = *jose::sign_jwt(forged, {{"sub", "1"}});
    EXPECT_FALSE(loop.wait(client.verify(foreign, "n")));
  }
  EXPECT_EQ(provider.key_requests, 2);
}

TEST_F(Client, KeysAreNotTrustedForEver) {
  ProviderClient client = make();
  const std::string before = token();
  ASSERT_TRUE(loop.wait(client.verify(before, "n")));
  slow.error = Error{ErrorCode::kUnavailable, "gone"};
  clock.advance(kKeysKept);
  EXPECT_FALSE(loop.wait(client.verify(token(), "n")));
}

TEST_F(Client, ACodeThatTheProviderDoesNotKnowIsNotFound) {
  ProviderClient client = make();
  const auto token = loop.wait(client.exchange({"unknown", "v", "/cb"}));
  EXPECT_EQ(token.error().code, ErrorCode::kNotFound);
}

TEST_F(Client, AWrongClientSecretIsTheSetupsFaultAndStaysOutOfTheMessage) {
  provider.client_secret = Secret("another");
  ProviderClient client = make();
  const auto token = loop.wait(client.exchange({"c", "v", "/cb"}));
  EXPECT_EQ(token.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(token.error().message, testing::Not(testing::HasSubstr("secret\"")));
}

TEST_F(Client, ProviderUrlIsWhereToConnectWhileTheIssuerStays) {
  for (const auto& [url, expected] : std::vector<std::pair<std::string, std::string>>{
           {"http://dex-auth:5556", "http://dex-auth:5556/dex/.well-known/openid-configuration"},
           {"http://dex-auth:5556/dex",
            "http://dex-auth:5556/dex/.well-known/openid-configuration"},
           {"http://dex-auth:5556/x/",
            "http://dex-auth:5556/x/.well-known/openid-configuration"}}) {
    settings.provider_url = url;
    ProviderClient client = make();
    slow.asked.clear();
    (void)loop.wait(client.provider());
    EXPECT_THAT(slow.asked, testing::ElementsAre(expected));
  }
}

}  // namespace
}  // namespace gatehouse::gatekeeper
