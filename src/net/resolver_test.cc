#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <string>

#include "net/file_descriptor.h"
#include "net/tcp.h"
#include "net/test_loop.h"

namespace gatehouse::net {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A name server on loopback, on the test's own loop: answers A queries from a table, says that
/// other names are not there, and that AAAA records are none.
class FakeNameServer final : private EventListener {
 public:
  explicit FakeNameServer(Loop& loop)
      : loop_(loop), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    EXPECT_TRUE(loop_.watch(socket_.get(), *this));
  }
  ~FakeNameServer() override { loop_.forget(socket_.get()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  std::map<std::string, std::array<unsigned char, 4>> names;
  unsigned char ttl = 60;
  int a_queries = 0;

 private:
  void on_events(std::uint32_t /*events*/) override {
    std::array<char, 512> query;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* const peer = reinterpret_cast<sockaddr*>(&from);
    while (true) {
      const ssize_t count = ::recvfrom(socket_.get(), query.data(), query.size(), 0, peer, &size);
      if (count < 17) return;
      const std::string reply = answer({query.data(), static_cast<std::size_t>(count)});
      ::sendto(socket_.get(), reply.data(), reply.size(), 0, peer, size);
    }
  }

  /// RFC 1035 §4.
  std::string answer(std::string_view query) {
    std::string name;
    std::size_t at = 12;
    for (; query[at] != 0; at += static_cast<unsigned char>(query[at]) + 1U) {
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, static_cast<unsigned char>(query[at]));
    }
    const std::string_view question = query.substr(12, at + 5 - 12);
    const bool a = question[question.size() - 3] == 1;
    if (a) ++a_queries;
    const auto found = names.find(name);
    const bool known = found != names.end();
    std::string reply(query.substr(0, 2));
    reply += std::string{'\x81', static_cast<char>(known ? '\x80' : '\x83'),
                         0,      1,
                         0,      static_cast<char>(known && a ? 1 : 0),
                         0,      0,
                         0,      0};
    reply += question;
    if (!known || !a) return reply;
    reply += std::string{'\xC0', 12, 0, 1, 0, 1, 0, 0, 0, static_cast<char>(ttl), 0, 4};
    for (const unsigned char byte : found->second) reply += static_cast<char>(byte);
    return reply;
  }

  Loop& loop_;
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
};

class ResolverTest : public ::testing::Test {
 protected:
  Result<std::vector<std::string>> resolve(std::string host) {
    return test_loop_.run(resolver_->resolve(std::move(host)));
  }

  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
  FakeNameServer server_{loop_};
  std::unique_ptr<Resolver> resolver_ = Resolver::make(loop_, {.name_servers = server_.address()});
};

TEST_F(ResolverTest, AddressesComeBackAsTheyAre) {
  EXPECT_THAT(*resolve("192.0.2.7"), ElementsAre("192.0.2.7"));
  EXPECT_THAT(*resolve("2001:db8::1"), ElementsAre("2001:db8::1"));
}

TEST_F(ResolverTest, LocalhostNeedsNoNetwork) {
  EXPECT_THAT(*resolve("LocalHost"), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(*resolve("api.localhost"), ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(server_.a_queries, 0);
}

TEST_F(ResolverTest, ANameIsAskedForOnceAndKept) {
  server_.names["upstream.test"] = {192, 0, 2, 1};
  EXPECT_THAT(*resolve("upstream.test"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(*resolve("UPSTREAM.test"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(server_.a_queries, 1);
}

TEST_F(ResolverTest, ThoseWhoAskTogetherShareAQuery) {
  server_.names["upstream.test"] = {192, 0, 2, 1};
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    spawn(resolver_->resolve("upstream.test"), [&](Result<std::vector<std::string>> addresses) {
      EXPECT_TRUE(addresses);
      ++answered;
    });
  }
  test_loop_.run_until([&] { return answered == 10; });
  EXPECT_EQ(server_.a_queries, 1);
}

TEST_F(ResolverTest, ANameThatIsNotThereIsNotFound) {
  const auto addresses = resolve("missing.test");
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(addresses.error().message, HasSubstr("missing.test"));
}

TEST_F(ResolverTest, WhatIsNoNameIsRefusedWithoutAQuery) {
  EXPECT_EQ(resolve("").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(resolve(std::string(254, 'a')).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(server_.a_queries, 0);
}

TEST_F(ResolverTest, ALookUpTellsTheTtlThatIsLeft) {
  server_.names["upstream.test"] = {192, 0, 2, 1};
  server_.ttl = 60;
  const auto found = test_loop_.run(resolver_->look_up("upstream.test", seconds(300)));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->addresses, ElementsAre("192.0.2.1"));
  EXPECT_EQ(found->ttl, seconds(60));
  const auto literal = test_loop_.run(resolver_->look_up("192.0.2.7", seconds(0)));
  EXPECT_EQ(literal->ttl, Resolver::kLongestTtl);
}

TEST_F(ResolverTest, AnAnswerThatIsTooOldForTheAskerIsAskedForAgain) {
  server_.names["upstream.test"] = {192, 0, 2, 1};
  const auto first = test_loop_.run(resolver_->look_up("upstream.test", seconds(300)));
  server_.names["upstream.test"] = {192, 0, 2, 2};
  const auto second = test_loop_.run(resolver_->look_up("upstream.test", seconds(300)));
  EXPECT_THAT(second->addresses, ElementsAre("192.0.2.1"));
  const auto third = test_loop_.run(resolver_->look_up("upstream.test", seconds(0)));
  EXPECT_THAT(third->addresses, ElementsAre("192.0.2.2"));
  EXPECT_EQ(server_.a_queries, 2);
}

TEST_F(ResolverTest, AResolverThatGoesCancelsWhoWaits) {
  std::optional<ErrorCode> code;
  spawn(resolver_->resolve("upstream.test"), [&](Result<std::vector<std::string>> addresses) {
    if (!addresses) code = addresses.error().code;
  });
  resolver_.reset();
  test_loop_.run_until([&] { return code.has_value(); });
  EXPECT_EQ(code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace gatehouse::net
