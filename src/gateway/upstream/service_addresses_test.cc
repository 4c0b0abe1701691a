#include "gateway/upstream/service_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/test_service.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Addresses = TestResolver::Addresses;

class ServiceAddressesTest : public testing::Test {
 protected:
  void make(ServiceAddresses::Settings settings) {
    service_ = std::make_unique<ServiceAddresses>(
        loop_.get(), resolver_, std::move(settings),
        [this](const std::vector<std::string>& found) { changes_.push_back(found); });
  }
  Result<void> first() { return loop_.run(service_->first()); }
  /// Until the resolver has answered once more.
  void next_answer() {
    const int before = resolver_.asked;
    loop_.run_until([&] { return resolver_.asked > before + 1; });
  }

  net::AheadClock clock_;
  net::TestLoop loop_{clock_};
  TestResolver resolver_{loop_.get()};
  std::vector<std::vector<std::string>> changes_;
  std::unique_ptr<ServiceAddresses> service_;
};

TEST_F(ServiceAddressesTest, ALiteralIsKnownAtOnceAndNeverAskedFor) {
  make({.host = "::1"});
  EXPECT_TRUE(service_->known());
  service_->use();
  EXPECT_TRUE(first());
  EXPECT_THAT(changes_, ElementsAre(ElementsAre("::1")));
  EXPECT_EQ(resolver_.asked, 0);
}

TEST_F(ServiceAddressesTest, ANameIsAskedForWhenItIsUsed) {
  make({.host = "a.test"});
  EXPECT_EQ(resolver_.asked, 0);
  resolver_.addresses = Addresses{"10.0.0.2", "10.0.0.1", "10.0.0.2"};
  EXPECT_TRUE(first());
  EXPECT_THAT(changes_, ElementsAre(ElementsAre("10.0.0.1", "10.0.0.2")));
  EXPECT_EQ(resolver_.asked, 1);
}

TEST_F(ServiceAddressesTest, AddressesAreAskedForAgainWhenTheirTtlEnds) {
  make({.host = "a.test"});
  resolver_.ttl = seconds(60);
  EXPECT_TRUE(first());
  EXPECT_EQ(resolver_.max_age, net::Resolver::kLongestTtl);
  resolver_.addresses = Addresses{"10.0.0.9"};
  clock_.skip(seconds(50));
  EXPECT_TRUE(first());
  EXPECT_EQ(resolver_.asked, 1);
  clock_.skip(seconds(11));
  loop_.run_until([this] { return changes_.size() == 2; });
  EXPECT_THAT(changes_.back(), ElementsAre("10.0.0.9"));
  EXPECT_EQ(resolver_.asked, 2);
}

TEST_F(ServiceAddressesTest, ATtlThatIsNotRespectedIsFiveSeconds) {
  make({.host = "a.test", .respect_ttl = false});
  EXPECT_TRUE(first());
  EXPECT_EQ(resolver_.max_age, seconds(5));
  clock_.skip(seconds(5));
  loop_.run_until([this] { return resolver_.asked == 2; });
}

// Emissary issue 5685: endpoint sets went empty on changes elsewhere.
TEST_F(ServiceAddressesTest, WhileDnsFailsTheLastGoodAddressesStay) {
  make({.host = "a.test"});
  resolver_.ttl = seconds(0);
  EXPECT_TRUE(first());
  for (const Error& error : {Error{ErrorCode::kNotFound, "there is no such name"},
                             Error{ErrorCode::kTimeout, "the name server does not answer"},
                             Error{ErrorCode::kUnavailable, "refused"}}) {
    resolver_.addresses = std::unexpected(error);
    clock_.skip(ServiceAddresses::kLongestRetry);
    loop_.run_until([&] { return service_->error() == error.message; });
    EXPECT_TRUE(service_->known());
    EXPECT_TRUE(first());
  }
  resolver_.addresses = Addresses();
  clock_.skip(ServiceAddresses::kLongestRetry);
  loop_.run_until([&] { return service_->error().contains("has no address"); });
  EXPECT_EQ(changes_.size(), 1U);
}

