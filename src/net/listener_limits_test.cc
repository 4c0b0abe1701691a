// What keeps a listener open to ordinary clients, and the PROXY protocol in front of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "net/tcp.h"
#include "net/test_certificates.h"
#include "net/test_loop.h"
#include "net/test_tls_client.h"

namespace gatehouse::net {
namespace {

using std::chrono::milliseconds;

class ListenerLimitsTest : public ::testing::Test {
 protected:
  void listen(Listener::Options options) {
    options.endpoint = {.host = "127.0.0.1"};
    options.limit_counts = &counts_;
    options.address_counts = addresses_;
    auto listener = Listener::open(loop_, std::move(options),
                                   [this](std::unique_ptr<Stream> stream, http::Peer peer) {
                                     accepted_.push_back(std::move(stream));
                                     peers_.push_back(std::move(peer));
                                   });
    ASSERT_TRUE(listener) << listener.error().message;
    listener_ = *std::move(listener);
  }
  std::unique_ptr<Stream> connected(std::string_view first = "") {
    auto stream = test_loop_.run(connect(loop_, "127.0.0.1", listener_->endpoint().port, {}));
    EXPECT_TRUE(stream) << stream.error().message;
    EXPECT_TRUE(test_loop_.run(write_all(**stream, first)));
    return *std::move(stream);
  }
  void wait_for_accepted(std::size_t count) {
    test_loop_.run_until([this, count] { return accepted_.size() == count; });
  }
  /// A connection that begins with `first` is reset.
  void expect_reset(std::string_view first = "") {
    const FileDescriptor socket = connect_to_loopback(listener_->endpoint().port);
    EXPECT_GE(::send(socket.get(), first.data(), first.size(), MSG_NOSIGNAL), 0);
    int error = EAGAIN;
    test_loop_.run_until([&] {
      char byte = 0;
      const ssize_t got = ::recv(socket.get(), &byte, 1, MSG_DONTWAIT);
      error = got >= 0 ? 0 : errno;
      return error != EAGAIN;
    });
    EXPECT_EQ(error, ECONNRESET);
  }
  /// The server closes without a byte.
  void expect_closed(Stream& client) {
    const auto got = test_loop_.run(read_until_end(client));
    EXPECT_TRUE(!got || got->empty());
  }
  std::uint64_t struck(Limit limit) const { return counts_.count(limit); }

  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
  LimitCounts counts_;
  std::shared_ptr<AddressCounts> addresses_ = std::make_shared<AddressCounts>();
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<http::Peer> peers_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerLimitsTest, APeerKnowsItsListener) {
  listen({.index = 3});
  const auto client = connected();
  wait_for_accepted(1);
  EXPECT_EQ(peers_[0].listener, 3U);
  EXPECT_EQ(peers_[0].local_port, listener_->endpoint().port);
}

TEST_F(ListenerLimitsTest, OverItsLimitAnAddressIsResetAndCounted) {
  listen({.connections_per_address = 2});
  const auto first = connected();
  const auto second = connected();
  wait_for_accepted(2);
  expect_reset();
  EXPECT_EQ(struck(Limit::kConnectionsPerAddress), 1U);
  accepted_.pop_back();
  listener_->release();
  const auto fourth = connected();
  wait_for_accepted(2);
}

TEST_F(ListenerLimitsTest, OtherListenersOfTheProcessCountToo) {
  const auto elsewhere = AddressCounts::take(addresses_, "127.0.0.1", 1);
  listen({.connections_per_address = 1});
  expect_reset();
}

TEST_F(ListenerLimitsTest, SomeAddressesAreNotCounted) {
  const auto uncounted = http::TrustedProxies::parse({"127.0.0.0/8"});
  listen({.connections_per_address = 1,
          .uncounted = std::make_shared<const http::TrustedProxies>(*uncounted)});
  const auto first = connected();
  const auto second = connected();
  wait_for_accepted(2);
  EXPECT_EQ(addresses_->count("127.0.0.1"), 0U);
}

TEST_F(ListenerLimitsTest, NewLimitsHoldForNewConnections) {
  listen({.connection_limit = 1});
  const auto first = connected();
  const auto second = connected();
  wait_for_accepted(1);
  EXPECT_EQ(struck(Limit::kConnections), 1U);
  listener_->set_limits({.connection_limit = 10, .connections_per_address = 1});
  wait_for_accepted(2);
  expect_reset();
}

TEST_F(ListenerLimitsTest, AProxysHeaderNamesTheClientAndLeavesItsBytes) {
  listen({.proxy_protocol = true, .connections_per_address = 1});
  const auto client = connected("PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\nping");
  wait_for_accepted(1);
  EXPECT_EQ(peers_[0].address, "192.0.2.7");
  EXPECT_EQ(peers_[0].port, 12345);
  EXPECT_EQ(test_loop_.run(read_exactly(*accepted_[0], 4)), "ping");
  ASSERT_TRUE(test_loop_.run(write_all(*client, "more")));
  EXPECT_EQ(test_loop_.run(read_exactly(*accepted_[0], 4)), "more");
  EXPECT_EQ(addresses_->count("192.0.2.7"), 1U);
  EXPECT_EQ(addresses_->count("127.0.0.1"), 0U);
  expect_reset("PROXY TCP4 192.0.2.7 192.0.2.1 12346 443\r\n");
  EXPECT_EQ(struck(Limit::kConnectionsPerAddress), 1U);
}

TEST_F(ListenerLimitsTest, BytesThatCameWithAProxysHeaderWakeAReaderThatOnlyWaits) {
  listen({.proxy_protocol = true});
  const auto client = connected("PROXY UNKNOWN\r\nping");
  wait_for_accepted(1);
  EXPECT_EQ(peers_[0].address, "127.0.0.1");
  auto wait = [](Stream& stream) -> Task<Result<void>> {
    Result<void> readable = co_await stream.readable();
    co_return readable;
  };
  EXPECT_TRUE(test_loop_.run(wait(*accepted_[0])));
  EXPECT_EQ(test_loop_.run(read_exactly(*accepted_[0], 4)), "ping");
}

TEST_F(ListenerLimitsTest, AProxysHeaderMayComeInPiecesAndWithTheEnd) {
  listen({.proxy_protocol = true});
  const auto client = connected("PROXY TCP6 2001:db8::7 ");
  test_loop_.run(loop_.sleep(milliseconds(5)));
  ASSERT_TRUE(test_loop_.run(write_all(*client, "::1 1 2\r\nbye")));
  client->finish();
  wait_for_accepted(1);
  EXPECT_EQ(peers_[0].address, "2001:db8::7");
  EXPECT_EQ(test_loop_.run(read_until_end(*accepted_[0])), "bye");
}

TEST_F(ListenerLimitsTest, WithoutARightHeaderAConnectionIsClosedAndFreesItsPlace) {
  listen({.connection_limit = 1, .proxy_protocol = true});
  const auto garbage = connected("GET / HTTP/1.1\r\n\r\n");
  expect_closed(*garbage);
  const auto cut = connected("PROXY TC");
  cut->finish();
  expect_closed(*cut);
  const auto good = connected("PROXY UNKNOWN\r\n");
  wait_for_accepted(1);
}

TEST_F(ListenerLimitsTest, ASlowHeaderOrHandshakeIsCountedAsSuch) {
  listen({.handshake_timeout = milliseconds(20), .proxy_protocol = true});
  const auto slow = connected("PROXY ");
  expect_closed(*slow);
  EXPECT_EQ(struck(Limit::kHandshakeTimeout), 1U);
  TestCertificates certificates;
  listen({.tls = certificates.server(certificates.issue("a", {.names = "DNS:a.example"})),
          .handshake_timeout = milliseconds(20)});
  const auto silent = connected();
  expect_closed(*silent);
  EXPECT_EQ(struck(Limit::kHandshakeTimeout), 2U);
}

TEST_F(ListenerLimitsTest, AListenerThatGoesEndsHeadersUnderWay) {
  listen({.proxy_protocol = true});
  const auto slow = connected("PROXY ");
  test_loop_.run(loop_.sleep(milliseconds(20)));
  listener_.reset();
  EXPECT_FALSE(test_loop_.run(read_until_end(*slow)));
}

TEST_F(ListenerLimitsTest, TwoThousandSilentClientsDoNotKeepAnOrdinaryOneOut) {
  constexpr std::size_t kCount = 2'000;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_GE(limit.rlim_cur, 2 * kCount + 100) << "the hard limit of descriptors is too low here";
  TestCertificates certificates;
  listen({.tls = certificates.server(certificates.issue("a", {.names = "DNS:a.example"})),
          .connections_per_address = 4'000});
  std::vector<std::unique_ptr<Stream>> silent;
  for (std::size_t i = 0; i < kCount; ++i) silent.push_back(connected("\x16"));
  const auto ordinary =
      test_loop_.run(connect(loop_, "127.0.0.1", listener_->endpoint().port,
                             {.tls = certificates.client(), .server_name = "a.example"}));
  ASSERT_TRUE(ordinary) << ordinary.error().message;
  wait_for_accepted(1);
  EXPECT_EQ(addresses_->count("127.0.0.1"), kCount + 1);
}

}  // namespace
}  // namespace gatehouse::net
