#include "net/tcp.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <numeric>

#include "net/socket_stream.h"
#include "net/test_loop.h"

namespace gatehouse::net {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Direction = Stream::Direction;
using Kind = IoResult::Kind;

class TcpTest : public ::testing::Test {
 protected:
  StreamPair connected() { return test_loop_.run(make_pair(loop_)); }

  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
};

Task<Result<void>> wait_readable(Stream& stream) {
  Result<void> readable = co_await stream.readable();
  co_return readable;
}

Task<Result<void>> wait_writable(Stream& stream) {
  Result<void> writable = co_await stream.writable();
  co_return writable;
}

IoResult write_some(Stream& stream, std::string_view bytes) {
  const iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  return stream.try_write({&piece, 1});
}

/// A stream takes for granted that reading is worth a try until one has found nothing.
void expect_nothing_to_read(Stream& stream) {
  char byte = 0;
  EXPECT_EQ(stream.try_read({&byte, 1}).kind, Kind::kWouldBlock);
}

/// Writes until the kernel takes no more.
void fill(Stream& stream) {
  const std::string block(1 << 20, 'x');
  while (write_some(stream, block).kind == Kind::kDone) {
  }
}

TEST_F(TcpTest, BytesGoBothWaysAndThePeerIsNamed) {
  const StreamPair pair = connected();
  EXPECT_EQ(pair.peer.address, "127.0.0.1");
  EXPECT_NE(pair.peer.port, 0);
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "ping")));
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.server, 4)), "ping");
  ASSERT_TRUE(test_loop_.run(write_all(*pair.server, "pong")));
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.client, 4)), "pong");
}

TEST_F(TcpTest, KeepAliveIsAsItWasAskedFor) {
  const auto option = [](const Stream& stream, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(stream.fd(), level, name, &value, &size);
    return value;
  };
  const StreamPair plain = connected();
  EXPECT_EQ(option(*plain.client, SOL_SOCKET, SO_KEEPALIVE), 0);
  const TcpKeepAlive wanted{
      .idle = milliseconds(7'001), .interval = milliseconds(2'000), .probes = 4};
  const StreamPair kept = test_loop_.run(make_pair(loop_, {.keep_alive = wanted}));
  EXPECT_NE(option(*kept.client, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(*kept.client, IPPROTO_TCP, TCP_KEEPIDLE), 8);
  EXPECT_EQ(option(*kept.client, IPPROTO_TCP, TCP_KEEPINTVL), 2);
  EXPECT_EQ(option(*kept.client, IPPROTO_TCP, TCP_KEEPCNT), 4);
}

TEST_F(TcpTest, FiftyMegabytesGoToASlowReaderInPartialWrites) {
  const StreamPair pair = connected();
  std::string sent(50'000'000, '\0');
  std::iota(sent.begin(), sent.end(), '\0');
  bool written = false;
  loop_.spawn([](Stream& stream, const std::string& bytes, bool& done) -> Task<void> {
    const Result<void> result = co_await write_all(stream, bytes);
    EXPECT_TRUE(result);
    done = true;
  }(*pair.client, sent, written));
  EXPECT_FALSE(written) << "the kernel took it all at once; the test shows nothing";
  const auto got = test_loop_.run(read_exactly(*pair.server, sent.size()));
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == sent);
  EXPECT_TRUE(written);
}

TEST_F(TcpTest, PiecesAreGathered) {
  const StreamPair pair = connected();
  std::string a = "one ", b = "two ", c = "three";
  const std::array<iovec, 3> pieces{
      {{a.data(), a.size()}, {b.data(), b.size()}, {c.data(), c.size()}}};
  EXPECT_EQ(pair.client->try_write(pieces).bytes, 13U);
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.server, 13)), "one two three");
}

