// The gateway over real sockets: a client, the gateway, and upstreams that behave or do not.

#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/fixed_entropy.h"
#include "gateway/authz/external_authorizer.h"
#include "gateway/fakes.h"
#include "net/test_http.h"

namespace gatehouse::gateway {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Answers the head of each connection's first request with the same bytes.
class RawUpstream {
 public:
  enum class Then { kClose, kStay };

  RawUpstream(net::Loop& loop, std::string answer, Then then)
      : loop_(loop), answer_(std::move(answer)), then_(then) {
    auto accept = [this](std::unique_ptr<net::Stream> stream, http::Peer /*peer*/) {
      auto connection = std::make_shared<net::RawConnection>(std::move(stream));
      connections_.push_back(connection);
      loop_.spawn(serve(connection, answer_, then_));
    };
    listener_ =
        net::Listener::open(loop, {.endpoint = {.host = "127.0.0.1", .port = 0}}, std::move(accept))
            .value();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(listener_->endpoint().port);
  }
  std::size_t connections() const { return connections_.size(); }
  net::RawConnection& last() { return *connections_.back(); }

 private:
  static Task<void> serve(std::shared_ptr<net::RawConnection> connection, std::string answer,
                          Then then) {
    const std::string head = co_await connection->until("\r\n\r\n");
    const bool sent = co_await connection->send(answer);
    if (!sent || then == Then::kClose) connection->close();
  }

  net::Loop& loop_;
  const std::string answer_;
  const Then then_;
  std::vector<std::shared_ptr<net::RawConnection>> connections_;
  std::unique_ptr<net::Listener> listener_;
};

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : resolver_(net::Resolver::make(loop_.get())) {
    settings_.recheck_interval = milliseconds(16);
  }

  void route(std::string prefix, std::string service, milliseconds timeout = milliseconds(0)) {
    config::Route route;
    route.prefix = std::move(prefix);
    route.upstream.service = std::move(service);
    route.timeout = timeout;
    settings_.routes.push_back(std::move(route));
  }
  Result<CompiledGateway::Made> compile() { return CompiledGateway::make(settings_, rate_limits_); }
  Result<std::unique_ptr<Gateway>> make(http::Authorizer* gatekeeper) {
    return Gateway::make(compile().value().gateway, {.loop = loop_.get(),
                                                     .resolver = *resolver_,
                                                     .health = health_,
                                                     .gatekeeper = gatekeeper,
                                                     .local = {},
                                                     .entropy = entropy_,
                                                     .log = nullptr});
  }
  void serve() {
    gateway_ = make(&judge_).value();
    server_ = net::HttpServer::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}}, {},
                                    *gateway_, nullptr)
                  .value();
  }
  /// An upstream that answers with what `function` makes.
  std::string upstream(net::FunctionHandler::Function function) {
    handlers_.push_back(std::make_unique<net::FunctionHandler>(std::move(function)));
    upstreams_.push_back(net::HttpServer::open(loop_.get(),
                                               {.endpoint = {.host = "127.0.0.1", .port = 0}}, {},
                                               *handlers_.back(), nullptr)
                             .value());
    return "http://127.0.0.1:" + std::to_string(upstreams_.back()->endpoint().port);
  }
  std::unique_ptr<net::RawConnection> connect() {
    return loop_.run(net::connect_raw(loop_.get(), server_->endpoint().port));
  }
  /// All that comes for one request whose connection then closes.
  std::string answer_to(std::string_view line, std::string_view headers = "") {
    std::unique_ptr<net::RawConnection> client = connect();
    loop_.run(client->send(std::string(line) + " HTTP/1.1\r\nHost: front.example\r\n" +
                           std::string(headers) + "Connection: close\r\n\r\n"));
    return loop_.run(client->rest());
  }
  void end_sessions() {
    judge_.answer = [](const http::Request&) {
      return http::Verdict(http::Deny{http::make_response(401, "text/plain", "")});
    };
  }

  net::TestLoop loop_;
  std::unique_ptr<net::Resolver> resolver_;
  FixedEntropy entropy_;
  RateLimitTables rate_limits_{entropy_};
  upstream::HealthBoard health_;
  FakeAuthorizer judge_;
  config::Gateway settings_;
  std::vector<std::unique_ptr<net::FunctionHandler>> handlers_;
  std::vector<std::unique_ptr<net::HttpServer>> upstreams_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(GatewayTest, ForwardsOverSocketsAndBack) {
  http::Headers seen;
  route("/", upstream([&seen](http::Request& request) {
          seen = request.headers;
          return net::echo(request);
        }));
  serve();
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Allow{.set = {{"kubeflow-userid", "alice"}}, .session = "s1"});
  };
  EXPECT_THAT(answer_to("GET /pipeline/?ns=a%20b", "kubeflow_userid: eve\r\n"),
              EndsWith("GET /pipeline/?ns=a%20b "));
  EXPECT_EQ(seen.get("kubeflow-userid"), "alice");
  EXPECT_FALSE(seen.has("kubeflow_userid"));
  EXPECT_EQ(seen.get("x-forwarded-for"), "127.0.0.1");
}

