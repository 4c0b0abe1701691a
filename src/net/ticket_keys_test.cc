#include "net/ticket_keys.h"

#include <gtest/gtest.h>

namespace gatehouse::net {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class TicketKeysTest : public ::testing::Test {
 protected:
  TicketKeys keys_;
  const MonotonicTime start_{hours(5)};
  const TicketKeys::Key first_ = *keys_.sealing(start_);
};

TEST_F(TicketKeysTest, AKeySealsForAnHourAndTheNextIsAnother) {
  EXPECT_EQ(keys_.sealing(start_ + minutes(59))->name, first_.name);
  const TicketKeys::Key next = *keys_.sealing(start_ + minutes(61));
  EXPECT_NE(next.name, first_.name);
  EXPECT_NE(next.cipher, first_.cipher);
  EXPECT_NE(next.mac, first_.mac);
}

TEST_F(TicketKeysTest, AKeyOpensForAnotherHourAndAsksForRenewal) {
  EXPECT_FALSE(keys_.opening(first_.name.data(), start_ + minutes(59))->renew);
  EXPECT_TRUE(keys_.opening(first_.name.data(), start_ + minutes(61))->renew);
  EXPECT_TRUE(keys_.opening(first_.name.data(), start_ + minutes(119))->renew);
  EXPECT_FALSE(keys_.opening(first_.name.data(), start_ + minutes(121)));
}

TEST_F(TicketKeysTest, AKeyThatRestedTooLongOpensNothing) {
  EXPECT_FALSE(keys_.opening(first_.name.data(), start_ + hours(9)));
}

TEST_F(TicketKeysTest, AnUnknownNameOpensNothing) {
  const TicketKeys::Key foreign;
  EXPECT_FALSE(keys_.opening(foreign.name.data(), start_));
}

}  // namespace
}  // namespace gatehouse::net
