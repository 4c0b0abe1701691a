// A cluster's way of a request, over real sockets: addresses, limits, counts, TLS, tunnels.
#include "gateway/upstream/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/upstream/test_service.h"
#include "net/test_certificates.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ClusterTest : public ServiceTest {
 protected:
  /// "ab", whose answer is under way until its body is read.
  void answer_in_pieces(Backend& backend) {
    backend.answer = [this](http::Request&) {
      http::Response response;
      response.body = http::Body(std::make_unique<net::PieceReader>(
          loop_.get(), std::vector<std::string>{"a", "b"}, true));
      return net::ready_answer(std::move(response));
    };
  }
};

Task<void> reset_after_head(std::unique_ptr<net::RawConnection> connection) {
  const std::string head = co_await connection->until("\r\n\r\n");
  connection->stream().abort();
}

TEST_F(ClusterTest, RequestsGoToAllAddressesInTurn) {
  serve(3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(status_of(), 200);
  for (std::size_t i = 1; i <= 3; ++i) EXPECT_THAT(backend(i).seen, SizeIs(3));
  EXPECT_EQ(last_.authority, "service.test:" + std::to_string(port_));
  EXPECT_THAT(last_.trace.upstream, HasSubstr("127.0.0."));
  EXPECT_EQ(resolver_.asked, 1);  // not for each request
}

TEST_F(ClusterTest, TheFirstRequestsWaitForTheFirstResolution) {
  serve(1);
  resolver_.silent = true;
  http::Request first = get("/1"), second = get("/2");
  std::optional<Answer> answers[2];
  begin(first, answers[0]);
  begin(second, answers[1]);
  EXPECT_EQ(status().pending.now, 2U);
  resolver_.silent = false;
  loop_.run_until([&] { return answers[0] && answers[1]; });
  EXPECT_EQ((*answers[0])->status, 200);
  EXPECT_EQ(resolver_.asked, 1);
  EXPECT_EQ(status().pending.now, 0U);
}

TEST_F(ClusterTest, AnAddressThatCannotBeConnectedToIsLeftForTheNextAndThenPassedOver) {
  serve(3);
  stop(2);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(endpoint(2).requests, 1U);  // once, and then not again
  EXPECT_TRUE(endpoint(2).refused);
  EXPECT_THAT(endpoint(2).last_error, HasSubstr("127.0.0.2"));
  EXPECT_EQ(seen_everywhere(), 9U);
}

TEST_F(ClusterTest, LocalhostIsServedWhateverFamilyItsServerListensOn) {
  serve(1);
  const std::unique_ptr<net::Resolver> resolver = net::Resolver::make(loop_.get());
  Clusters clusters({loop_.get(), *resolver, board_, entropy_});
  settings_.service = "http://localhost:" + std::to_string(port_);
  cluster_ = clusters.get(settings_).value();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(status_of(), 200);
  ASSERT_THAT(status().endpoints, SizeIs(2));
  EXPECT_LE(status().endpoints[1].requests, 1U);  // ::1, where nobody listens
  EXPECT_EQ(last_.authority, "localhost:" + std::to_string(port_));
  cluster_.reset();
}

TEST_F(ClusterTest, AnAddressThatIsBackIsUsedAgain) {
  serve(2);
  stop(2);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status_of(), 200);
  start(2);
  clock_.skip(seconds(2));
  loop_.run_until([this] { return !endpoint(2).refused; });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status_of(), 200);
  EXPECT_THAT(backend(2).seen, SizeIs(2));
}

TEST_F(ClusterTest, ABodyThatIsAStreamReachesTheNextAddressWhole) {
  serve(2);
  stop(1);
  backend(2).answer = net::echo;
  for (int i = 0; i < 2; ++i) {
    http::Request request = get("/up");
    request.method = "POST";
    request.body = http::Body(std::make_unique<net::PieceReader>(
        loop_.get(), std::vector<std::string>{"one", "two"}, true));
    Answer answer = send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*loop_.run(http::read_all(answer->body, 100)), "POST /up onetwo");
  }
}

TEST_F(ClusterTest, WithoutAnyAddressThatAnswersItIsUnavailable) {
  serve(3);
  for (std::size_t i = 1; i <= 3; ++i) stop(i);
  EXPECT_EQ(status_of(), error(ErrorCode::kUnavailable));
  for (std::size_t i = 1; i <= 3; ++i) EXPECT_EQ(endpoint(i).requests, 1U);
}