TEST_F(ServiceAddressesTest, TriesThatFailGrowRarer) {
  make({.host = "a.test", .always_used = true});
  resolver_.addresses = fail(ErrorCode::kUnavailable, "refused");
  loop_.run_until([this] { return !service_->error().empty(); });
  for (const seconds wait : {seconds(1), seconds(2), seconds(4), seconds(8)}) {
    const int asked = resolver_.asked;
    clock_.skip(wait - seconds(1) + std::chrono::milliseconds(500));
    loop_.run(loop_.get().sleep(std::chrono::milliseconds(20)));
    EXPECT_EQ(resolver_.asked, asked) << wait.count();
    clock_.skip(seconds(1));
    loop_.run_until([&] { return resolver_.asked == asked + 1; });
    loop_.run(loop_.get().sleep(std::chrono::milliseconds(10)));
  }
}

TEST_F(ServiceAddressesTest, FamiliesCanBeSwitchedOff) {
  resolver_.addresses = Addresses{"10.0.0.1", "2001:db8::1"};
  make({.host = "a.test", .ipv4 = false});
  EXPECT_TRUE(first());
  make({.host = "a.test", .ipv6 = false});
  EXPECT_TRUE(first());
  EXPECT_THAT(changes_, ElementsAre(ElementsAre("2001:db8::1"), ElementsAre("10.0.0.1")));
  resolver_.addresses = Addresses{"10.0.0.1"};
  make({.host = "a.test", .ipv4 = false});
  EXPECT_EQ(first().error().code, ErrorCode::kNotFound);
}

TEST_F(ServiceAddressesTest, ALogicalNameHasOneAddressWhichStaysWhileItIsThere) {
  resolver_.addresses = Addresses{"10.0.0.2", "10.0.0.1"};
  resolver_.ttl = seconds(0);
  make({.host = "a.test", .logical = true});
  EXPECT_TRUE(first());
  resolver_.addresses = Addresses{"10.0.0.1", "10.0.0.2"};
  next_answer();
  EXPECT_THAT(changes_, ElementsAre(ElementsAre("10.0.0.2")));
  resolver_.addresses = Addresses{"10.0.0.1"};
  loop_.run_until([this] { return changes_.size() == 2; });
  EXPECT_THAT(changes_.back(), ElementsAre("10.0.0.1"));
}

TEST_F(ServiceAddressesTest, ANameThatIsNotUsedAnyMoreRestsUntilItIs) {
  make({.host = "a.test"});
  resolver_.ttl = seconds(60);
  EXPECT_TRUE(first());
  clock_.skip(ServiceAddresses::kUnusedAfter);
  loop_.run(loop_.get().sleep(std::chrono::milliseconds(20)));
  EXPECT_EQ(resolver_.asked, 1);
  service_->use();  // the known addresses serve meanwhile
  EXPECT_TRUE(service_->known());
  EXPECT_EQ(resolver_.asked, 2);
}

TEST_F(ServiceAddressesTest, ManyAddressesAreCut) {
  Addresses many;
  for (int i = 0; i < 2'000; ++i) {
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  }
  resolver_.addresses = many;
  make({.host = "a.test"});
  EXPECT_TRUE(first());
  EXPECT_EQ(changes_.back().size(), ServiceAddresses::kLimit);
}

TEST_F(ServiceAddressesTest, WhatIsAnsweredAtOnceIsAskedForOnce) {
  resolver_.immediate = true;
  make({.host = "localhost"});
  EXPECT_TRUE(first());
  EXPECT_EQ(resolver_.asked, 1);
  make({.host = "localhost"});
  resolver_.addresses = fail(ErrorCode::kUnavailable, "refused");
  EXPECT_EQ(first().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(first().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(resolver_.asked, 2);
}

TEST_F(ServiceAddressesTest, MayGoWhileItAsks) {
  resolver_.silent = true;
  make({.host = "a.test", .always_used = true});
  loop_.run(loop_.get().sleep(std::chrono::milliseconds(2)));
  service_.reset();
  resolver_.silent = false;
  loop_.run(loop_.get().sleep(std::chrono::milliseconds(5)));
  EXPECT_THAT(changes_, IsEmpty());
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
