#include "gateway/upstream/stickiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/hash.h"
#include "gateway/upstream/test_service.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class StickinessTest : public testing::Test {
 protected:
  Stickiness::Key key(const config::LoadBalancer& settings, const http::Headers& headers = {},
                      Client client = {}) {
    http::Request request;
    request.headers = headers;
    return Stickiness(settings, entropy_).key_of(request, client, random_);
  }
  static http::Headers headers(std::string_view name, std::string_view value) {
    http::Headers out;
    out.add(name, value);
    return out;
  }

  TestEntropy entropy_;
  RandomSequence random_{entropy_};
};

TEST_F(StickinessTest, TheFirstThatIsThereIsTheKey) {
  const config::LoadBalancer all{.cookie = "c", .header = "X-Key", .source_ip = true};
  http::Headers both = headers("Cookie", "a=1; c=one");
  both.add("X-Key", "two");
  const Client client{.address = "192.0.2.1", .user = "alice"};
  EXPECT_EQ(key(all, both, client).hash, hash_bytes("one"));
  EXPECT_EQ(key(all, headers("x-key", "two"), client).hash, hash_bytes("two"));
  EXPECT_EQ(key(all, {}, client).hash, hash_bytes("192.0.2.1"));
  EXPECT_EQ(key({}, {}, client).hash, hash_bytes("alice"));
  EXPECT_NE(key({}).hash, key({}).hash);  // chance
}

TEST_F(StickinessTest, ACookieIsGivenOnlyWithATtl) {
  EXPECT_FALSE(key({.cookie = "c"}).set_cookie);
  EXPECT_FALSE(key({.cookie = "c", .cookie_ttl = seconds(5)}, headers("Cookie", "c=x")).set_cookie);
  EXPECT_TRUE(key({.cookie = "c", .cookie_ttl = seconds(5)}, headers("Cookie", "c=")).set_cookie);
}

TEST_F(StickinessTest, TheCookieThatIsGivenHasTheKeyOfTheNextRequest) {
  const config::LoadBalancer settings{
      .cookie = "c", .cookie_path = "/app", .cookie_ttl = seconds(5)};
  const Stickiness::Key given = key(settings);
  ASSERT_TRUE(given.set_cookie);
  EXPECT_THAT(*given.set_cookie,
              MatchesRegex("c=[A-Za-z0-9_-]{16}; Path=/app; Max-Age=5; HttpOnly; SameSite=Lax"));
  const std::string pair = given.set_cookie->substr(0, given.set_cookie->find(';'));
  EXPECT_EQ(key(settings, headers("Cookie", pair)).hash, given.hash);
  EXPECT_NE(key(settings).hash, given.hash);
}

TEST_F(StickinessTest, TheCookieIsSecureWhereTheClientIs) {
  const config::LoadBalancer settings{.cookie = "c", .cookie_ttl = seconds(5)};
  EXPECT_THAT(*key(settings, {}, {.secure = true}).set_cookie, HasSubstr("; Secure"));
  EXPECT_THAT(*key(settings, {}, {.secure = false}).set_cookie, Not(HasSubstr("; Secure")));
}

TEST_F(StickinessTest, ACookieThatCouldNotBeSetIsRefused) {
  EXPECT_TRUE(Stickiness::check({}));
  EXPECT_TRUE(Stickiness::check({.cookie = "c", .cookie_path = "/a"}));
  EXPECT_FALSE(Stickiness::check({.cookie = "c=d"}));
  EXPECT_FALSE(Stickiness::check({.cookie = "c", .cookie_path = "a"}));
  EXPECT_FALSE(Stickiness::check({.cookie = "c", .cookie_path = "/a; Domain=b"}));
  EXPECT_FALSE(Stickiness::check({.cookie = "c", .cookie_path = "/a\r\nb"}));
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