TEST_F(ClusterTest, ANameWithoutAddressesFailsAndIsTriedAgainLater) {
  serve(1);
  const auto good = resolver_.addresses;
  resolver_.addresses = fail(ErrorCode::kNotFound, "there is no such name");
  EXPECT_EQ(status_of(), error(ErrorCode::kNotFound));
  EXPECT_EQ(status().dns_error, "there is no such name");
  EXPECT_EQ(status_of(), error(ErrorCode::kNotFound));  // at once, without asking again
  EXPECT_EQ(resolver_.asked, 1);
  resolver_.addresses = good;
  clock_.skip(seconds(2));
  EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(status().dns_error, "");
}

TEST_F(ClusterTest, AddressesThatChangeKeepWhatIsUnderWay) {
  serve(2);
  resolver_.ttl = seconds(0);
  resolver_.addresses = TestResolver::Addresses{"127.0.0.1"};
  answer_in_pieces(backend(1));
  Answer answer = send();
  ASSERT_TRUE(answer && answer->body.stream);
  EXPECT_EQ(endpoint(1).active_requests, 1U);
  resolver_.addresses = TestResolver::Addresses{"127.0.0.2"};
  loop_.run_until([this] { return status().endpoints.at(0).address.starts_with("127.0.0.2"); });
  EXPECT_EQ(*loop_.run(http::read_all(answer->body, 100)), "ab");
  EXPECT_EQ(status_of(), 200);
  EXPECT_THAT(backend(2).seen, SizeIs(1));
}

TEST_F(ClusterTest, AnAnswerUnderWayOutlivesItsCluster) {
  serve(1);
  answer_in_pieces(backend(1));
  Answer answer = send();
  ASSERT_TRUE(answer);
  cluster_.reset();
  clusters_.~Clusters();
  new (&clusters_) Clusters({loop_.get(), resolver_, board_, entropy_});
  EXPECT_EQ(*loop_.run(http::read_all(answer->body, 100)), "ab");
}

