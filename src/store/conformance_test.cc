// What each operation of the contract promises, held against every backend.
#include "store/conformance.h"

#include <limits>

namespace gatehouse::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Backends, ConformanceTest, testing::ValuesIn(backends()), backend_name);

User user(std::string id, std::string email) {
  return {.id = std::move(id),
          .email = std::move(email),
          .username = "ada",
          .name = "Ada Lövelace",
          .groups = {"team-a", "with \"quotes\", and commas", ""},
          .password_hash = "$argon2id$…",
          .disabled = false,
          .created = at(0) + std::chrono::microseconds(123456),
          .updated = at(1)};
}

Key key(std::string purpose, std::string kid, WallTime created, WallTime expires = kNever) {
  return {.purpose = std::move(purpose),
          .kid = std::move(kid),
          .sealed = std::string("\0\xff sealed", 9),
          .created = created,
          .active_from = created + std::chrono::seconds(10),
          .retires = created + std::chrono::seconds(20),
          .expires = expires};
}

OneTime one_time(std::string hash, WallTime expires = at(600)) {
  return {.kind = "code", .hash = std::move(hash), .payload = "payload", .expires = expires};
}

RefreshToken refresh_token(std::string hash, std::string family, WallTime expires = at(600)) {
  return {.hash = std::move(hash),
          .family = std::move(family),
          .client_id = "client",
          .user_id = "user",
          .payload = R"({"scopes":["openid"]})",
          .created = at(0),
          .expires = expires};
}

Session session(std::string id, std::string owner, WallTime created = at(0),
                WallTime expires = at(600)) {
  return {.id = std::move(id),
          .user = std::move(owner),
          .email = "ada@example.com",
          .device = "Firefox on Linux",
          .address = "192.0.2.7",
          .created = created,
          .last_seen = created,
          .expires = expires};
}

// Users

TEST_P(ConformanceTest, UserIsFoundByIdAndByEmailAsItWasStored) {
  const User ada = user("u1", "ada@example.com");
  ASSERT_TRUE(call(&Transaction::create_user, ada));
  EXPECT_THAT(call(&Transaction::user_by_id, "u1").value(), Optional(ada));
  EXPECT_THAT(call(&Transaction::user_by_email, "ada@example.com").value(), Optional(ada));
}

TEST_P(ConformanceTest, UnknownUserIsNoError) {
  EXPECT_EQ(call(&Transaction::user_by_id, "none").value(), std::nullopt);
  EXPECT_EQ(call(&Transaction::user_by_email, "none@example.com").value(), std::nullopt);
}

TEST_P(ConformanceTest, EmailIsComparedByteByByte) {
  ASSERT_TRUE(call(&Transaction::create_user, user("u1", "ada@example.com")));
  EXPECT_EQ(call(&Transaction::user_by_email, "Ada@example.com").value(), std::nullopt);
  EXPECT_EQ(call(&Transaction::user_by_email, "ada@example.com ").value(), std::nullopt);
  EXPECT_EQ(call(&Transaction::user_by_email, std::string_view("ada@example.com\0", 16)).value(),
            std::nullopt);
}

TEST_P(ConformanceTest, SecondUserWithTheSameIdOrEmailIsAConflict) {
  ASSERT_TRUE(call(&Transaction::create_user, user("u1", "ada@example.com")));
  EXPECT_EQ(error_of(call(&Transaction::create_user, user("u1", "bob@example.com"))),
            ErrorCode::kConflict);
  EXPECT_EQ(error_of(call(&Transaction::create_user, user("u2", "ada@example.com"))),
            ErrorCode::kConflict);
  EXPECT_THAT(call(&Transaction::list_users, "", 10u).value(), SizeIs(1));
}

TEST_P(ConformanceTest, ConflictDoesNotShowTheValue) {
  ASSERT_TRUE(call(&Transaction::create_user, user("u1", "ada@example.com")));
  const auto conflict = call(&Transaction::create_user, user("u2", "ada@example.com"));
  EXPECT_THAT(conflict.error().message, testing::Not(testing::HasSubstr("ada@example.com")));
}

