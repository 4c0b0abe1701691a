#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/encoding.h"

namespace gatehouse::crypto {
namespace {

std::string unhex(std::string_view text) {
  return hex_decode(text).value();
}

std::string hex_tag(HmacSha256& key, std::string_view bytes) {
  const auto tag = key.sign(bytes);
  return hex_encode({reinterpret_cast<const char*>(tag.data()), tag.size()});
}

TEST(Sha256, GivesTheDigestsOfFips180) {
  EXPECT_EQ(hex_encode(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

struct HmacCase {
  const char* name;
  std::string key;
  std::string data;
  const char* tag;
};

std::vector<HmacCase> rfc4231_cases() {
  return {
      {"1", std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"2", "Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"3", std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"4", unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {"6", std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"7", std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
}

TEST(HmacSha256, GivesTheTagsOfRfc4231) {
  for (const HmacCase& c : rfc4231_cases()) {
    HmacSha256 key{Secret(c.key)};
    EXPECT_EQ(hex_tag(key, c.data), c.tag) << "test case " << c.name;
  }
}

TEST(HmacSha256, GivesTheSameTagEachTimeItsContextIsReused) {
  HmacSha256 key{Secret("Jefe")};
  const std::string first = hex_tag(key, "what do ya want for nothing?");
  EXPECT_NE(hex_tag(key, "something else"), first);
  EXPECT_NE(hex_tag(key, ""), first);
  EXPECT_EQ(hex_tag(key, "what do ya want for nothing?"), first);
}

TEST(HmacSha256, KeepsItsKeyWhenMoved) {
  HmacSha256 key{Secret("Jefe")};
  const std::string tag = hex_tag(key, "x");
  HmacSha256 moved(std::move(key));
  EXPECT_EQ(hex_tag(moved, "x"), tag);
  HmacSha256 assigned{Secret("another")};
  assigned = std::move(moved);
  EXPECT_EQ(hex_tag(assigned, "x"), tag);
}

TEST(HmacSha256, TakesAnEmptyKeyForWhatItIs) {
  HmacSha256 key{Secret()};
  EXPECT_EQ(hex_tag(key, ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HmacSha256, VerifiesOnlyTheWholeUnchangedTag) {
  HmacSha256 key{Secret("k")};
  const auto bytes = key.sign("message");
  const std::string tag(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(key.verify("message", tag));
  EXPECT_FALSE(key.verify("messagE", tag));
  EXPECT_FALSE(key.verify("message", ""));
  EXPECT_FALSE(key.verify("message", tag.substr(0, 31)));
  EXPECT_FALSE(key.verify("message", tag + '\0'));
  for (std::size_t i = 0; i < tag.size(); ++i) {
    std::string changed = tag;
    changed[i] ^= 1;
    EXPECT_FALSE(key.verify("message", changed)) << "byte " << i;
  }
}

TEST(DeriveKey, GivesTheBytesOfRfc5869Case3) {
  const Secret derived = derive_key(Secret(std::string(22, '\x0b')), "", 42);
  EXPECT_EQ(hex_encode(derived.reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(DeriveKey, FollowsRfc5869WithAPurpose) {
  // RFC 5869 §2 told in HMACs: PRK = HMAC(zeros, master), T(1) = HMAC(PRK, info ‖ 01).
  HmacSha256 extract{Secret(std::string(32, '\0'))};
  const auto prk = extract.sign("the master key of this test, long enough");
  HmacSha256 expand{Secret(std::string(reinterpret_cast<const char*>(prk.data()), prk.size()))};
  const Secret derived =
      derive_key(Secret("the master key of this test, long enough"), "cookie keys");
  EXPECT_EQ(hex_encode(derived.reveal()), hex_tag(expand, "cookie keys\x01"));
}

TEST(DeriveKey, GivesAnotherKeyForAnotherPurposeOrMaster) {
  const Secret master("0123456789abcdef0123456789abcdef");
  const Secret key = derive_key(master, "a");
  EXPECT_EQ(key.reveal().size(), 32u);
  EXPECT_NE(key.reveal(), derive_key(master, "b").reveal());
  EXPECT_NE(key.reveal(), derive_key(Secret("1123456789abcdef0123456789abcdef"), "a").reveal());
}

}  // namespace
}  // namespace gatehouse::crypto