TEST_F(ClusterTest, RequestsUnderWayAreLimitedUntilTheirBodiesEnd) {
  settings_.circuit_breakers.requests = 1;
  serve(1);
  answer_in_pieces(backend(1));
  Answer answer = send();
  ASSERT_TRUE(answer && answer->body.stream);
  http::Request second = get();
  Answer refused = send(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(status().requests.refused, 1U);
  EXPECT_EQ(status().requests.now, 1U);
  answer->body.stream.reset();
  EXPECT_EQ(status().requests.now, 0U);
  EXPECT_EQ(status_of(), 200);
}

TEST_F(ClusterTest, ConnectionsAreLimitedOverAllAddressesAndIdleOnesGiveWay) {
  settings_.circuit_breakers.connections = 1;
  serve(2);
  EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(status_of(), 200);  // at the other address: the idle connection makes room
  EXPECT_EQ(status().connections.now, 1U);
}

TEST_F(ClusterTest, RequestsThatWaitForAConnectionAreLimited) {
  settings_.circuit_breakers.pending_requests = 1;
  serve(1);
  EXPECT_EQ(status_of(), 200);
  backend(1).answer = [this](http::Request&) -> Task<http::Response> {
    co_await loop_.get().sleep(milliseconds(20));
    co_return http::Response();
  };
  http::Request requests[3] = {get(), get(), get()};
  std::optional<Answer> answers[3];
  for (int i = 0; i < 3; ++i) begin(requests[i], answers[i]);  // one on the idle connection
  EXPECT_EQ(status().pending.now, 1U);
  ASSERT_TRUE(answers[2]);
  EXPECT_EQ(answers[2]->error().code, ErrorCode::kExhausted);
  EXPECT_EQ(status().pending.refused, 1U);
  loop_.run_until([&] { return answers[0] && answers[1]; });
}

TEST_F(ClusterTest, LimitsOfZeroAreNone) {
  settings_.circuit_breakers = {
      .connections = 0, .pending_requests = 0, .requests = 0, .retries = 0};
  serve(1);
  std::vector<http::Request> requests(50);
  std::vector<std::optional<Answer>> answers(50);
  for (std::size_t i = 0; i < 50; ++i) begin(requests[i], answers[i]);
  loop_.run_until([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
  });
  for (const auto& answer : answers) EXPECT_TRUE(answer->has_value());
  EXPECT_EQ(status().connections.limit, 0U);
}

TEST_F(ClusterTest, TimeOutsAreKeptAndZeroIsNone) {
  serve(1);
  backend(1).answer = [this](http::Request&) -> Task<http::Response> {
    co_await loop_.get().sleep(milliseconds(60));
    co_return http::Response();
  };
  EXPECT_EQ(status_of({.response_timeout = milliseconds(15)}), error(ErrorCode::kTimeout));
  EXPECT_EQ(status_of({.response_timeout = milliseconds(0)}), 200);
}

TEST_F(ClusterTest, LeastRequestAvoidsTheBusyAddress) {
  settings_.load_balancer.policy = "least_request";
  serve(2);
  answer_in_pieces(backend(1));
  std::vector<Answer> held;
  while (backend(1).seen.empty()) held.push_back(send());
  const std::size_t before = backend(1).seen.size();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(backend(1).seen.size(), before);
}

TEST_F(ClusterTest, AnAddressThatAnswers5xxIsEjectedAndComesBack) {
  settings_.outlier_detection = {.consecutive_5xx = 2, .max_ejection_percent = 50};
  serve(3);
  backend(3).answer = [](http::Request&) { return net::text_answer(503, "no"); };
  for (int i = 0; i < 12; ++i) (void)status_of();
  EXPECT_THAT(backend(3).seen, SizeIs(2));
  EXPECT_TRUE(endpoint(3).ejected);
  EXPECT_EQ(endpoint(3).failures, 2U);
  EXPECT_EQ(endpoint(3).last_error, "answered 503");
  clock_.skip(seconds(31));
  loop_.run_until([this] { return !endpoint(3).ejected; });
  for (int i = 0; i < 3; ++i) (void)status_of();
  EXPECT_THAT(backend(3).seen, SizeIs(3));
}

TEST_F(ClusterTest, AnAddressThatBreaksConnectionsIsEjectedToo) {
  settings_.outlier_detection = {.consecutive_5xx = 2, .max_ejection_percent = 50};
  serve(2);
  stop(2);
  auto rude = net::Listener::open(loop_.get(), {.endpoint = {.host = "127.0.0.2", .port = port_}},
                                  [this](std::unique_ptr<net::Stream> stream, http::Peer) {
                                    loop_.get().spawn(reset_after_head(
                                        std::make_unique<net::RawConnection>(std::move(stream))));
                                  });
  ASSERT_TRUE(rude);
  for (int i = 0; i < 8; ++i) (void)status_of();
  EXPECT_TRUE(endpoint(2).ejected);
  EXPECT_EQ(endpoint(2).failures, 2U);
}

TEST_F(ClusterTest, ACookieKeepsAClientAtOneAddress) {
  settings_.load_balancer = {.policy = "ring_hash", .cookie = "sticky", .cookie_ttl = seconds(600)};
  serve(5);
  Answer first = send({.client = {.address = "192.0.2.1", .secure = true}});
  ASSERT_TRUE(first);
  const std::string set(first->headers.get("set-cookie").value());
  EXPECT_THAT(set, HasSubstr("; Path=/; Max-Age=600; Secure; HttpOnly"));
  const std::string cookie = set.substr(0, set.find(';'));
  const std::string where = last_.trace.upstream;
  for (int i = 0; i < 10; ++i) {
    http::Request request = get();
    request.headers.add("Cookie", "other=1; " + cookie);
    Answer answer = send(request);
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->headers.has("set-cookie"));
    EXPECT_EQ(request.trace.upstream, where);
  }
}

TEST_F(ClusterTest, WebSocketsCountUntilTheyEnd) {
  serve(1);
  stop(1);
  std::unique_ptr<net::RawConnection> accepted;
  auto listener =
      net::Listener::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = port_}},
                          [&accepted](std::unique_ptr<net::Stream> stream, http::Peer) {
                            accepted = std::make_unique<net::RawConnection>(std::move(stream));
                          });
  ASSERT_TRUE(listener);
  http::Request request = get();
  request.upgrade = "websocket";
  request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  std::optional<Answer> answer;
  begin(request, answer);
  loop_.run_until([&] { return accepted != nullptr; });
  (void)loop_.run(accepted->until("\r\n\r\n"));
  loop_.run(
      accepted->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\n"
                     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello"));
  loop_.run_until([&] { return answer.has_value(); });
  ASSERT_TRUE(*answer && (*answer)->upgrade);
  EXPECT_EQ(endpoint(1).active_requests, 1U);
  EXPECT_EQ(status().requests.now, 1U);
  EXPECT_EQ(*loop_.run((*answer)->upgrade->read()), "hello");
  (*answer)->upgrade.reset();
  EXPECT_EQ(endpoint(1).active_requests, 0U);
  EXPECT_EQ(status().requests.now, 0U);
}

