#include "gateway/tcp/tcp_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "net/test_certificates.h"
#include "net/test_loop.h"
#include "net/test_tls_client.h"

namespace gatehouse::gateway {
namespace {

using net::read_exactly;
using net::read_until_end;
using net::Stream;
using net::write_all;
using std::chrono::milliseconds;

/// A route whose upstream cannot be connected to without an exception.
constexpr const char* kThrows = "throws";

/// A server that routes lead to, by the route's name.
struct Upstream {
  std::unique_ptr<net::Listener> listener;
  std::vector<std::unique_ptr<Stream>> accepted;
};

class TcpProxyTest : public ::testing::Test {
 protected:
  struct Told {
    std::string route, failure, server_name, address, upstream;
    std::uint64_t received, sent;
  };

  Upstream& upstream(const std::string& name, std::shared_ptr<const net::ServerTls> tls = nullptr) {
    Upstream& made = upstreams_[name];
    net::Listener::Options options{.endpoint = {.host = "127.0.0.1"}, .tls = std::move(tls)};
    auto listener = net::Listener::open(loop_, std::move(options),
                                        [&made](std::unique_ptr<Stream> stream, const http::Peer&) {
                                          made.accepted.push_back(std::move(stream));
                                        });
    made.listener = *std::move(listener);
    return made;
  }
  std::shared_ptr<const net::ServerTls> tls_for(const std::string& name) {
    return certificates_.server(certificates_.issue(name, {.names = "DNS:" + name}));
  }

  static config::TcpRoute route(std::string name, std::string host = "", int weight = -1) {
    return {.name = std::move(name),
            .listen = "127.0.0.1:0",
            .host = std::move(host),
            .weight = weight};
  }
  config::TcpRoute secure_route(std::string name, const std::string& host) {
    config::TcpRoute made = route(std::move(name), host);
    const auto issued = certificates_.issue("edge", {.names = "DNS:" + host});
    made.tls.certificate = issued.certificate_file;
    made.tls.key = issued.key_file;
    return made;
  }
  static std::shared_ptr<const TcpRoutes> compiled(const std::vector<config::TcpRoute>& routes) {
    auto made = TcpRoutes::make(routes);
    EXPECT_TRUE(made) << made.error().message;
    EXPECT_TRUE(made->problems.empty()) << made->problems.front().reason;
    return made->routes;
  }

  void open(const std::vector<config::TcpRoute>& routes, net::Listener::Options listener = {}) {
    listener.limit_counts = &counts_;
    TcpProxy::Options options{.listener = std::move(listener), .connect = {}, .observe = {}};
    options.connect = [this](const config::TcpRoute& to) { return connect_to(to); };
    options.observe = [this](const TcpOutcome& outcome) {
      told_.push_back({.route = outcome.route == nullptr ? "" : outcome.route->name,
                       .failure = std::string(outcome.failure()),
                       .server_name = outcome.peer.server_name,
                       .address = outcome.peer.address,
                       .upstream = std::string(outcome.upstream),
                       .received = outcome.received,
                       .sent = outcome.sent});
    };
    auto proxy = TcpProxy::open(loop_, compiled(routes), std::move(options));
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_ = *std::move(proxy);
  }
  Task<Result<TcpProxy::Upstream>> connect_to(const config::TcpRoute& to) {
    if (to.name == kThrows) throw std::runtime_error("thrown");
    const auto found = upstreams_.find(to.name);
    if (found == upstreams_.end()) co_return fail(ErrorCode::kUnavailable, "nobody is there");
    Result<std::unique_ptr<Stream>> stream =
        co_await net::connect(loop_, "127.0.0.1", found->second.listener->endpoint().port, {});
    if (!stream) co_return fail(std::move(stream));
    co_return TcpProxy::Upstream{
        .counted = counted_, .stream = *std::move(stream), .address = "address of " + to.name};
  }

