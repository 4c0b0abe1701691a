#include "identity/authorize/request_sealer.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/random.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

class RequestSealerTest : public testing::Test {
 protected:
  RequestSealer sealer(const char* key = "0123456789abcdef0123456789abcdef") {
    return {Secret(key), seconds(3'600), entropy_, clock_};
  }

  AuthorizationRequest request() const {
    return {"web", "/cb", "state", "nonce", "challenge", {"openid", "email"}, "a@b"};
  }

  crypto::SystemEntropy entropy_;
  ManualClock clock_;
};

TEST_F(RequestSealerTest, OpensWhatAnotherLoopSealed) {
  const Result<std::string> sealed = sealer().seal(request());
  ASSERT_TRUE(sealed);
  const auto opened = sealer().open(*sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->client_id, "web");
  EXPECT_EQ(opened->redirect_uri, "/cb");
  EXPECT_EQ(opened->state, "state");
  EXPECT_EQ(opened->nonce, "nonce");
  EXPECT_EQ(opened->code_challenge, "challenge");
  EXPECT_EQ(opened->scopes, request().scopes);
  EXPECT_EQ(opened->login_hint, "a@b");
}

TEST_F(RequestSealerTest, EndsAfterItsLifetimeAcrossMidnight) {
  RequestSealer one = sealer();
  const Result<std::string> sealed = one.seal(request());
  ASSERT_TRUE(sealed);
  clock_.advance(seconds(3'600));
  EXPECT_TRUE(one.open(*sealed));
  clock_.advance(seconds(1));
  EXPECT_EQ(one.open(*sealed).error(), SealedRequestError::kExpired);
  clock_.advance(seconds(86'400));
  EXPECT_EQ(one.open(*sealed).error(), SealedRequestError::kExpired);
}

TEST_F(RequestSealerTest, RefusesWhatIsForgedChangedOrCut) {
  RequestSealer one = sealer();
  const std::string sealed = one.seal(request()).value();
  for (std::size_t i = 0; i < sealed.size(); i += 7) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(one.open(changed)) << i;
    EXPECT_FALSE(one.open(sealed.substr(0, i))) << i;
  }
  EXPECT_FALSE(one.open(std::string(kSealedRequestLimit + 1, 'A')));
  EXPECT_FALSE(sealer("another key of thirty-two bytes!").open(sealed));
}

TEST_F(RequestSealerTest, RefusesToSealWhatDoesNotFitAUrl) {
  AuthorizationRequest large = request();
  large.state = std::string(kSealedRequestLimit, 'a');
  EXPECT_FALSE(sealer().seal(large));
}

}  // namespace
}  // namespace gatehouse::identity
