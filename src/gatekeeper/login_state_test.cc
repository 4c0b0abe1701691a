#include "gatekeeper/login_state.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/random.h"
#include "oauth/pkce.h"
#include "store/memory/memory_database.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class Login : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store::transact_now(
        *database, [this](store::Transaction& transaction) { return ring.refresh(transaction); }));
  }
  std::string seal(const FreshLogin& fresh) {
    return *seal_login(keys, fresh.state, fresh.login, clock.now());
  }
  Result<LoginState> open(std::string_view state, std::string_view sealed) {
    return open_login(keys, state, sealed, clock.now(), hours(1));
  }

  std::unique_ptr<store::Database> database = store::make_memory_database();
  ManualClock clock;
  crypto::SystemEntropy entropy;
  KeyRing ring{
      Secret("0123456789abcdef0123456789abcdef"), {hours(24), hours(24), hours(1)}, entropy, clock};
  KeyView keys{ring, entropy, clock};
};

TEST_F(Login, OpensAgainWithItsState) {
  const FreshLogin fresh = fresh_login("/pipeline/?ns=a%20b", 0, entropy);
  const Result<LoginState> opened = open(fresh.state, seal(fresh));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->target, "/pipeline/?ns=a%20b");
  EXPECT_EQ(opened->nonce, fresh.login.nonce);
  EXPECT_EQ(opened->code_verifier, fresh.login.code_verifier);
}

TEST_F(Login, DoesNotOpenWithAForeignState) {
  const FreshLogin mine = fresh_login("/", 0, entropy);
  const FreshLogin foreign = fresh_login("/", 0, entropy);
  EXPECT_FALSE(open(foreign.state, seal(mine)));
  EXPECT_FALSE(open("", seal(mine)));
  EXPECT_FALSE(open(mine.state, ""));
}

TEST_F(Login, EndsAfterItsTimeAndIsNotFromTheFuture) {
  const FreshLogin fresh = fresh_login("/", 0, entropy);
  const std::string sealed = seal(fresh);
  clock.advance(hours(1));
  EXPECT_TRUE(open(fresh.state, sealed));
  clock.advance(seconds(1));
  EXPECT_FALSE(open(fresh.state, sealed));
  clock.advance(-hours(3));
  EXPECT_FALSE(open(fresh.state, sealed));
}

TEST_F(Login, IsFreshEachTimeAndProvesItselfAsRfc7636Asks) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const FreshLogin fresh = fresh_login("/", 0, entropy);
    seen.insert({fresh.state, fresh.login.nonce, fresh.login.code_verifier});
    EXPECT_TRUE(oauth::is_code_verifier(fresh.login.code_verifier));
    EXPECT_EQ(fresh.state.size(), 22U);
  }
  EXPECT_EQ(seen.size(), 150U);
}

TEST_F(Login, TheLongestTargetFitsInACookie) {
  const FreshLogin fresh = fresh_login("/" + std::string(kTargetLimit - 1, 'a'), 0, entropy);
  EXPECT_EQ(fresh.login.target.size(), kTargetLimit);
  EXPECT_LT(seal(fresh).size(), 3'500U);
}

TEST(SafeTarget, KeepsWhatLeadsBackHere) {
  for (const char* target :
       {"/", "/pipeline/?ns=a%20b", "/a?u=https://evil.example//x", "/a%20b"}) {
    EXPECT_EQ(safe_target(target), target);
  }
}

TEST(SafeTarget, LeadsToNoOtherSite) {  // GHSA-qqxw-m5fj-f7gv, GHSA-j7px-6hwj-hpjg, and others
  for (const char* target :
       {"", "//evil.example", "/\\evil.example", "\\evil.example", "https://evil.example/",
        "/\t/evil.example", "/%09/evil.example", "/%0a/evil.example", "/%5cevil.example",
        "/\n/evil.example", "javascript:alert(1)", "/%20/evil.example", "evil.example"}) {
    EXPECT_EQ(safe_target(target), "/") << target;
  }
}

TEST(SafeTarget, OfTooManyBytesBecomesItsPathOrTheRoot) {
  const std::string long_query = "/path?q=" + std::string(kTargetLimit, 'a');
  EXPECT_EQ(safe_target(long_query), "/path");
  EXPECT_EQ(safe_target("/" + std::string(kTargetLimit, 'a')), "/");
}

TEST(Round, IsReadFromTheState) {
  EXPECT_EQ(round_of("abc"), 0U);
  EXPECT_EQ(round_of(StateParameter{"abc", 2}.str()), 2U);
  EXPECT_EQ(round_of("abc.99999999999999999999"), 0U);
  EXPECT_EQ(round_of("abc.-1"), 0U);
  EXPECT_EQ(round_of(""), 0U);
}

TEST(LoginCookies, BeyondTheLimitTheFirstOnesGo) {
  http::Headers headers;
  headers.add("Cookie", "other=1; gatehouse_login_a=1; gatehouse_login_b=1; gatehouse_login_c=1");
  EXPECT_TRUE(surplus_login_cookies(headers, "gatehouse_login_").empty());
  headers.add("Cookie",
              "gatehouse_login_d=1; gatehouse_login_e=1; gatehouse_login_f=1; gatehouse_login_g=1");
  EXPECT_EQ(surplus_login_cookies(headers, "gatehouse_login_"),
            (std::vector<std::string>{"gatehouse_login_a", "gatehouse_login_b"}));
}

}  // namespace
}  // namespace gatehouse::gatekeeper