  Result<std::unique_ptr<Stream>> connect_as(net::ConnectOptions options) {
    return test_loop_.run(
        net::connect(loop_, "127.0.0.1", proxy_->endpoints().front().port, std::move(options)));
  }
  std::unique_ptr<Stream> plain() {
    auto stream = connect_as({});
    EXPECT_TRUE(stream) << stream.error().message;
    return *std::move(stream);
  }
  net::ConnectOptions asking_for(std::string name) {
    return {.tls = certificates_.client(), .server_name = std::move(name)};
  }
  Stream& accepted_by(Upstream& server, std::size_t index = 0) {
    test_loop_.run_until([&] { return server.accepted.size() > index; });
    return *server.accepted.at(index);
  }
  void write(Stream& stream, std::string_view bytes) {
    ASSERT_TRUE(test_loop_.run(write_all(stream, bytes)));
  }
  Result<std::string> read(Stream& stream, std::size_t size) {
    return test_loop_.run(read_exactly(stream, size));
  }
  Result<std::string> rest(Stream& stream) { return test_loop_.run(read_until_end(stream)); }
  const Told& told(std::size_t index = 0) {
    test_loop_.run_until([&] { return told_.size() > index; });
    return told_.at(index);
  }

  net::TestCertificates certificates_;
  net::TestLoop test_loop_;
  net::Loop& loop_ = test_loop_.get();
  std::map<std::string, Upstream> upstreams_;
  std::vector<Told> told_;
  net::LimitCounts counts_;
  const std::shared_ptr<int> counted_ = std::make_shared<int>();
  std::unique_ptr<TcpProxy> proxy_;
};

TEST_F(TcpProxyTest, AServerMaySpeakFirst) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  Stream& server = accepted_by(a);
  write(server, "220 hello");
  EXPECT_EQ(read(*client, 9), "220 hello");
  write(*client, "EHLO");
  EXPECT_EQ(read(server, 4), "EHLO");
  client->finish();
  server.finish();
  EXPECT_EQ(rest(*client), "");
  EXPECT_EQ(told().failure, "");
  EXPECT_EQ(told().route, "a");
  EXPECT_EQ(told().upstream, "address of a");
  EXPECT_EQ(told().received, 4U);
  EXPECT_EQ(told().sent, 9U);
  test_loop_.run_until([this] { return proxy_->connections() == 0; });
}

TEST_F(TcpProxyTest, TlsPassesThroughToTheServerOfItsName) {
  upstream("exact", tls_for("a.example.org"));
  upstream("below", tls_for("x.example.org"));
  upstream("any", tls_for("b.example"));
  open({route("any"), route("below", "*.example.org"), route("exact", "a.example.org")});
  std::vector<std::unique_ptr<Stream>> clients;
  for (const char* name : {"a.example.org", "x.example.org", "b.example"}) {
    auto client = connect_as(asking_for(name));
    ASSERT_TRUE(client) << client.error().message;
    clients.push_back(*std::move(client));
  }
  write(*clients[1], "ping");
  EXPECT_EQ(read(accepted_by(upstreams_["below"]), 4), "ping");
  accepted_by(upstreams_["exact"]);
  accepted_by(upstreams_["any"]);
}

TEST_F(TcpProxyTest, ANameThatNobodyServesIsReset) {
  upstream("a", tls_for("a.example"));
  open({route("a", "a.example")});
  EXPECT_FALSE(connect_as(asking_for("b.example")));
  EXPECT_EQ(told().failure, "no_route");
  EXPECT_EQ(told().server_name, "b.example");
  EXPECT_EQ(told().route, "");
}

TEST_F(TcpProxyTest, TlsEndsHereForSomeAndPassesThroughForOthers) {
  Upstream& ended = upstream("ended");
  Upstream& passed = upstream("passed", tls_for("b.example"));
  open({secure_route("ended", "a.example"), route("passed", "b.example")});
  const auto first = connect_as(asking_for("a.example"));
  ASSERT_TRUE(first) << first.error().message;
  write(**first, "in the clear");
  Stream& server = accepted_by(ended);
  EXPECT_FALSE(server.secure());
  EXPECT_EQ(read(server, 12), "in the clear");
  write(server, "answer");
  server.finish();
  EXPECT_EQ(rest(**first), "answer");
  const auto second = connect_as(asking_for("b.example"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(accepted_by(passed).secure());
}

TEST_F(TcpProxyTest, TlsMayEndHereForEveryName) {
  Upstream& a = upstream("a");
  config::TcpRoute all = secure_route("a", "a.example");
  all.host = "";
  open({all});
  const auto client = connect_as(asking_for("a.example"));
  ASSERT_TRUE(client) << client.error().message;
  write(**client, "ping");
  EXPECT_EQ(read(accepted_by(a), 4), "ping");
}

TEST_F(TcpProxyTest, WhatIsNoTlsGoesToTheRouteForAllOthers) {
  Upstream& any = upstream("any");
  open({route("any"), route("a", "a.example")});
  const auto client = plain();
  write(*client, "SSH-2.0-x");
  EXPECT_EQ(read(accepted_by(any), 9), "SSH-2.0-x");
}

TEST_F(TcpProxyTest, DamagedTlsAndAnEarlyEndAreNotPassedOn) {
  Upstream& any = upstream("any");
  open({route("any"), route("a", "a.example")});
  const auto damaged = plain();
  write(*damaged, "\x16\x02\x01\x01");
  EXPECT_EQ(told(0).failure, "bad_client_hello");
  const auto gone = plain();
  write(*gone, "\x16\x03");
  gone->finish();
  EXPECT_EQ(told(1).failure, "client_closed");
  EXPECT_TRUE(any.accepted.empty());
}

TEST_F(TcpProxyTest, ASlowClientHelloRunsIntoTheHandshakesTimeOut) {
  open({route("any"), route("a", "a.example")}, {.handshake_timeout = milliseconds(20)});
  const auto slow = plain();
  write(*slow, "\x16");
  EXPECT_EQ(told().failure, "handshake_timeout");
  EXPECT_EQ(counts_.count(net::Limit::kHandshakeTimeout), 1U);
}

TEST_F(TcpProxyTest, AHalfClosedConnectionGoesOnTheOtherWay) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  write(*client, "question");
  client->finish();
  Stream& server = accepted_by(a);
  EXPECT_EQ(rest(server), "question");
  write(server, "answer");
  server.finish();
  EXPECT_EQ(rest(*client), "answer");
  EXPECT_EQ(told().failure, "");
}

TEST_F(TcpProxyTest, AReaderThatTakesNothingHoldsTheWriterBack) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  const std::string sent(30'000'000, 'x');
  bool written = false;
  loop_.spawn([](Stream& stream, const std::string& bytes, bool& done) -> Task<void> {
    const Result<void> result = co_await write_all(stream, bytes);
    EXPECT_TRUE(result);
    done = true;
  }(*client, sent, written));
  Stream& server = accepted_by(a);
  test_loop_.run(loop_.sleep(milliseconds(50)));
  EXPECT_FALSE(written) << "somebody keeps it all";
  const auto got = read(server, sent.size());
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == sent);
}