TEST_P(ConformanceTest, UpdateOfAUserChangesAllButItsCreation) {
  const User before = user("u1", "ada@example.com");
  ASSERT_TRUE(call(&Transaction::create_user, before));
  User changed = before;
  changed.email = "countess@example.com";
  changed.username = "countess";
  changed.name = "Countess";
  changed.groups = {};
  changed.password_hash = "";
  changed.disabled = true;
  changed.created = at(900);
  changed.updated = at(901);
  ASSERT_TRUE(call(&Transaction::update_user, changed));
  User expected = changed;
  expected.created = before.created;
  EXPECT_THAT(call(&Transaction::user_by_id, "u1").value(), Optional(expected));
  EXPECT_EQ(call(&Transaction::user_by_email, "ada@example.com").value(), std::nullopt);
}

TEST_P(ConformanceTest, UpdateOfAnUnknownUserIsNotFound) {
  EXPECT_EQ(error_of(call(&Transaction::update_user, user("u1", "ada@example.com"))),
            ErrorCode::kNotFound);
  EXPECT_THAT(call(&Transaction::list_users, "", 10u).value(), IsEmpty());
}

TEST_P(ConformanceTest, UpdateToAnothersEmailIsAConflict) {
  ASSERT_TRUE(call(&Transaction::create_user, user("u1", "ada@example.com")));
  ASSERT_TRUE(call(&Transaction::create_user, user("u2", "bob@example.com")));
  EXPECT_EQ(error_of(call(&Transaction::update_user, user("u2", "ada@example.com"))),
            ErrorCode::kConflict);
  EXPECT_EQ(call(&Transaction::user_by_email, "bob@example.com").value()->id, "u2");
}

TEST_P(ConformanceTest, UpdateThatKeepsTheEmailIsNoConflict) {
  ASSERT_TRUE(call(&Transaction::create_user, user("u1", "ada@example.com")));
  EXPECT_TRUE(call(&Transaction::update_user, user("u1", "ada@example.com")));
}

TEST_P(ConformanceTest, UsersAreListedByEmailInPages) {
  for (const char* const name : {"c", "a", "d", "b"}) {
    ASSERT_TRUE(call(&Transaction::create_user, user(std::string("id-") + name, name)));
  }
  const auto emails = [this](std::string_view after, std::size_t limit) {
    std::vector<std::string> out;
    for (const User& found : call(&Transaction::list_users, after, limit).value()) {
      out.push_back(found.email);
    }
    return out;
  };
  EXPECT_THAT(emails("", 2), ElementsAre("a", "b"));
  EXPECT_THAT(emails("b", 2), ElementsAre("c", "d"));
  EXPECT_THAT(emails("d", 2), IsEmpty());
  EXPECT_THAT(emails("", 0), IsEmpty());
  EXPECT_THAT(emails("", std::numeric_limits<std::size_t>::max()), SizeIs(4));
}

TEST_P(ConformanceTest, SqlInjectionInAValueIsAValue) {
  const std::string hostile = "'; DROP TABLE users; --";
  ASSERT_TRUE(call(&Transaction::create_user, user(hostile, hostile)));
  EXPECT_EQ(call(&Transaction::user_by_email, hostile).value()->id, hostile);
  EXPECT_EQ(call(&Transaction::user_by_email, "' OR '1'='1").value(), std::nullopt);
}

// Keys

TEST_P(ConformanceTest, KeysOfAPurposeComeOldestFirst) {
  const Key younger = key("session", "k-a", at(100));
  const Key older = key("session", "k-b", at(50));
  ASSERT_TRUE(call(&Transaction::add_key, younger));
  ASSERT_TRUE(call(&Transaction::add_key, older));
  ASSERT_TRUE(call(&Transaction::add_key, key("login", "k-c", at(1))));
  EXPECT_THAT(call(&Transaction::keys, "session").value(), ElementsAre(older, younger));
  EXPECT_THAT(call(&Transaction::keys, "sign/RS256").value(), IsEmpty());
}

TEST_P(ConformanceTest, KidIsUniqueWithinItsPurpose) {
  ASSERT_TRUE(call(&Transaction::add_key, key("session", "k", at(0))));
  EXPECT_EQ(error_of(call(&Transaction::add_key, key("session", "k", at(1)))),
            ErrorCode::kConflict);
  EXPECT_TRUE(call(&Transaction::add_key, key("login", "k", at(0))));
}