TEST_F(GatewayTest, BodiesPassBothWays) {
  route("/", upstream([](http::Request& request) { return net::echo(request); }));
  serve();
  std::unique_ptr<net::RawConnection> client = connect();
  const std::string body(300'000, 'x');
  loop_.run(client->send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body));
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("POST / " + body));
}

TEST_F(GatewayTest, AnUpstreamThatIsDownIs503) {
  {
    const RawUpstream gone(loop_.get(), "", RawUpstream::Then::kClose);
    route("/", gone.url());
  }
  serve();
  EXPECT_THAT(answer_to("GET /"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(GatewayTest, AnUpstreamThatSpeaksNoHttpIs502) {
  const RawUpstream garbage(loop_.get(), "\x15\x03garbage\r\n\r\n", RawUpstream::Then::kClose);
  const RawUpstream two_lengths(
      loop_.get(), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      RawUpstream::Then::kClose);
  route("/garbage", garbage.url());
  route("/lengths", two_lengths.url());
  serve();
  EXPECT_THAT(answer_to("GET /garbage"), StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(answer_to("GET /lengths"), StartsWith("HTTP/1.1 502 "));
}

TEST_F(GatewayTest, AnUpstreamThatStaysSilentIs504) {
  const RawUpstream silent(loop_.get(), "", RawUpstream::Then::kStay);
  route("/", silent.url(), milliseconds(20));
  serve();
  EXPECT_THAT(answer_to("GET /"), StartsWith("HTTP/1.1 504 "));
}

TEST_F(GatewayTest, AnAnswerCutShortIsCutShortForTheClient) {
  const RawUpstream chunked(loop_.get(),
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                            RawUpstream::Then::kClose);
  const RawUpstream counted(loop_.get(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                            RawUpstream::Then::kClose);
  route("/chunked", chunked.url());
  route("/counted", counted.url());
  serve();
  EXPECT_THAT(answer_to("GET /chunked"), Not(HasSubstr("0\r\n\r\n")));
  const std::string answer = answer_to("GET /counted");
  const bool visibly_cut = answer.starts_with("HTTP/1.1 502 ") ||
                           (answer.contains("Content-Length: 10") && answer.contains("half"));
  EXPECT_TRUE(visibly_cut) << answer;
}

class OpenSession : public GatewayTest {
 protected:
  static constexpr std::string_view kUpgrade =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  /// A client that has asked for a WebSocket.
  std::unique_ptr<net::RawConnection> ask_for_tunnel() {
    std::unique_ptr<net::RawConnection> client = connect();
    loop_.run(client->send("GET /ws HTTP/1.1\r\nHost: a\r\n" + std::string(kUpgrade) + "\r\n"));
    return client;
  }
};

TEST_F(OpenSession, AWebSocketEndsWithItsSession) {
  RawUpstream socket(loop_.get(),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nfirst",
                     RawUpstream::Then::kStay);
  route("/", socket.url());
  serve();
  std::unique_ptr<net::RawConnection> client = ask_for_tunnel();
  EXPECT_THAT(loop_.run(client->until("\r\n\r\n")), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(loop_.run(client->until("first")), "first");
  loop_.run(client->send("ping!"));
  EXPECT_EQ(loop_.run(socket.last().until("ping!")), "ping!");
  loop_.run_until([this] { return judge_.asked > 2; });
  end_sessions();
  const std::string rest = loop_.run(client->rest());
  EXPECT_THAT(rest, testing::AnyOf("", "<reset>"));
}

TEST_F(OpenSession, AnEventStreamEndsWithItsSessionAndNotAsIfComplete) {
  const RawUpstream events(loop_.get(),
                           "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
                           RawUpstream::Then::kStay);
  route("/", events.url());
  serve();
  std::unique_ptr<net::RawConnection> client = connect();
  loop_.run(client->send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->until("data: 1\n\n")), HasSubstr("text/event-stream"));
  end_sessions();
  EXPECT_THAT(loop_.run(client->rest()), Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(OpenSession, ARequestThatWaitsForItsUpstreamEndsWithItsSession) {
  const RawUpstream silent(loop_.get(), "", RawUpstream::Then::kStay);
  route("/", silent.url());
  serve();
  std::unique_ptr<net::RawConnection> client = connect();
  loop_.run(client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  loop_.run_until([&] { return silent.connections() == 1; });
  end_sessions();
  EXPECT_THAT(loop_.run(client->rest()), Not(HasSubstr(" 200 ")));
}

TEST_F(OpenSession, Cve202423326AnUpstreams200ToAnUpgradeIsAPlainAnswer) {
  const RawUpstream plain(loop_.get(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                          RawUpstream::Then::kStay);
  route("/", plain.url());
  serve();
  std::unique_ptr<net::RawConnection> client = ask_for_tunnel();
  EXPECT_THAT(loop_.run(client->until("ok")), StartsWith("HTTP/1.1 200 OK"));
  // Had a tunnel been opened, this would have gone to the upstream as it stands.
  loop_.run(client->send("GET /next HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->rest()), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(GatewayTest, Cve20262833NoTunnelWithoutHavingAskedForOne) {
  const RawUpstream eager(loop_.get(),
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\n\r\n",
                          RawUpstream::Then::kStay);
  route("/", eager.url());
  serve();
  EXPECT_THAT(answer_to("GET /"), StartsWith("HTTP/1.1 502 "));
}

TEST_F(GatewayTest, Cve202445410ConnectionCannotStripIdentityOrForwardedHeaders) {
  http::Headers seen;
  route("/", upstream([&seen](http::Request& request) {
          seen = request.headers;
          return net::echo(request);
        }));
  serve();
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Allow{.set = {{"kubeflow-userid", "alice"}}});
  };
  std::unique_ptr<net::RawConnection> client = connect();
  loop_.run(
      client->send("GET / HTTP/1.1\r\nHost: a\r\n"
                   "Connection: close, kubeflow-userid, X-Forwarded-Host\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->rest()), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(seen.get("kubeflow-userid"), "alice");
  EXPECT_EQ(seen.get("x-forwarded-host"), "a");
}

TEST_F(GatewayTest, OneClusterForEachDistinctServiceAlsoAfterAReload) {
  route("/a", "http://127.0.0.1:1");
  route("/b", "http://127.0.0.1:1");
  route("/c", "http://127.0.0.1:2");
  gateway_ = make(&judge_).value();
  const std::shared_ptr<upstream::Cluster> before =
      gateway_->cluster(settings_.routes[0].upstream).value();
  EXPECT_EQ(gateway_->clusters().size(), 2U);
  settings_.routes.pop_back();
  ASSERT_TRUE(gateway_->use(compile().value().gateway));
  EXPECT_EQ(gateway_->cluster(settings_.routes[0].upstream).value(), before);
}

TEST_F(GatewayTest, ARouteWhoseServiceCannotBeAnswers503AndIsNamed) {
  for (const std::string service :
       {"nobody", "http://a/path", "http://a?q", "ftp://a", "http://", "http://u:p@a"}) {
    settings_.routes.clear();
    route("/app", service);
    serve();
    ASSERT_EQ(gateway_->service_problems().size(), 1U) << service;
    EXPECT_EQ(gateway_->service_problems()[0].index, 0U);
    EXPECT_THAT(answer_to("GET /app"), StartsWith("HTTP/1.1 503 ")) << service;
    server_.reset();
  }
}

TEST_F(GatewayTest, WhatConcernsAllRoutesCannotBeWrong) {
  settings_.trusted_proxies = {"everybody"};
  EXPECT_FALSE(compile());
  settings_.trusted_proxies.clear();
  settings_.authorizer.status_on_error = 200;
  EXPECT_FALSE(compile());
  settings_.authorizer.status_on_error = 503;
  settings_.authorizer.kind = "gatekeeper";
  EXPECT_FALSE(make(nullptr));
}

TEST_F(GatewayTest, AReloadKeepsWhatIsUnderWay) {
  std::unique_ptr<net::RawConnection> client;
  const RawUpstream slow(loop_.get(), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok",
                         RawUpstream::Then::kStay);
  route("/", slow.url());
  serve();
  client = connect();
  loop_.run(client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->until("ok")), StartsWith("HTTP/1.1 200 "));
  settings_.routes.clear();
  ASSERT_TRUE(gateway_->use(compile().value().gateway));
  loop_.run(const_cast<RawUpstream&>(slow).last().send("ay"));
  EXPECT_EQ(loop_.run(client->until("ay")), "ay");
  loop_.run(client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->until("\r\n\r\n")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(GatewayTest, WithoutAnAuthorizerAllPassAndManagedHeadersGoNevertheless) {
  http::Headers seen;
  route("/", upstream([&seen](http::Request& request) {
          seen = request.headers;
          return net::echo(request);
        }));
  settings_.authorizer.kind = "none";
  serve();
  EXPECT_THAT(answer_to("GET /", "Kubeflow-Userid: mallory\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_FALSE(seen.has("kubeflow-userid"));
}

TEST_F(GatewayTest, TheRemoteAuthorizerJudgesOverASocket) {
  settings_.authorizer.url = upstream([](http::Request& request) {
    const bool known = request.headers.get("cookie") == "session=1";
    http::Response response;
    response.status = known ? 200 : 302;
    if (known) response.headers.add("kubeflow-userid", request.target.str());
    if (!known) response.headers.add("Location", "/dex/auth");
    return net::ready_answer(std::move(response));
  });
  settings_.authorizer.path_prefix = "/verify/";
  const std::unique_ptr<http::Authorizer> remote =
      make_http_authorizer(settings_, {.loop = loop_.get(), .resolver = *resolver_}).value();
  http::Request request;
  request.target = http::parse_target("/a").value();
  const http::Verdict stranger = loop_.run(remote->judge(request));
  EXPECT_EQ(std::get<http::Deny>(stranger).response.headers.get("location"), "/dex/auth");
  request.headers.add("Cookie", "session=1");
  const http::Verdict known = loop_.run(remote->judge(request));
  EXPECT_EQ(std::get<http::Allow>(known).set.at(0).second, "/verify/a");
}

}  // namespace
}  // namespace gatehouse::gateway