TEST_F(TcpProxyTest, ConnectionsAreSharedOutByWeight) {
  Upstream& a = upstream("a");
  Upstream& b = upstream("b");
  open({route("a", "", 70), route("b", "", 30)});
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(plain());
  test_loop_.run_until([&] { return a.accepted.size() + b.accepted.size() == 10; });
  EXPECT_EQ(a.accepted.size(), 7U);
}

TEST_F(TcpProxyTest, WithoutItsUpstreamAClientIsReset) {
  open({route("nobody")});
  // Our own connect() may see the reset too.
  const net::FileDescriptor client = net::connect_to_loopback(proxy_->endpoints().front().port);
  EXPECT_EQ(told().failure, "upstream_connect");
  char byte = 0;
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_EQ(told().route, "nobody");
}

TEST_F(TcpProxyTest, AnExceptionEndsItsConnectionAndIsTold) {
  open({route(kThrows)});
  const net::FileDescriptor client = net::connect_to_loopback(proxy_->endpoints().front().port);
  EXPECT_EQ(told().failure, "internal_error");
  EXPECT_EQ(told().route, kThrows);
  test_loop_.run_until([this] { return proxy_->connections() == 0; });
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(TcpProxyTest, AResetOfOneSideResetsTheOther) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  accepted_by(a).abort();
  EXPECT_FALSE(rest(*client));
  EXPECT_EQ(told().failure, "reset");
}

TEST_F(TcpProxyTest, SilenceForTooLongEndsAConnectionAndIsCounted) {
  Upstream& a = upstream("a");
  config::TcpRoute impatient = route("a");
  impatient.idle_timeout = milliseconds(20);
  open({impatient});
  const auto client = plain();
  accepted_by(a);
  EXPECT_FALSE(rest(*client));
  EXPECT_EQ(told().failure, "idle_timeout");
  EXPECT_EQ(counts_.count(net::Limit::kTunnelTimeout), 1U);
}

