// The session's check runs at each request: this counts what it allocates. A sanitizer has an
// operator new of its own, so its builds leave the counting to the others.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

#include <gtest/gtest.h>

#include <vector>

#include "base/counted_allocations.h"
#include "jose/jwt.h"

namespace gatehouse::jose {
namespace {

TEST(Hs256, AllocatesNothingButThePayload) {
  std::vector<Hs256Key> keys;
  keys.emplace_back("new", Secret(std::string(32, 'n')));
  keys.emplace_back("old", Secret(std::string(32, 'o')));
  const std::string payload = R"({"sub":"ada","sid":"0123456789abcdef0123456789abcdef"})";
  const std::string token = keys[1].sign(payload);
  const int before = allocations;
  const auto verified = verify_hs256(token, keys);
  const int during = allocations - before;
  EXPECT_EQ(verified.value(), payload);
  EXPECT_EQ(during, 1);
}

TEST(Hs256, AllocatesNothingForAForgery) {
  std::vector<Hs256Key> keys;
  keys.emplace_back("new", Secret(std::string(32, 'n')));
  std::string token = keys[0].sign(R"({"sub":"ada","sid":"0123456789abcdef0123456789abcdef"})");
  token[50] ^= 1;
  const int before = allocations;
  const auto verified = verify_hs256(token, keys);
  const int during = allocations - before;
  EXPECT_FALSE(verified);
  EXPECT_EQ(during, 0);
}

}  // namespace
}  // namespace gatehouse::jose

#endif