TEST_P(ConformanceTest, UpdateOfAKeyChangesThatKeyAlone) {
  const Key other = key("login", "k", at(0));
  ASSERT_TRUE(call(&Transaction::add_key, key("session", "k", at(0))));
  ASSERT_TRUE(call(&Transaction::add_key, other));
  Key changed = key("session", "k", at(5), at(99));
  changed.sealed = "sealed anew";
  ASSERT_TRUE(call(&Transaction::update_key, changed));
  EXPECT_THAT(call(&Transaction::keys, "session").value(), ElementsAre(changed));
  EXPECT_THAT(call(&Transaction::keys, "login").value(), ElementsAre(other));
  EXPECT_EQ(error_of(call(&Transaction::update_key, key("session", "none", at(0)))),
            ErrorCode::kNotFound);
}

// Values

TEST_P(ConformanceTest, ValueIsReplacedAndHoldsAnyBytes) {
  const std::string bytes("\0\xff'\"\n", 5);
  EXPECT_EQ(call(&Transaction::value, "secret").value(), std::nullopt);
  ASSERT_TRUE(call(&Transaction::set_value, "secret", "first"));
  ASSERT_TRUE(call(&Transaction::set_value, "secret", bytes));
  ASSERT_TRUE(call(&Transaction::set_value, "empty", ""));
  EXPECT_EQ(call(&Transaction::value, "secret").value(), bytes);
  EXPECT_EQ(call(&Transaction::value, "empty").value(), "");
}

// One-time values

TEST_P(ConformanceTest, OneTimeValueIsTakenOnce) {
  const OneTime item{.kind = "code",
                     .hash = std::string("\0\xfe hash", 7),
                     .payload = std::string("\0 payload", 9),
                     .expires = at(60)};
  ASSERT_TRUE(call(&Transaction::put_one_time, item));
  EXPECT_THAT(call(&Transaction::take_one_time, "code", item.hash).value(), Optional(item));
  EXPECT_EQ(call(&Transaction::take_one_time, "code", item.hash).value(), std::nullopt);
}

TEST_P(ConformanceTest, OneTimeValueOfAnotherKindIsNotTaken) {
  ASSERT_TRUE(call(&Transaction::put_one_time, one_time("h")));
  EXPECT_EQ(call(&Transaction::take_one_time, "state", "h").value(), std::nullopt);
  EXPECT_EQ(call(&Transaction::take_one_time, "code", "H").value(), std::nullopt);
  EXPECT_TRUE(call(&Transaction::take_one_time, "code", "h").value());
}

TEST_P(ConformanceTest, SecondOneTimeValueUnderTheSameHashIsAConflict) {
  ASSERT_TRUE(call(&Transaction::put_one_time, one_time("h")));
  EXPECT_EQ(error_of(call(&Transaction::put_one_time, one_time("h"))), ErrorCode::kConflict);
  OneTime other_kind = one_time("h");
  other_kind.kind = "state";
  EXPECT_TRUE(call(&Transaction::put_one_time, other_kind));
}

TEST_P(ConformanceTest, ExpiredOneTimeValueIsStillGivenForTheCallerToJudge) {
  ASSERT_TRUE(call(&Transaction::put_one_time, one_time("h", at(-1000))));
  EXPECT_EQ(call(&Transaction::take_one_time, "code", "h").value()->expires, at(-1000));
}

// Refresh tokens

TEST_P(ConformanceTest, RefreshTokenComesBackAsItWasStoredAndUpdated) {
  RefreshToken token = refresh_token(std::string("\0\xff", 2), "family");
  ASSERT_TRUE(call(&Transaction::add_refresh_token, token));
  EXPECT_THAT(call(&Transaction::refresh_token, token.hash).value(), Optional(token));
  token.rotated = true;
  token.rotated_at = at(30);
  token.successor = std::string("\0sealed", 7);
  ASSERT_TRUE(call(&Transaction::update_refresh_token, token));
  EXPECT_THAT(call(&Transaction::refresh_token, token.hash).value(), Optional(token));
  EXPECT_EQ(call(&Transaction::refresh_token, "other").value(), std::nullopt);
}

TEST_P(ConformanceTest, RefreshTokenOfTheSameHashIsAConflictAndAnUnknownOneNotFound) {
  ASSERT_TRUE(call(&Transaction::add_refresh_token, refresh_token("h", "f")));
  EXPECT_EQ(error_of(call(&Transaction::add_refresh_token, refresh_token("h", "g"))),
            ErrorCode::kConflict);
  EXPECT_EQ(error_of(call(&Transaction::update_refresh_token, refresh_token("none", "f"))),
            ErrorCode::kNotFound);
}

