#include "crypto/sealer.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "crypto/random.h"

namespace gatehouse::crypto {
namespace {

/// Always the same bytes, so that a sealed value can be compared with a published one.
class FixedEntropy final : public Entropy {
 public:
  explicit FixedEntropy(std::string bytes) : bytes_(std::move(bytes)) {}
  void fill(std::span<std::uint8_t> out) override {
    std::copy_n(bytes_.begin(), out.size(), out.begin());
  }

 private:
  std::string bytes_;
};

Secret key_of(char byte) {
  return Secret(std::string(32, byte));
}

TEST(Sealer, SealsAsTheGcmSpecificationsCase16) {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
  FixedEntropy nonce(hex_decode("cafebabefacedbaddecaf888").value());
  const Secret key(
      hex_decode("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").value());
  Sealer sealer(key, nonce);
  const std::string plain =
      hex_decode(
          "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
          "49a6b525b16aedf5aa0de657ba637b39")
          .value();
  const std::string data = hex_decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").value();
  EXPECT_EQ(
      hex_encode(sealer.seal(plain, data)),
      "cafebabefacedbaddecaf888"
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
      "56828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b");
}

TEST(Sealer, OpensWhatItSealed) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  for (const std::size_t size : {0, 1, 15, 16, 17, 4096}) {
    const std::string plain(size, 'x');
    const auto opened = sealer.open(sealer.seal(plain, "purpose"), "purpose");
    ASSERT_TRUE(opened) << size;
    EXPECT_EQ(*opened, plain);
  }
}

TEST(Sealer, OpensWhatAnotherSealerOfTheSameKeySealed) {
  SystemEntropy entropy;
  Sealer first(key_of('k'), entropy);
  Sealer second(key_of('k'), entropy);
  EXPECT_EQ(second.open(first.seal("value", "p"), "p").value(), "value");
}

TEST(Sealer, UsesAFreshNonceEachTime) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  const std::string a = sealer.seal("same", "p");
  const std::string b = sealer.seal("same", "p");
  EXPECT_NE(a.substr(0, 12), b.substr(0, 12));
  EXPECT_NE(a.substr(12), b.substr(12));
}

TEST(Sealer, RefusesAChangeOfAnyByte) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  const std::string sealed = sealer.seal("a small value", "p");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] ^= 1;
    const auto opened = sealer.open(changed, "p");
    ASSERT_FALSE(opened) << "byte " << i;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  }
  EXPECT_TRUE(sealer.open(sealed, "p")) << "a refusal must not disturb the next call";
}

TEST(Sealer, RefusesAShortenedOrLengthenedValue) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  const std::string sealed = sealer.seal("a small value", "p");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.open(sealed.substr(0, size), "p")) << size;
  }
  EXPECT_FALSE(sealer.open(sealed + "x", "p"));
}

TEST(Sealer, RefusesAnotherPurposeAndAnotherKey) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  Sealer stranger(key_of('l'), entropy);
  const std::string sealed = sealer.seal("value", "login state");
  EXPECT_FALSE(sealer.open(sealed, "session"));
  EXPECT_FALSE(sealer.open(sealed, ""));
  EXPECT_FALSE(sealer.open(sealed, "login statf"));
  EXPECT_FALSE(stranger.open(sealed, "login state"));
}

TEST(Sealer, SaysTheSameOfEveryRefusal) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  const std::string sealed = sealer.seal("value", "p");
  const std::string short_one = sealer.open("x", "p").error().message;
  EXPECT_EQ(sealer.open(sealed, "q").error().message, short_one);
}

TEST(Sealer, LeavesNoErrorForOthersAfterARefusal) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  EXPECT_FALSE(sealer.open(std::string(60, 'x'), "p"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Sealer, MovesWithItsKey) {
  SystemEntropy entropy;
  Sealer sealer(key_of('k'), entropy);
  const std::string sealed = sealer.seal("value", "p");
  Sealer moved(std::move(sealer));
  EXPECT_EQ(moved.open(sealed, "p").value(), "value");
}

TEST(SealerDeathTest, TakesNoKeyOfAnotherSize) {
  SystemEntropy entropy;
  EXPECT_DEATH(Sealer(Secret("short"), entropy), "32 bytes");
}

}  // namespace
}  // namespace gatehouse::crypto