TEST_F(TcpProxyTest, AProxysHeaderNamesTheClient) {
  Upstream& a = upstream("a");
  open({route("a")}, {.proxy_protocol = true});
  const auto client = plain();
  write(*client, "PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\nping");
  EXPECT_EQ(read(accepted_by(a), 4), "ping");
  accepted_by(a).abort();
  EXPECT_EQ(told().address, "192.0.2.7");
}

TEST_F(TcpProxyTest, NewRoutesHoldForNewConnections) {
  Upstream& a = upstream("a");
  Upstream& b = upstream("b");
  open({route("a")});
  const auto old = plain();
  Stream& old_server = accepted_by(a);
  const net::Endpoint place = proxy_->endpoints().front();
  ASSERT_TRUE(proxy_->set_routes(compiled({route("b")}), milliseconds(0)));
  EXPECT_EQ(proxy_->endpoints().front().port, place.port) << "the address was opened anew";
  const auto fresh = plain();
  accepted_by(b);
  write(*old, "still here");
  EXPECT_EQ(read(old_server, 10), "still here");
}

TEST_F(TcpProxyTest, AnAddressThatIsNoLongerWantedIsClosed) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto old = plain();
  Stream& old_server = accepted_by(a);
  const net::Endpoint place = proxy_->endpoints().front();
  ASSERT_TRUE(proxy_->set_routes(compiled({}), milliseconds(60'000)));
  EXPECT_FALSE(test_loop_.run(net::connect(loop_, "127.0.0.1", place.port, {})));
  write(*old, "still here");
  EXPECT_EQ(read(old_server, 10), "still here");
}

TEST_F(TcpProxyTest, WhatIsOpenOnAnAddressThatGoesIsResetAfterALimit) {
  upstream("a");
  Upstream& b = upstream("b");
  config::TcpRoute other = route("b");
  other.listen = "[::1]:0";
  open({route("a"), other});
  const auto leaving = plain();
  const auto staying =
      test_loop_.run(net::connect(loop_, "::1", proxy_->endpoints().at(1).port, {})).value();
  Stream& server = accepted_by(b);
  ASSERT_TRUE(proxy_->set_routes(compiled({other}), milliseconds(20)));
  EXPECT_EQ(told().failure, "drained");
  EXPECT_FALSE(rest(*leaving));
  write(*staying, "still here");
  EXPECT_EQ(read(server, 10), "still here");
}

TEST_F(TcpProxyTest, AConnectionCountsAtItsUpstreamUntilItsEnd) {
  Upstream& a = upstream("a");
  open({route("a")});
  const long unused = counted_.use_count();
  const auto client = plain();
  Stream& server = accepted_by(a);
  write(*client, "hello");
  EXPECT_EQ(read(server, 5), "hello");
  EXPECT_EQ(counted_.use_count(), unused + 1);
  client->finish();
  server.finish();
  EXPECT_EQ(told().failure, "");
  test_loop_.run_until([&] { return proxy_->connections() == 0; });
  EXPECT_EQ(counted_.use_count(), unused);
}

TEST_F(TcpProxyTest, AnAddressThatCannotBeListenedOnLeavesAllAsItWas) {
  Upstream& a = upstream("a");
  open({route("a")});
  config::TcpRoute elsewhere = route("a");
  elsewhere.listen = "192.0.2.1:1";
  EXPECT_FALSE(proxy_->set_routes(compiled({elsewhere}), milliseconds(0)));
  const auto client = plain();
  accepted_by(a);
}

TEST_F(TcpProxyTest, DrainingWaitsForWhatIsOpen) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  Stream& server = accepted_by(a);
  bool drained = false;
  loop_.spawn([](TcpProxy& proxy, bool& done) -> Task<void> {
    co_await proxy.drain(milliseconds(60'000));
    done = true;
  }(*proxy_, drained));
  write(*client, "last words");
  EXPECT_EQ(read(server, 10), "last words");
  EXPECT_FALSE(drained);
  client->finish();
  server.finish();
  test_loop_.run_until([&] { return drained; });
  EXPECT_EQ(told().failure, "");
}

TEST_F(TcpProxyTest, DrainingEndsWhatTakesTooLong) {
  Upstream& a = upstream("a");
  open({route("a")});
  const auto client = plain();
  accepted_by(a);
  test_loop_.run(proxy_->drain(milliseconds(20)));
  EXPECT_EQ(proxy_->connections(), 0U);
  EXPECT_EQ(told().failure, "drained");
  EXPECT_FALSE(rest(*client));
}

}  // namespace
}  // namespace gatehouse::gateway