TEST_P(ConformanceTest, RefreshReuseRevokesTheWholeFamilyAndNoOther) {
  ASSERT_TRUE(call(&Transaction::add_refresh_token, refresh_token("h1", "family")));
  ASSERT_TRUE(call(&Transaction::add_refresh_token, refresh_token("h2", "family")));
  ASSERT_TRUE(call(&Transaction::add_refresh_token, refresh_token("h3", "family-2")));
  EXPECT_EQ(call(&Transaction::revoke_family, "family").value(), 2u);
  EXPECT_EQ(call(&Transaction::revoke_family, "family").value(), 0u);
  EXPECT_EQ(call(&Transaction::refresh_token, "h1").value(), std::nullopt);
  EXPECT_EQ(call(&Transaction::refresh_token, "h2").value(), std::nullopt);
  EXPECT_TRUE(call(&Transaction::refresh_token, "h3").value());
}

// Sessions

TEST_P(ConformanceTest, SessionComesBackAsItWasStored) {
  const Session stored = session("s1", "ada");
  ASSERT_TRUE(call(&Transaction::add_session, stored));
  EXPECT_THAT(call(&Transaction::session, "s1").value(), Optional(stored));
  EXPECT_EQ(call(&Transaction::session, "s2").value(), std::nullopt);
  EXPECT_EQ(error_of(call(&Transaction::add_session, session("s1", "bob"))), ErrorCode::kConflict);
}

TEST_P(ConformanceTest, SessionsOfAUserComeNewestFirst) {
  const Session older = session("s-b", "ada", at(1));
  const Session newer = session("s-a", "ada", at(2));
  ASSERT_TRUE(call(&Transaction::add_session, older));
  ASSERT_TRUE(call(&Transaction::add_session, newer));
  ASSERT_TRUE(call(&Transaction::add_session, session("s-c", "bob")));
  EXPECT_THAT(call(&Transaction::sessions_of, "ada").value(), ElementsAre(newer, older));
  EXPECT_THAT(call(&Transaction::sessions_of, "nobody").value(), IsEmpty());
}

// Revocation

auto is_entry(std::string id, WallTime expires) {
  return AllOf(Field(&Revocation::session_id, std::move(id)), Field(&Revocation::expires, expires));
}

TEST_P(ConformanceTest, RevokingASessionMarksItAndLogsItOnce) {
  ASSERT_TRUE(call(&Transaction::add_session, session("s1", "ada")));
  EXPECT_TRUE(call(&Transaction::revoke_session, "s1", at(600)).value());
  EXPECT_FALSE(call(&Transaction::revoke_session, "s1", at(600)).value());
  EXPECT_TRUE(call(&Transaction::session, "s1").value()->revoked);
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(),
              ElementsAre(is_entry("s1", at(600))));
}

TEST_P(ConformanceTest, RevokingAnUnknownSessionIsLoggedOnceSoThatItsCookieIsRefused) {
  EXPECT_FALSE(call(&Transaction::revoke_session, "stranger", at(700)).value());
  EXPECT_FALSE(call(&Transaction::revoke_session, "stranger", at(700)).value());
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(),
              ElementsAre(is_entry("stranger", at(700))));
  EXPECT_EQ(call(&Transaction::session, "stranger").value(), std::nullopt);
}

TEST_P(ConformanceTest, RevokingAnUnknownSessionForLongerIsLoggedAgain) {
  (void)call(&Transaction::revoke_session, "stranger", at(700));
  (void)call(&Transaction::revoke_session, "stranger", at(900));
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(),
              ElementsAre(is_entry("stranger", at(700)), is_entry("stranger", at(900))));
}

TEST_P(ConformanceTest, RevocationLastsUntilTheLaterEnd) {
  ASSERT_TRUE(call(&Transaction::add_session, session("short", "ada", at(0), at(100))));
  ASSERT_TRUE(call(&Transaction::add_session, session("long", "ada", at(0), at(900))));
  ASSERT_TRUE(call(&Transaction::revoke_session, "short", at(500)).value());
  ASSERT_TRUE(call(&Transaction::revoke_session, "long", at(500)).value());
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(),
              ElementsAre(is_entry("short", at(500)), is_entry("long", at(900))));
}