TEST_F(ClusterTest, TlsIsVerifiedForTheServerNameThatIsSet) {
  net::TestCertificates certificates;
  serve(1, certificates.server(certificates.issue("server", {.names = "DNS:inner.test"})));
  settings_.tls.ca_file = certificates.ca_file();
  EXPECT_EQ(status_of(), error(ErrorCode::kUnavailable));  // no certificate for service.test
  EXPECT_THAT(backend(1).seen, IsEmpty());
  cluster_.reset();
  settings_.tls.server_name = "inner.test";
  EXPECT_EQ(status_of(), 200);
}

TEST_F(ClusterTest, AnHttp2ServiceIsReachedByPriorKnowledgeOverOneConnection) {
  settings_.protocol = "http2";
  serve(1);
  int http2 = 0;
  backend(1).answer = [&http2](http::Request& request) {
    http2 += request.version == http::Version::kHttp2 ? 1 : 0;
    return net::text_answer(200, "ok");
  };
  std::vector<http::Request> requests(20);
  std::vector<std::optional<Answer>> answers(20);
  for (std::size_t i = 0; i < 20; ++i) begin(requests[i], answers[i]);
  loop_.run_until([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
  });
  for (const auto& answer : answers) EXPECT_TRUE(answer->has_value());
  EXPECT_EQ(http2, 20);
  EXPECT_EQ(status().connections.now, 1U);
}

TEST_F(ClusterTest, AutoIsWhatAlpnChoosesOverTlsAndHttp11InCleartext) {
  http::Version version = http::Version::kHttp10;
  const auto note = [&version](http::Request& request) {
    version = request.version;
    return net::text_answer(200, "ok");
  };
  serve(1);
  backend(1).answer = note;
  EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(version, http::Version::kHttp11);

  const auto certificates = std::make_unique<net::TestCertificates>();
  const auto issued = certificates->issue("server", {.names = "DNS:service.test"});
  stop(1);
  cluster_.reset();
  serve(1, certificates->server(issued, {"h2", "http/1.1"}));
  backend(1).answer = note;
  settings_.tls.ca_file = certificates->ca_file();
  EXPECT_EQ(status_of(), 200);
  EXPECT_EQ(version, http::Version::kHttp2);
}

TEST_F(ClusterTest, AConnectionForBytesIsCountedAndGoesToTheNextAddress) {
  serve(2);
  stop(1);
  settings_.circuit_breakers.connections = 1;
  {
    Result<Connection> connection = loop_.run(cluster().connect({.address = "192.0.2.1"}));
    ASSERT_TRUE(connection) << connection.error().message;
    EXPECT_EQ(connection->address, "127.0.0.2:" + std::to_string(port_));
    EXPECT_EQ(status().connections.now, 1U);
    EXPECT_EQ(endpoint(2).active_requests, 1U);
    Result<Connection> second = loop_.run(cluster().connect({}));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kExhausted);
    ASSERT_TRUE(
        loop_.run(net::write_all(*connection->stream, "GET / HTTP/1.0\r\nHost: a\r\n\r\n")));
    EXPECT_THAT(*loop_.run(net::read_until_end(*connection->stream)), HasSubstr("200 OK"));
  }
  EXPECT_EQ(status().connections.now, 0U);
  EXPECT_EQ(endpoint(2).active_requests, 0U);
}

TEST_F(ClusterTest, AConnectionForBytesIsTlsWhereTheServiceIs) {
  net::TestCertificates certificates;
  serve(1, certificates.server(certificates.issue("server", {.names = "DNS:service.test"})));
  settings_.tls.ca_file = certificates.ca_file();
  Result<Connection> connection = loop_.run(cluster().connect({}));
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_TRUE(connection->stream->secure());
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
