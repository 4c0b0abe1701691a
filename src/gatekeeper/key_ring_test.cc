#include "gatekeeper/key_ring.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/random.h"
#include "gatekeeper/key_view.h"
#include "store/memory/memory_database.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Secret kSealingKey("0123456789abcdef0123456789abcdef");
constexpr KeyRing::Lifetimes kLifetimes{hours(24), hours(24), hours(1)};

class Keys : public testing::Test {
 protected:
  Result<void> refresh(KeyRing& keys) {
    return store::transact_now(
        *database, [&keys](store::Transaction& transaction) { return keys.refresh(transaction); });
  }
  std::vector<store::Key> stored(std::string_view purpose) {
    return *store::transact_now(*database, [purpose](store::Transaction& transaction) {
      return transaction.keys(purpose);
    });
  }

  std::unique_ptr<store::Database> database = store::make_memory_database();
  ManualClock clock;
  crypto::SystemEntropy entropy;
  KeyRing ring{kSealingKey, kLifetimes, entropy, clock};
};

TEST_F(Keys, AreMadeAtTheFirstStartAndKeptAfterIt) {
  ASSERT_TRUE(refresh(ring));
  ASSERT_EQ(ring.snapshot()->session.size(), 1U);
  ASSERT_EQ(ring.snapshot()->login.size(), 1U);
  KeyRing after_restart(kSealingKey, kLifetimes, entropy, clock);
  ASSERT_TRUE(refresh(after_restart));
  EXPECT_EQ(after_restart.snapshot()->session[0].key.reveal(),
            ring.snapshot()->session[0].key.reveal());
  EXPECT_EQ(stored("session").size(), 1U);
}

TEST_F(Keys, StandInTheStoreSealed) {
  ASSERT_TRUE(refresh(ring));
  const std::string sealed = stored("session")[0].sealed;
  EXPECT_FALSE(sealed.contains(ring.snapshot()->session[0].key.reveal()));
}

TEST_F(Keys, OfAnotherSealingKeyFailTheStart) {
  ASSERT_TRUE(refresh(ring));
  KeyRing other(Secret("another key of thirty-two bytes.."), kLifetimes, entropy, clock);
  const Result<void> refreshed = refresh(other);
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(other.epoch(), 0U);
}

TEST_F(Keys, SealedForOnePurposeDoNotOpenForAnother) {
  ASSERT_TRUE(refresh(ring));
  store::Key moved = stored("login")[0];
  moved.purpose = "session";
  ASSERT_TRUE(store::transact_now(
      *database, [&moved](store::Transaction& transaction) { return transaction.add_key(moved); }));
  EXPECT_FALSE(refresh(ring));
}

TEST_F(Keys, TheNextIsPublishedBeforeItSigns) {
  ASSERT_TRUE(refresh(ring));
  clock.advance(hours(18));
  ASSERT_TRUE(refresh(ring));
  const auto keys = ring.snapshot()->session;
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_TRUE(keys[0].signs_at(clock.now()));
  EXPECT_FALSE(keys[1].signs_at(clock.now()));
  EXPECT_EQ(keys[1].active_from, keys[0].retires);
  ASSERT_TRUE(refresh(ring));
  EXPECT_EQ(ring.snapshot()->session.size(), 2U);  // once
}

TEST_F(Keys, AnOldOneIsAcceptedUntilItsLastTokenExpires) {
  ASSERT_TRUE(refresh(ring));
  const std::string first = ring.snapshot()->session[0].kid;
  for (int hour = 0; hour < 47; ++hour) {
    clock.advance(hours(1));
    ASSERT_TRUE(refresh(ring));
  }
  EXPECT_EQ(ring.snapshot()->session[0].kid, first);
  EXPECT_FALSE(ring.snapshot()->session[0].signs_at(clock.now()));
  clock.advance(hours(1));
  ASSERT_TRUE(refresh(ring));
  EXPECT_NE(ring.snapshot()->session[0].kid, first);
}

TEST_F(Keys, AfterALongSleepANewOneSignsAtOnce) {
  ASSERT_TRUE(refresh(ring));
  clock.advance(hours(24 * 30));
  ASSERT_TRUE(refresh(ring));
  ASSERT_EQ(ring.snapshot()->session.size(), 1U);
  EXPECT_TRUE(ring.snapshot()->session[0].signs_at(clock.now()));
}

TEST_F(Keys, MadeUnderAClockThatRanAheadDoNotKeepOthersFromSigning) {
  clock.advance(hours(24 * 365));
  ASSERT_TRUE(refresh(ring));
  clock.advance(-hours(24 * 365));
  ASSERT_TRUE(refresh(ring));
  KeyView view(ring, entropy, clock);
  EXPECT_NE(view.session_signer(), nullptr);
}

TEST_F(Keys, TheEpochMovesOnlyWhenTheyChange) {
  ASSERT_TRUE(refresh(ring));
  const auto epoch = ring.epoch();
  ASSERT_TRUE(refresh(ring));
  EXPECT_EQ(ring.epoch(), epoch);
  clock.advance(hours(20));
  ASSERT_TRUE(refresh(ring));
  EXPECT_GT(ring.epoch(), epoch);
}

class View : public Keys {
 protected:
  void SetUp() override { ASSERT_TRUE(refresh(ring)); }
  KeyView view{ring, entropy, clock};
};

TEST_F(View, SignsWithTheActiveKeyAndSwitchesWhenTheNextIsDue) {
  const std::string first = view.session_signer()->kid();
  clock.advance(hours(20));
  ASSERT_TRUE(refresh(ring));
  EXPECT_EQ(view.session_signer()->kid(), first);
  EXPECT_EQ(view.session_keys().size(), 2U);
  clock.advance(hours(4));
  EXPECT_NE(view.session_signer()->kid(), first);
}

TEST_F(View, DoesNotAcceptAnExpiredKeyEvenIfNothingWasRefreshed) {
  EXPECT_EQ(view.session_keys().size(), 1U);
  clock.advance(hours(48));
  EXPECT_TRUE(view.session_keys().empty());
}

TEST_F(View, WithoutAKeyThatSignsSignsNothing) {
  clock.advance(hours(24));
  EXPECT_EQ(view.session_signer(), nullptr);
  EXPECT_FALSE(view.seal_login("x", "y"));
}

TEST_F(View, OpensWhatItSealedInThatContextAlone) {
  const std::string sealed = *view.seal_login("plain", "context");
  EXPECT_EQ(*view.open_login(sealed, "context"), "plain");
  EXPECT_FALSE(view.open_login(sealed, "another"));
  EXPECT_FALSE(view.open_login(sealed + "A", "context"));
  EXPECT_FALSE(view.open_login("", "context"));
  EXPECT_FALSE(view.open_login(".", "context"));
  EXPECT_FALSE(view.open_login(sealed.substr(sealed.find('.')), "context"));
}

TEST_F(View, SealsUnderAFreshNonceEachTime) {  // CVE-2021-32791
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(*view.seal_login("same", "same"));
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(View, OfAReplicaKnowsTheNextKeyBeforeTheFirstTokenComes) {
  KeyRing replica(kSealingKey, kLifetimes, entropy, clock);
  ASSERT_TRUE(refresh(replica));
  clock.advance(hours(23));
  ASSERT_TRUE(refresh(ring));
  ASSERT_TRUE(refresh(replica));  // its poll, before the key signs
  clock.advance(hours(1));
  const std::string token = view.session_signer()->sign("{}");
  KeyView other(replica, entropy, clock);
  EXPECT_TRUE(jose::verify_hs256(token, other.session_keys()));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