TEST_P(ConformanceTest, RevocationsAreReadInOrderFromAnyPoint) {
  for (const char* const id : {"c", "a", "b"}) {
    (void)call(&Transaction::revoke_session, id, at(700));
  }
  const auto all = call(&Transaction::revocations_after, 0, 10u).value();
  ASSERT_THAT(all,
              ElementsAre(is_entry("c", at(700)), is_entry("a", at(700)), is_entry("b", at(700))));
  EXPECT_LT(all[0].sequence, all[1].sequence);
  EXPECT_LT(all[1].sequence, all[2].sequence);
  EXPECT_THAT(call(&Transaction::revocations_after, all[0].sequence, 1u).value(),
              ElementsAre(all[1]));
  EXPECT_THAT(call(&Transaction::revocations_after, all[2].sequence, 10u).value(), IsEmpty());
}

TEST_P(ConformanceTest, SequenceNumbersGrowEvenWhenTheLogWasCollectedEmpty) {
  (void)call(&Transaction::revoke_session, "a", at(10));
  const auto first = call(&Transaction::revocations_after, 0, 10u).value().at(0).sequence;
  EXPECT_EQ(call(&Transaction::collect_expired, at(20), 10u).value(), 1u);
  (void)call(&Transaction::revoke_session, "b", at(30));
  const auto second = call(&Transaction::revocations_after, 0, 10u).value().at(0).sequence;
  EXPECT_GT(second, first);
}

// Collection

TEST_P(ConformanceTest, CollectsWhatHasExpiredInEveryTableAndNothingElse) {
  for (const auto& [suffix, expires] : {std::pair("-old", at(10)), std::pair("-new", at(11))}) {
    const std::string end = suffix;
    ASSERT_TRUE(call(&Transaction::put_one_time, one_time("h" + end, expires)));
    ASSERT_TRUE(call(&Transaction::add_refresh_token, refresh_token("h" + end, "f", expires)));
    ASSERT_TRUE(call(&Transaction::add_session, session("s" + end, "ada", at(0), expires)));
    ASSERT_TRUE(call(&Transaction::add_key, key("session", "k" + end, at(0), expires)));
    ASSERT_TRUE(call(&Transaction::revoke_session, "r" + end, expires));
  }
  EXPECT_EQ(call(&Transaction::collect_expired, at(10), 100u).value(), 5u);
  EXPECT_EQ(call(&Transaction::collect_expired, at(10), 100u).value(), 0u);
  EXPECT_EQ(call(&Transaction::take_one_time, "code", "h-old").value(), std::nullopt);
  EXPECT_TRUE(call(&Transaction::take_one_time, "code", "h-new").value());
  EXPECT_EQ(call(&Transaction::refresh_token, "h-old").value(), std::nullopt);
  EXPECT_TRUE(call(&Transaction::refresh_token, "h-new").value());
  EXPECT_THAT(call(&Transaction::sessions_of, "ada").value(),
              ElementsAre(Field(&Session::id, "s-new")));
  EXPECT_THAT(call(&Transaction::keys, "session").value(), ElementsAre(Field(&Key::kid, "k-new")));
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(),
              ElementsAre(is_entry("r-new", at(11))));
}

TEST_P(ConformanceTest, CollectsAtMostTheLimitInOneStep) {
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(call(&Transaction::put_one_time, one_time("h" + std::to_string(i), at(1))));
    ASSERT_TRUE(
        call(&Transaction::add_session, session("s" + std::to_string(i), "ada", at(0), at(1))));
  }
  EXPECT_EQ(call(&Transaction::collect_expired, at(5), 0u).value(), 0u);
  EXPECT_EQ(call(&Transaction::collect_expired, at(5), 5u).value(), 5u);
  EXPECT_EQ(call(&Transaction::collect_expired, at(5), 5u).value(), 5u);
  EXPECT_EQ(call(&Transaction::collect_expired, at(5), 5u).value(), 4u);
  EXPECT_EQ(call(&Transaction::collect_expired, at(5), 5u).value(), 0u);
}

TEST_P(ConformanceTest, KeyThatNeverExpiresIsNeverCollected) {
  ASSERT_TRUE(call(&Transaction::add_key, key("seal-check", "k", at(0), kNever)));
  EXPECT_EQ(call(&Transaction::collect_expired, at(1'000'000'000), 10u).value(), 0u);
  EXPECT_THAT(call(&Transaction::keys, "seal-check").value(), SizeIs(1));
}

}  // namespace
}  // namespace gatehouse::store