TEST_F(TcpTest, APeerThatFinishedSendingCanStillRead) {
  const StreamPair pair = connected();
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "request")));
  pair.client->finish();
  EXPECT_EQ(test_loop_.run(read_until_end(*pair.server)), "request");
  EXPECT_TRUE(pair.server->broken());
  EXPECT_FALSE(pair.server->gone());
  ASSERT_TRUE(test_loop_.run(write_all(*pair.server, "answer")));
  pair.server->finish();
  EXPECT_EQ(test_loop_.run(read_until_end(*pair.client)), "answer");
}

TEST_F(TcpTest, BytesThatCameTogetherWithTheEndAreReadBeforeIt) {
  const StreamPair pair = connected();
  ASSERT_EQ(write_some(*pair.client, "last words").kind, Kind::kDone);
  pair.client->finish();
  test_loop_.run_until([&] { return pair.server->broken(); });
  std::array<char, 100> buffer;
  EXPECT_EQ(pair.server->try_read(buffer).bytes, 10U);
  EXPECT_EQ(pair.server->try_read(buffer).kind, Kind::kEnd);
  EXPECT_EQ(pair.server->try_read(buffer).kind, Kind::kEnd);
}

TEST_F(TcpTest, AbortWakesBothWaitersAndResetsThePeer) {
  const StreamPair pair = connected();
  expect_nothing_to_read(*pair.server);
  fill(*pair.server);
  std::vector<Result<void>> outcomes;
  const auto note = [&outcomes](Result<void> outcome) { outcomes.push_back(std::move(outcome)); };
  spawn(wait_readable(*pair.server), note);
  spawn(wait_writable(*pair.server), note);
  pair.server->abort();
  EXPECT_TRUE(outcomes.empty()) << "resumed within the call that made them ready";
  test_loop_.run_until([&] { return outcomes.size() == 2; });
  for (const auto& outcome : outcomes) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
  }
  EXPECT_EQ(pair.server->fd(), -1);
  EXPECT_EQ(test_loop_.run(wait_readable(*pair.server)).error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(test_loop_.run(read_until_end(*pair.client))) << "the end looked like a proper one";
}

TEST_F(TcpTest, ADeadlineEndsAWaitAndALaterOneRevivesTheStream) {
  const StreamPair pair = connected();
  expect_nothing_to_read(*pair.server);
  pair.server->set_deadline(Direction::kRead, loop_.now() + milliseconds(20));
  const auto late = test_loop_.run(wait_readable(*pair.server));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(test_loop_.run(wait_writable(*pair.server))) << "the other direction has none";
  pair.server->set_deadline(Direction::kRead, std::nullopt);
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "x")));
  EXPECT_TRUE(test_loop_.run(wait_readable(*pair.server)));
}

TEST_F(TcpTest, ADeadlineThatHasPassedEndsAWaitUnderWay) {
  const StreamPair pair = connected();
  expect_nothing_to_read(*pair.server);
  std::optional<Result<void>> outcome;
  spawn(wait_readable(*pair.server),
        [&outcome](Result<void> result) { outcome = std::move(result); });
  pair.server->set_deadline(Direction::kRead, loop_.now());
  test_loop_.run_until([&] { return outcome.has_value(); });
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::kTimeout);
}

TEST_F(TcpTest, DrippingBytesDoesNotOutliveTheDeadline) {
  const StreamPair pair = connected();
  pair.server->set_deadline(Direction::kRead, loop_.now());
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "x")));
  EXPECT_FALSE(test_loop_.run(wait_readable(*pair.server)));
}

TEST_F(TcpTest, AWaiterCanBeDestroyedBeforeItsStream) {
  const StreamPair pair = connected();
  expect_nothing_to_read(*pair.server);
  {
    auto waiting = std::make_unique<Task<Result<void>>>(wait_readable(*pair.server));
    EXPECT_EQ(run_now(std::move(*waiting)), std::nullopt);
  }
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "x")));
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.server, 1)), "x");
}

TEST_F(TcpTest, AHangUpIsToldOnceWhileNobodyReads) {
  StreamPair pair = connected();
  int told = 0;
  pair.server->on_hang_up([&told] { ++told; });
  pair.client.reset();
  test_loop_.run_until([&] { return told > 0; });
  test_loop_.run(loop_.sleep(milliseconds(1)));
  EXPECT_EQ(told, 1);
  pair.server->on_hang_up([&told] { ++told; });
  EXPECT_EQ(told, 1) << "called within the registration";
  test_loop_.run_until([&] { return told == 2; });
}

