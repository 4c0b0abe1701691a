#include "crypto/password.h"

#include <gtest/gtest.h>

#include "crypto/random.h"

namespace gatehouse::crypto {
namespace {

constexpr Argon2Cost kCheap{.memory_kib = 64, .passes = 1, .lanes = 1};

Secret secret(std::string_view text) {
  return Secret(std::string(text));
}

// Made by the command-line program of the Argon2 reference implementation.
constexpr std::string_view kArgon2 =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR2YWx1ZQ$E4bWnf1NNoSOIk+WxczBezF1m99JOyhSULfA7OgYgNM";
constexpr std::string_view kArgon2FourLanes =
    "$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$F1jG2CV3/Nr+yRuIsPKw0J9r4s7cJHBU";
// "U*U", from the tests of crypt_blowfish.
constexpr std::string_view kBcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

std::string with(std::string_view hash, std::string_view part, std::string_view other) {
  std::string changed(hash);
  changed.replace(changed.find(part), part.size(), other);
  return changed;
}

TEST(HashPassword, MakesAnArgon2idHashThatOnlyItsPasswordOpens) {
  SystemEntropy entropy;
  const auto hash = hash_password(secret("correct horse"), entropy, kCheap);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << *hash;
  EXPECT_TRUE(is_password_hash(*hash));
  EXPECT_TRUE(verify_password(secret("correct horse"), *hash));
  EXPECT_FALSE(verify_password(secret("correct horsf"), *hash));
  EXPECT_FALSE(verify_password(secret("correct horse "), *hash));
  EXPECT_FALSE(verify_password(secret(""), *hash));
}

TEST(HashPassword, CostsWhatOwaspAdvisesUnlessTold) {
  SystemEntropy entropy;
  const auto hash = hash_password(secret("x"), entropy);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
}

TEST(HashPassword, SaltsEachHashAfresh) {
  SystemEntropy entropy;
  EXPECT_NE(hash_password(secret("same"), entropy, kCheap).value(),
            hash_password(secret("same"), entropy, kCheap).value());
}

TEST(HashPassword, RefusesACostThatItWouldNotVerify) {
  SystemEntropy entropy;
  for (const Argon2Cost cost :
       {Argon2Cost{256 * 1024 + 1, 1, 1}, Argon2Cost{64, 17, 1}, Argon2Cost{64, 0, 1},
        Argon2Cost{64, 1, 0}, Argon2Cost{4096, 1, 17}, Argon2Cost{15, 1, 2}}) {
    const auto hash = hash_password(secret("x"), entropy, cost);
    ASSERT_FALSE(hash) << cost.memory_kib << " " << cost.passes << " " << cost.lanes;
    EXPECT_EQ(hash.error().code, ErrorCode::kInvalid);
  }
}

TEST(HashPassword, RefusesAPasswordOfAbsurdLength) {
  SystemEntropy entropy;
  EXPECT_TRUE(hash_password(Secret(std::string(4096, 'x')), entropy, kCheap));
  EXPECT_FALSE(hash_password(Secret(std::string(4097, 'x')), entropy, kCheap));
  EXPECT_FALSE(verify_password(Secret(std::string(4097, 'x')), kArgon2));
}

TEST(HashPassword, SeesBytesBeyondANul) {
  SystemEntropy entropy;
  const auto hash = hash_password(secret({"a\0b", 3}), entropy, kCheap);
  EXPECT_TRUE(verify_password(secret({"a\0b", 3}), *hash));
  EXPECT_FALSE(verify_password(secret({"a\0c", 3}), *hash));
  EXPECT_FALSE(verify_password(secret("a"), *hash));
}

TEST(VerifyPassword, AcceptsArgon2idOfTheReferenceImplementation) {
  EXPECT_TRUE(verify_password(secret("correct horse"), kArgon2));
  EXPECT_FALSE(verify_password(secret("wrong horse"), kArgon2));
  EXPECT_TRUE(verify_password(secret("password"), kArgon2FourLanes));
}

TEST(VerifyPassword, AcceptsBcryptInItsThreeSpellings) {
  EXPECT_TRUE(verify_password(secret("U*U"), kBcrypt));
  EXPECT_TRUE(verify_password(secret("U*U"), with(kBcrypt, "$2a$", "$2b$")));
  EXPECT_TRUE(verify_password(secret("U*U"), with(kBcrypt, "$2a$", "$2y$")));
  EXPECT_FALSE(verify_password(secret("U*V"), kBcrypt));
  EXPECT_FALSE(verify_password(secret(""), kBcrypt));
}

TEST(VerifyPassword, AcceptsTheBcryptHashOfDexsOwnExample) {
  // "password", from the configuration that Dex's documentation gives.
  constexpr std::string_view hash = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W";
  EXPECT_TRUE(verify_password(secret("password"), hash));
  EXPECT_FALSE(verify_password(secret("Password"), hash));
}

TEST(VerifyPassword, RefusesANulThatWouldHideTheRestFromBcrypt) {
  EXPECT_FALSE(verify_password(secret({"U*U\0anything", 12}), kBcrypt));
}

TEST(VerifyPassword, RefusesArgon2OverTheCostLimits) {
  for (const auto& hash :
       {with(kArgon2, "m=256", "m=262145"), with(kArgon2, "m=256", "m=4294967295"),
        with(kArgon2, "m=256", "m=4294967552"), with(kArgon2, "t=2", "t=17"),
        with(kArgon2, "p=1", "p=17"), with(kArgon2, "p=1", "p=4294967295")}) {
    EXPECT_FALSE(is_password_hash(hash)) << hash;
    EXPECT_FALSE(verify_password(secret("correct horse"), hash)) << hash;
  }
  EXPECT_TRUE(is_password_hash(with(kArgon2, "m=256", "m=262144")));
  EXPECT_TRUE(is_password_hash(with(kArgon2, "t=2", "t=16")));
}

TEST(VerifyPassword, RefusesBcryptOverOrUnderTheCostLimits) {
  EXPECT_TRUE(is_password_hash(with(kBcrypt, "$05$", "$16$")));
  for (const char* const cost : {"$17$", "$31$", "$99$", "$03$", "$00$", "$5x$", "$ 5$"}) {
    const std::string hash = with(kBcrypt, "$05$", cost);
    EXPECT_FALSE(is_password_hash(hash)) << hash;
    EXPECT_FALSE(verify_password(secret("U*U"), hash)) << hash;
  }
}

TEST(VerifyPassword, RefusesFormsThatAreNotAccepted) {
  const std::string argon2(kArgon2);
  for (const std::string& hash : {
           std::string(),
           std::string("password"),
           std::string("$"),
           with(kArgon2, "argon2id", "argon2i"),
           with(kArgon2, "argon2id", "argon2d"),
           with(kArgon2, "v=19", "v=16"),
           with(kArgon2, "v=19$", ""),
           with(kArgon2, "m=256", "m=0"),
           with(kArgon2, "m=256", "m=-1"),
           with(kArgon2, "m=256", "m=0256"),
           with(kArgon2, "m=256", "m="),
           with(kArgon2, "t=2", "t=0"),
           with(kArgon2, "p=1", "p=0"),
           with(kArgon2, "c29tZXNhbHR2YWx1ZQ", ""),
           with(kArgon2, "c29tZXNhbHR2YWx1ZQ", "c29"),
           with(kArgon2, "c29tZXNhbHR2YWx1ZQ", "c29tZXNhbHR2YWx1Z!"),
           argon2 + "=",
           argon2 + " ",
           argon2 + '\0',
           " " + argon2,
           argon2.substr(0, argon2.rfind('$')),
           argon2.substr(0, argon2.rfind('$') + 1),
           argon2 + "$",
           with(kBcrypt, "$2a$", "$2x$"),
           with(kBcrypt, "$2a$", "$1$a"),
           std::string(kBcrypt) + "x",
           std::string(kBcrypt.substr(0, 59)),
           with(kBcrypt, "E5YP", "E5*P"),
           std::string("$6$salt$hash"),
           std::string("*0"),
           std::string("{SHA}W6ph5Mm5Pz8="),
       }) {
    EXPECT_FALSE(is_password_hash(hash)) << hash;
    EXPECT_FALSE(verify_password(secret("correct horse"), hash)) << hash;
  }
}

TEST(NeedsRehash, IsTrueOfBcryptAndOfACheaperArgon2id) {
  EXPECT_TRUE(needs_rehash(kBcrypt));
  EXPECT_TRUE(needs_rehash(kArgon2));
  EXPECT_TRUE(needs_rehash("not a hash"));
  EXPECT_FALSE(needs_rehash(kArgon2, {.memory_kib = 256, .passes = 2, .lanes = 1}));
  EXPECT_FALSE(needs_rehash(kArgon2, {.memory_kib = 128, .passes = 1, .lanes = 1}));
  EXPECT_TRUE(needs_rehash(kArgon2, {.memory_kib = 256, .passes = 3, .lanes = 1}));
  EXPECT_TRUE(needs_rehash(kArgon2, {.memory_kib = 257, .passes = 2, .lanes = 1}));
}

}  // namespace
}  // namespace gatehouse::crypto
