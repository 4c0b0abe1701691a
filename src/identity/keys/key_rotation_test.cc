#include "identity/keys/key_rotation.h"

#include <algorithm>

#include "identity/test_provider.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

constexpr RotationTimes kTimes{seconds(1'000), seconds(100)};

store::Key key_of(const SigningPeriod& period) {
  store::Key key;
  key.active_from = period.active_from;
  key.retires = period.retires;
  key.expires = period.expires;
  return key;
}

TEST(KeyRotation, FirstStartMakesOneForNowAndOneForLater) {
  const WallTime now = ManualClock().now();
  std::vector<store::Key> keys;
  const auto first = missing_period(keys, now, kTimes);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->active_from, now);
  EXPECT_EQ(first->retires, now + seconds(1'000));
  EXPECT_GT(first->expires, first->retires + seconds(100));
  keys.push_back(key_of(*first));
  const auto second = missing_period(keys, now, kTimes);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->active_from, first->retires);
  keys.push_back(key_of(*second));
  EXPECT_FALSE(missing_period(keys, now, kTimes));
}

TEST(KeyRotation, NextKeyIsPublishedAWholeRotationAheadWithoutAGap) {
  ManualClock clock;
  std::vector<store::Key> keys;
  while (const auto period = missing_period(keys, clock.now(), kTimes)) {
    keys.push_back(key_of(*period));
  }
  for (int i = 0; i < 50; ++i) {
    clock.advance(seconds(60));
    const std::size_t before = keys.size();
    while (const auto period = missing_period(keys, clock.now(), kTimes)) {
      EXPECT_GE(period->active_from - clock.now(), kTimes.rotation - seconds(60));
      EXPECT_EQ(period->active_from, keys.back().retires);
      keys.push_back(key_of(*period));
    }
    EXPECT_LE(keys.size(), before + 1);
  }
  EXPECT_GT(keys.size(), 4u);
}

TEST(KeyRotation, AfterALongSleepANewKeySignsAtOnce) {
  ManualClock clock;
  std::vector<store::Key> keys;
  while (const auto period = missing_period(keys, clock.now(), kTimes)) {
    keys.push_back(key_of(*period));
  }
  clock.advance(seconds(1'000'000));
  const auto period = missing_period(keys, clock.now(), kTimes);
  ASSERT_TRUE(period);
  EXPECT_EQ(period->active_from, clock.now());
}

TEST(KeyRotation, JwkSetIsNotKeptForAsLongAsAKeyIsPublishedAhead) {
  EXPECT_EQ(jwks_max_age(seconds(2'592'000)), seconds(3'600));
  EXPECT_LT(jwks_max_age(seconds(600)), seconds(600));
}

TEST(KeyVault, RowsCannotBeExchanged) {
  crypto::SystemEntropy entropy;
  const KeyVault vault(Secret(kSealingKey), entropy);
  const auto key = jose::generate_key(jose::Algorithm::kEs256);
  ASSERT_TRUE(key);
  store::Key row = vault.seal(*key, {}, WallTime{});
  EXPECT_TRUE(vault.open(row, jose::Algorithm::kEs256));
  row.kid += "x";
  EXPECT_EQ(vault.open(row, jose::Algorithm::kEs256).error().code, ErrorCode::kCorrupt);
  row = vault.seal(*key, {}, WallTime{});
  row.purpose = "sign/RS256";
  EXPECT_FALSE(vault.open(row, jose::Algorithm::kEs256));
}

class KeyChangeTest : public ProviderTest {
 protected:
  std::vector<std::string> published() {
    std::vector<std::string> kids;
    const Json set = json(get("/dex/keys"));
    for (const Json& key : set["keys"]) kids.push_back(key["kid"]);
    return kids;
  }
};

TEST_F(KeyChangeTest, CurrentKeysStandFirstAndTheNextOnesAreThere) {
  const Json set = json(get("/dex/keys"));
  ASSERT_EQ(set["keys"].size(), 4u);
  EXPECT_NE(set["keys"][0]["alg"], set["keys"][1]["alg"]);
  for (const Json& key : set["keys"]) {
    EXPECT_EQ(key["use"], "sig");
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
      EXPECT_FALSE(key.contains(secret)) << secret;
    }
  }
}

TEST_F(KeyChangeTest, RotationKeepsOldTokensGoodAndUsesOnlyWhatWasPublished) {
  const std::vector<std::string> before = published();
  clock_.advance(test_settings().key_rotation - seconds(60));
  const std::string old_token = tokens()["access_token"];
  clock_.advance(seconds(61));
  maintain();
  const std::vector<std::string> after = published();
  EXPECT_EQ(after.size(), 6u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(std::ranges::find(before, after[i]), before.end()) << "signs, but was not published";
    EXPECT_NE(after[i], before[0]);
    EXPECT_NE(after[i], before[1]);
  }
  EXPECT_EQ(userinfo(old_token).status, 200);
  EXPECT_EQ(userinfo(tokens()["access_token"]).status, 200);

  clock_.advance(seconds(86'400 + 400));
  maintain();
  EXPECT_EQ(published().size(), 4u);
}

TEST_F(KeyChangeTest, ChangeOverNeedsNoMaintenance) {
  clock_.advance(test_settings().key_rotation + seconds(1));
  const Json issued = tokens();
  EXPECT_EQ(userinfo(issued["access_token"]).status, 200);
}

TEST_F(KeyChangeTest, MaintenanceOverABrokenStoreKeepsTheKeys) {
  const std::vector<std::string> before = published();
  database_.broken = true;
  maintain();
  EXPECT_EQ(published(), before);
}

TEST_F(KeyChangeTest, MaintenanceCollectsWhatHasExpired) {
  for (int i = 0; i < 3; ++i) code();
  clock_.advance(seconds(61));
  maintain();
  const auto left = transact([&](store::Transaction& transaction) {
    return transaction.collect_expired(clock_.now(), 100);
  });
  EXPECT_EQ(left.value(), 0u);
}

}  // namespace
}  // namespace gatehouse::identity