TEST_F(TcpTest, AHangUpMayDestroyTheStream) {
  StreamPair pair = connected();
  pair.server->on_hang_up([&pair] { pair.server.reset(); });
  pair.client->abort();
  test_loop_.run_until([&] { return pair.server == nullptr; });
}

TEST_F(TcpTest, AnAnswerThatCameBeforeAResetCanBeReadAfterAFailedWrite) {
  StreamPair pair = connected();
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "unread")));
  ASSERT_TRUE(test_loop_.run(write_all(*pair.server, "413")));
  pair.server.reset();  // unread bytes make it a reset
  while (write_some(*pair.client, "more").kind == Kind::kDone) {
  }
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.client, 3)), "413");
}

TEST_F(TcpTest, ConnectingToAClosedPortSaysSo) {
  StreamPair pair = connected();
  const std::uint16_t port = pair.listener->endpoint().port;
  pair.listener->close();
  const auto stream = test_loop_.run(connect(loop_, "127.0.0.1", port, {}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(stream.error().message,
              AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)), HasSubstr("refused")));
}

TEST_F(TcpTest, ConnectingTakesAddressesOnly) {
  const auto stream = test_loop_.run(connect(loop_, "localhost", 80, {}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::kInvalid);
}

class ListenerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Listener> listen(Listener::Options options) {
    auto listener = Listener::open(loop_, std::move(options),
                                   [this](std::unique_ptr<Stream> stream, http::Peer peer) {
                                     accepted_.push_back(std::move(stream));
                                     peers_.push_back(std::move(peer));
                                   });
    EXPECT_TRUE(listener) << listener.error().message;
    return *std::move(listener);
  }
  std::unique_ptr<Stream> connected_to(const Listener& listener,
                                       std::string address = "127.0.0.1") {
    auto stream = test_loop_.run(connect(loop_, std::move(address), listener.endpoint().port, {}));
    EXPECT_TRUE(stream) << stream.error().message;
    return *std::move(stream);
  }

  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<http::Peer> peers_;
};

TEST_F(ListenerTest, AllAddressesTakesBothFamiliesAndGivesIpv4ItsOwnForm) {
  const auto listener = listen({.endpoint = {}});
  const auto v4 = connected_to(*listener, "127.0.0.1");
  test_loop_.run_until([this] { return peers_.size() == 1; });
  EXPECT_EQ(peers_[0].address, "127.0.0.1");
  const auto v6 = connected_to(*listener, "::1");
  test_loop_.run_until([this] { return peers_.size() == 2; });
  EXPECT_EQ(peers_[1].address, "::1");
}

TEST_F(ListenerTest, APortInUseIsAConflictThatNamesIt) {
  const auto listener = listen({.endpoint = {.host = "127.0.0.1"}});
  const Result<void> free = check_port_free(listener->endpoint());
  ASSERT_FALSE(free);
  EXPECT_EQ(free.error().code, ErrorCode::kConflict);
  EXPECT_THAT(free.error().message,
              AllOf(HasSubstr(std::to_string(listener->endpoint().port)), HasSubstr("in use")));
  const auto shared = listen({.endpoint = listener->endpoint()});
  EXPECT_EQ(shared->endpoint().port, listener->endpoint().port);
}

TEST_F(ListenerTest, APortThatWasLeftIsFree) {
  auto listener = listen({.endpoint = {.host = "127.0.0.1"}});
  const Endpoint endpoint = listener->endpoint();
  listener.reset();
  EXPECT_TRUE(check_port_free(endpoint));
}

TEST_F(ListenerTest, AnAddressOfAnotherMachineIsRefused) {
  const auto listener =
      Listener::open(loop_, {.endpoint = {.host = "192.0.2.1"}}, [](auto, auto) {});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::kInvalid);
}

