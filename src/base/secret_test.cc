#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <ostream>
#include <type_traits>

namespace gatehouse {
namespace {

constexpr std::string_view kShort = "hunter2";
const std::string kLong(200, 'S');

/// A Secret in memory that is looked at after its end.
class Grave {
 public:
  explicit Grave(std::string_view bytes) { new (&memory_) Secret(std::string(bytes)); }
  Secret& secret() { return *std::launder(reinterpret_cast<Secret*>(&memory_)); }
  /// Ends the secret; true if its object's memory held `bytes` before and holds them no more.
  bool buries(std::string_view bytes) {
    const bool before = holds(bytes);
    secret().~Secret();
    return before && !holds(bytes);
  }
  bool holds(std::string_view bytes) const {
    return std::string_view(reinterpret_cast<const char*>(&memory_), sizeof(memory_)).find(bytes) !=
           std::string_view::npos;
  }

 private:
  alignas(Secret) unsigned char memory_[sizeof(Secret)] = {};
};

TEST(SecretTest, ShortSecretIsWipedWhenItGoes) {
  Grave grave(kShort);
  EXPECT_TRUE(grave.buries(kShort));
}

TEST(SecretTest, MovedFromSecretKeepsNothing) {
  Grave grave(kShort);
  const Secret taken = std::move(grave.secret());
  EXPECT_EQ(taken.reveal(), kShort);
  EXPECT_TRUE(grave.secret().empty());
  EXPECT_FALSE(grave.holds(kShort));
  grave.secret().~Secret();
}

TEST(SecretTest, AssignedOverSecretKeepsNothing) {
  Grave grave(kShort);
  grave.secret() = Secret("other");
  EXPECT_EQ(grave.secret().reveal(), "other");
  EXPECT_FALSE(grave.holds(kShort));
  grave.secret().~Secret();
}

TEST(SecretTest, StringThatItWasMadeOfIsWipedToo) {
  std::string password(kShort);
  const Secret secret(std::move(password));
  // A short string is copied when it is moved; its old bytes lie beyond its size.
  EXPECT_EQ(std::memcmp(password.data(), "\0\0\0\0\0\0\0", kShort.size()), 0);
  EXPECT_EQ(secret.reveal(), kShort);
}

TEST(WipeTest, OverwritesAllThatTheStringCouldHold) {
  std::string bytes = kLong;
  bytes.resize(10);
  const char* const memory = bytes.data();
  const std::size_t capacity = bytes.capacity();
  ASSERT_GE(capacity, kLong.size());
  wipe(bytes);
  EXPECT_TRUE(bytes.empty());
  ASSERT_EQ(bytes.data(), memory) << "the memory is still the string's";
  EXPECT_EQ(std::string(memory, capacity), std::string(capacity, '\0'));
}

TEST(SecretTest, CopiesAreApart) {
  Secret first(kLong);
  const Secret second = first;
  first = Secret();
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal(), kLong);
}

TEST(SecretTest, SelfAssignmentKeepsTheSecret) {
  Secret secret(kLong);
  const Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.reveal(), kLong);
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Ordered = requires(const T& a, const T& b) { a < b; };
static_assert(!Printable<Secret> && !Ordered<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(SecretTest, EqualsItsLikeAlone) {
  EXPECT_EQ(Secret(kLong), Secret(kLong));
  EXPECT_NE(Secret(kLong), Secret("other"));
  EXPECT_EQ(Secret(), Secret());
}

TEST(EqualInConstantTimeTest, ComparesAllBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time(kLong, kLong));
  EXPECT_FALSE(equal_in_constant_time("a", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
  for (std::size_t i = 0; i < kLong.size(); ++i) {
    std::string other = kLong;
    other[i] = static_cast<char>(other[i] ^ 0x80);
    EXPECT_FALSE(equal_in_constant_time(kLong, other)) << i;
  }
  EXPECT_FALSE(equal_in_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace gatehouse