TEST_F(ListenerTest, AboveTheLimitConnectionsWaitForARelease) {
  const auto listener = listen({.endpoint = {.host = "127.0.0.1"}, .connection_limit = 2});
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connected_to(*listener));
  test_loop_.run(loop_.sleep(milliseconds(20)));
  EXPECT_EQ(accepted_.size(), 2U);
  accepted_.pop_back();
  listener->release();
  test_loop_.run_until([this] { return accepted_.size() == 2; });
}

TEST_F(ListenerTest, WithoutDescriptorsItPausesAndGoesOnWhenThereAreSome) {
  const auto listener = listen({.endpoint = {.host = "127.0.0.1"}});
  auto client = connected_to(*listener);
  test_loop_.run_until([this] { return accepted_.size() == 1; });
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  // The next socket takes the last descriptor; none is left to accept it with.
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(accepted_[0]->fd()) + 2,
                     .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &tight);
  const auto waiting = connected_to(*listener);
  test_loop_.run(loop_.sleep(milliseconds(20)));
  EXPECT_EQ(accepted_.size(), 1U);
  ::setrlimit(RLIMIT_NOFILE, &old);
  test_loop_.run_until([this] { return accepted_.size() == 2; });
}

TEST_F(ListenerTest, FiveThousandIdleConnectionsAreHeld) {
  constexpr std::size_t kCount = 5'000;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_GE(limit.rlim_cur, 2 * kCount + 100) << "the hard limit of descriptors is too low here";
  const auto listener = listen({.endpoint = {.host = "127.0.0.1"}});
  const std::size_t before = ::mallinfo2().uordblks;
  std::vector<std::unique_ptr<Stream>> clients;
  for (std::size_t i = 0; i < kCount; ++i) clients.push_back(connected_to(*listener));
  test_loop_.run_until([&] { return accepted_.size() == kCount; });
  const std::size_t used = ::mallinfo2().uordblks - before;
  RecordProperty("bytes_per_connection", static_cast<int>(used / kCount / 2));
  std::printf("%zu bytes of heap a connection\n", used / kCount / 2);
  ASSERT_TRUE(test_loop_.run(write_all(*clients.back(), "x")));
  EXPECT_EQ(test_loop_.run(read_exactly(*accepted_.back(), 1)), "x");
}

TEST(EndpointTest, IsReadStrictly) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:8080")->str(), "127.0.0.1:8080");
  EXPECT_EQ(parse_endpoint("[::1]:0")->str(), "[::1]:0");
  EXPECT_EQ(parse_endpoint(":8080")->host, "");
  for (const char* bad : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "a.b:80",
                          "127.0.0.1:+80", "127.0.0.1: 80", "::1:80", "[127.0.0.1]:80", "[]:80"}) {
    const auto endpoint = parse_endpoint(bad);
    ASSERT_FALSE(endpoint) << bad;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalid);
  }
}

TEST(SocketStreamTest, WhatWasPutBackIsMovedBeforeWhatCame) {
  TestLoop loop;
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  const FileDescriptor peer(sockets[1]);
  Result<std::unique_ptr<SocketStream>> stream =
      SocketStream::make(loop.get(), FileDescriptor(sockets[0]), /*connecting=*/false);
  ASSERT_TRUE(stream.has_value());
  (*stream)->put_back("first");
  ASSERT_EQ(::write(peer.get(), "second", 6), 6);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const FileDescriptor out(ends[0]);
  const FileDescriptor in(ends[1]);
  std::string moved;
  for (const std::size_t expected : {2U, 3U, 6U}) {
    const std::size_t limit = expected == 2 ? 2 : 100;
    EXPECT_EQ((*stream)->splice_into(in.get(), limit).bytes, expected);
    std::array<char, 100> bytes{};
    const ssize_t count = ::read(out.get(), bytes.data(), bytes.size());
    ASSERT_GT(count, 0);
    moved.append(bytes.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(moved, "firstsecond");
}

}  // namespace
}  // namespace gatehouse::net
