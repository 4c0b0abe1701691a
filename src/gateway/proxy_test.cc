#include "gateway/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/fixed_entropy.h"
#include "gateway/fakes.h"
#include "net/test_loop.h"

namespace gatehouse::gateway {
namespace {

class FakeLocal final : public http::Handler {
 public:
  http::Headers seen;
  std::string target;
  Task<http::Response> handle(http::Request& request) override {
    seen = request.headers;
    target = request.target.str();
    http::Response response = http::make_response(200, "text/plain", "local");
    response.headers.add("Set-Cookie", "gatehouse_session=fresh");
    co_return response;
  }
};

/// Routes: "/" to the upstream; "/dex" unasked to the local handler; "/app" rewritten to "/x" with
/// a Host of its own; "/plain" without WebSockets.
class ProxyTest : public testing::Test {
 protected:
  ProxyTest() { make({}); }

  void make(const std::vector<std::string>& trusted_proxies) {
    settings_.trusted_proxies = trusted_proxies;
    settings_.routes.assign(4, config::Route());
    std::vector<config::Route>& routes = settings_.routes;
    routes[0].prefix = "/";
    routes[1].prefix = "/dex";
    routes[1].authenticate = false;
    routes[2].prefix = "/app";
    routes[2].rewrite = "/x";
    routes[2].host_rewrite = "inner.example";
    routes[2].timeout = std::chrono::milliseconds(1234);
    routes[3].prefix = "/plain";
    routes[3].upgrades.clear();
    use();
  }
  /// Puts the settings in force.
  void use() {
    const CompiledGateway::Made made = CompiledGateway::make(settings_, rate_limits_).value();
    EXPECT_TRUE(made.problems.empty()) << made.problems.front().reason;
    std::vector<Destination> destinations;
    for (const config::Route& route : made.gateway->settings().routes) {
      destinations.push_back(route.prefix == "/dex" ? Destination{.local = &local_}
                                                    : Destination{.cluster = cluster_});
    }
    auto in_force = std::make_shared<const InForce>(
        made.gateway, std::shared_ptr<http::Authorizer>(std::shared_ptr<void>(), &judge_),
        IdentityHeaders(judge_.managed_headers(), judge_.private_cookies()),
        std::move(destinations));
    if (proxy_) return proxy_->use(std::move(in_force));
    proxy_ = std::make_unique<Proxy>(
        Proxy::Parts{
            .loop = loop_.get(), .entropy = entropy_, .ids = RequestIds(entropy_), .log = nullptr},
        std::move(in_force));
  }

  http::Request request(std::string_view target, std::string method = "GET") {
    http::Request out;
    out.method = std::move(method);
    out.target = http::parse_target(target).value();
    out.authority = "front.example";
    out.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1"});
    return out;
  }
  http::Response send(http::Request& request) { return run_now(proxy_->handle(request)).value(); }
  http::Response get(std::string_view target) {
    http::Request asked = request(target);
    return send(asked);
  }
  void upstream_fails(ErrorCode code) {
    upstream_.answer = [code](http::Request&) -> Result<http::Response> {
      return fail(code, "connect to 10.0.0.9:80: secret detail");
    };
  }

  net::TestLoop loop_;
  FixedEntropy entropy_;
  RateLimitTables rate_limits_{entropy_};
  config::Gateway settings_;
  FakeAuthorizer judge_;
  const std::shared_ptr<FakeCluster> cluster_ = std::make_shared<FakeCluster>("10.0.0.9:80");
  FakeUpstream& upstream_ = cluster_->upstream;
  FakeLocal local_;
  std::unique_ptr<Proxy> proxy_;
};

TEST_F(ProxyTest, AnAllowedRequestReachesTheUpstreamWithWhatTheVerdictSets) {
  judge_.answer = [](const http::Request&) {
    http::Allow allow{.set = {{"kubeflow-userid", "alice"}}, .user = "alice", .session = "s1"};
    return http::Verdict(allow);
  };
  http::Request asked = request("/pipeline/?ns=a%20b");
  asked.headers.add("Kubeflow_Userid", "mallory");
  asked.headers.add("Cookie", "gatehouse_session=secret; theme=dark");
  const http::Response response = send(asked);
  EXPECT_EQ(response.status, 200);
  ASSERT_EQ(upstream_.seen.size(), 1U);
  const FakeUpstream::Seen& seen = upstream_.seen[0];
  EXPECT_EQ(seen.target, "/pipeline/?ns=a%20b");
  EXPECT_EQ(seen.authority, "front.example");
  EXPECT_EQ(seen.headers.get("kubeflow-userid"), "alice");
  EXPECT_FALSE(seen.headers.has("kubeflow_userid"));
  EXPECT_EQ(seen.headers.get("cookie"), "theme=dark");
  EXPECT_EQ(seen.headers.get("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(seen.headers.get("x-request-id"), asked.trace.request_id);
  EXPECT_EQ(asked.trace.user, "alice");
  EXPECT_EQ(asked.trace.route, "/");
  EXPECT_EQ(asked.trace.upstream, "10.0.0.9:80");
  EXPECT_EQ(*asked.trace.service, "http://10.0.0.9:80");
}

TEST_F(ProxyTest, ARequestThatPassesUnjudgedHasNoIdentityAndIsNamed) {
  judge_.answer = [](const http::Request&) {
    http::Allow unjudged;
    unjudged.unjudged = true;
    return http::Verdict(std::move(unjudged));
  };
  http::Request asked = request("/");
  asked.headers.add("kubeflow-userid", "root");
  asked.headers.add("Cookie", "gatehouse_session=secret");
  EXPECT_EQ(send(asked).status, 200);
  EXPECT_FALSE(upstream_.seen.at(0).headers.has("kubeflow-userid"));
  EXPECT_FALSE(upstream_.seen.at(0).headers.has("cookie"));
  EXPECT_EQ(asked.trace.failure, "authorizer let pass");
}

TEST_F(ProxyTest, ATraceGoesOnAsTheSpanOfThisExchange) {
  struct Kept final : SpanSink {
    void take(Span span) override { spans.push_back(std::move(span)); }
    std::vector<Span> spans;
  } sink;
  const ManualClock clock;
  std::unique_ptr<Tracing> tracing =
      Tracing::make({},
                    {.forwarded = Forwarded({}), .entropy = entropy_, .clock = clock, .sink = sink})
          .value();
  InForce with_tracing = proxy_->in_force();
  with_tracing.tracing = std::move(tracing);
  proxy_->use(std::make_shared<const InForce>(std::move(with_tracing)));
  constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  http::Request asked = request("/");
  asked.headers.add("traceparent", kParent);
  send(asked);
  const std::string told(upstream_.seen.at(0).headers.only("traceparent").value_or(""));
  EXPECT_TRUE(told.starts_with(kParent.substr(0, 36))) << told;
  EXPECT_NE(told, kParent);
  EXPECT_EQ(asked.headers.get("traceparent"), kParent) << "the request stays as it came";
  EXPECT_NE(asked.trace.span.span_id, http::SpanId{});
}

TEST_F(ProxyTest, TheJudgeSeesTheRequestAsItCame) {
  judge_.answer = [](const http::Request& asked) {
    EXPECT_EQ(asked.headers.get("cookie"), "gatehouse_session=secret");
    EXPECT_EQ(asked.target.str(), "/app/y");
    return http::Verdict(http::Allow{});
  };
  http::Request asked = request("/app/y");
  asked.headers.add("Cookie", "gatehouse_session=secret");
  send(asked);
  EXPECT_EQ(judge_.asked, 1);
}

TEST_F(ProxyTest, ADenialIsTheAnswerAsItIs) {
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Deny{http::redirect(301, "/dex/auth?x")});
  };
  http::Request asked = request("/");
  const http::Response response = send(asked);
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.headers.get("location"), "/dex/auth?x");
  EXPECT_TRUE(upstream_.seen.empty());
  EXPECT_EQ(asked.trace.failure, "denied");
}

TEST_F(ProxyTest, AJudgeThatFailsDenies) {
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Failure{Error{ErrorCode::kInternal, "secret detail"}});
  };
  const http::Response response = get("/");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("cache-control"), "no-store");
  EXPECT_EQ(response.body.bytes.find("secret"), std::string::npos);
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(ProxyTest, AnUnaskedRouteStillLosesTheClientsIdentityHeaders) {
  http::Request asked = request("/dex/auth?x");
  asked.headers.add("kubeflow-userid", "mallory");
  asked.headers.add("X-Forwarded-For", "127.0.0.1");
  asked.headers.add("Cookie", "gatehouse_login=state");
  const http::Response response = send(asked);
  EXPECT_EQ(response.body.bytes, "local");
  EXPECT_EQ(judge_.asked, 0);
  EXPECT_FALSE(local_.seen.has("kubeflow-userid"));
  EXPECT_FALSE(local_.seen.has("x-forwarded-for"));
  EXPECT_EQ(local_.seen.get("cookie"), "gatehouse_login=state");
  EXPECT_EQ(response.headers.get("set-cookie"), "gatehouse_session=fresh");
}

TEST_F(ProxyTest, RewritesTheTargetAndHostAndLeavesTheClientsOwnToTheLog) {
  http::Request asked = request("/app/y?q");
  send(asked);
  EXPECT_EQ(upstream_.seen[0].target, "/x/y?q");
  EXPECT_EQ(upstream_.seen[0].authority, "inner.example");
  EXPECT_EQ(upstream_.seen[0].headers.get("x-forwarded-host"), "front.example");
  EXPECT_EQ(upstream_.seen[0].timeouts.response, std::chrono::milliseconds(1234));
  EXPECT_EQ(asked.target.str(), "/app/y?q");
  EXPECT_EQ(asked.authority, "front.example");
}

TEST_F(ProxyTest, UpstreamsThatFailGiveTheRightStatusAndNoDetail) {
  const std::vector<std::pair<ErrorCode, int>> cases = {{ErrorCode::kUnavailable, 503},
                                                        {ErrorCode::kNotFound, 503},
                                                        {ErrorCode::kExhausted, 503},
                                                        {ErrorCode::kTimeout, 504},
                                                        {ErrorCode::kCorrupt, 502}};
  for (const auto& [code, status] : cases) {
    upstream_fails(code);
    http::Request asked = request("/");
    const http::Response response = send(asked);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body.bytes.find("10.0.0.9"), std::string::npos);
    EXPECT_NE(response.body.bytes.find(asked.trace.request_id), std::string::npos);
    EXPECT_FALSE(asked.trace.failure.empty());
  }
}

TEST_F(ProxyTest, NoRouteIs404WithTheRequestsId) {
  settings_.routes.clear();
  use();
  http::Request asked = request("/");
  asked.headers.add("Accept", "text/html,*/*");
  const http::Response response = send(asked);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.get("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(response.body.bytes.find(asked.trace.request_id), std::string::npos);
}

TEST_F(ProxyTest, TraceAndConnectAreRefusedBeforeAnybodyIsAsked) {
  for (const std::string method : {"TRACE", "CONNECT"}) {
    http::Request asked = request("/", method);
    const http::Response response = send(asked);
    EXPECT_EQ(response.status, 405);
    EXPECT_TRUE(response.headers.has("allow"));
  }
  EXPECT_EQ(judge_.asked, 0);
}

class ConnectTest : public ProxyTest {
 protected:
  http::Request connect() {
    http::Request out = request("/", "CONNECT");
    out.authority = "db.example:5432";
    out.upgrade = http::kConnect;
    return out;
  }
  void allow() {
    settings_.routes.front().upgrades = {"connect"};
    use();
  }
  void upstream_joins() {
    upstream_.answer = [this](http::Request&) {
      http::Response response;
      response.status = 101;
      response.upgrade = std::make_unique<FakeTunnel>(aborted_);
      return Result<http::Response>(std::move(response));
    };
  }
  bool aborted_ = false;
};

TEST_F(ConnectTest, IsRefusedBeforeAnybodyIsAskedUnlessTheRouteAllowsIt) {
  http::Request asked = connect();
  EXPECT_EQ(send(asked).status, 405);
  EXPECT_EQ(judge_.asked, 0);
  EXPECT_THAT(upstream_.seen, testing::IsEmpty());
}

TEST_F(ConnectTest, IsJudgedAndSentOnByItsAuthority) {
  allow();
  upstream_joins();
  http::Request asked = connect();
  asked.headers.add("kubeflow-userid", "root");
  const http::Response response = send(asked);
  EXPECT_EQ(response.status, 101);
  EXPECT_TRUE(response.upgrade);
  EXPECT_EQ(judge_.asked, 1);
  const FakeUpstream::Seen& seen = upstream_.seen.at(0);
  EXPECT_EQ(seen.method + " " + seen.authority, "CONNECT db.example:5432");
  EXPECT_EQ(seen.upgrade, "connect");
  EXPECT_NE(seen.headers.get("kubeflow-userid"), "root");
}

TEST_F(ConnectTest, IsNotSentOnForWhoMayNotPass) {
  allow();
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Deny{http::make_response(403, "text/plain", "no")});
  };
  http::Request asked = connect();
  EXPECT_EQ(send(asked).status, 403);
  EXPECT_THAT(upstream_.seen, testing::IsEmpty());
}

TEST_F(ConnectTest, AnAnswerThatWouldSeemToOpenATunnelIsA502) {
  allow();
  for (const int status : {200, 204, 299}) {
    upstream_.answer = [status](http::Request&) {
      return Result<http::Response>(http::make_response(status, "text/plain", "hello"));
    };
    http::Request asked = connect();
    EXPECT_EQ(send(asked).status, 502) << status;
  }
  upstream_.answer = [](http::Request&) {
    return Result<http::Response>(http::make_response(403, "text/plain", "no"));
  };
  http::Request asked = connect();
  EXPECT_EQ(send(asked).status, 403);
}

TEST_F(ProxyTest, HeadAndOptionsAreForwardedAsTheyAre) {
  for (const std::string method : {"HEAD", "OPTIONS"}) {
    http::Request asked = request("/", method);
    EXPECT_EQ(send(asked).status, 200);
    EXPECT_EQ(upstream_.seen.back().method, method);
  }
}

TEST_F(ProxyTest, AnAnswerCutShortReachesTheServerCutShort) {
  upstream_.answer = [](http::Request&) {
    http::Response response;
    response.body = http::Body(std::make_unique<FakeBody>(
        std::deque<Result<std::string>>{"half", fail(ErrorCode::kCorrupt, "cut")}));
    return Result<http::Response>(std::move(response));
  };
  http::Response response = get("/");
  ASSERT_TRUE(response.body.stream);
  EXPECT_TRUE(run_now(response.body.stream->read()).value());
  EXPECT_FALSE(run_now(response.body.stream->read()).value());
}

TEST_F(ProxyTest, AnUpstreamCannotSetOurCookies) {
  upstream_.answer = [](http::Request&) {
    http::Response response = http::make_response(200, "text/plain", "");
    response.headers.add("Set-Cookie", "gatehouse_session=planted");
    response.headers.add("Set-Cookie", "own=1");
    return Result<http::Response>(std::move(response));
  };
  const http::Response response = get("/");
  EXPECT_EQ(response.headers.count("set-cookie"), 1U);
  EXPECT_EQ(response.headers.get("set-cookie"), "own=1");
}

TEST_F(ProxyTest, WebSocketsPassAfterA101AndAreWatched) {
  bool aborted = false;
  upstream_.answer = [&](http::Request&) {
    http::Response response;
    response.status = 101;
    response.upgrade = std::make_unique<FakeTunnel>(aborted);
    return Result<http::Response>(std::move(response));
  };
  http::Request asked = request("/ws");
  asked.upgrade = "websocket";
  const http::Response response = send(asked);
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(upstream_.seen[0].upgrade, "websocket");
  ASSERT_TRUE(response.upgrade);
  judge_.answer = [](const http::Request&) { return http::Verdict(http::Deny{}); };
  proxy_->open_exchanges().turn(MonotonicTime(std::chrono::seconds(1)));
  EXPECT_TRUE(aborted);
}

TEST_F(ProxyTest, ARouteWithoutWebSocketsForwardsThePlainRequest) {
  http::Request asked = request("/plain");
  asked.upgrade = "websocket";
  send(asked);
  EXPECT_EQ(upstream_.seen[0].upgrade, "");
}

TEST_F(ProxyTest, AnExchangeIsOnTheListUntilItsBodyIsGone) {
  upstream_.answer = [this](http::Request&) {
    EXPECT_EQ(proxy_->open_exchanges().size(), 1U);
    http::Response response;
    response.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{"x"}));
    return Result<http::Response>(std::move(response));
  };
  {
    const http::Response response = get("/");
    EXPECT_EQ(proxy_->open_exchanges().size(), 1U);
  }
  EXPECT_EQ(proxy_->open_exchanges().size(), 0U);
}

// Attacks that were published against others.

TEST_F(ProxyTest, Cve202423326UpstreamAnswersThatAreNoUpgradeOpenNoTunnel) {
  bool aborted = false;
  for (const int status : {200, 100, 199}) {
    upstream_.answer = [&, status](http::Request&) {
      http::Response response;
      response.status = status;
      response.upgrade = std::make_unique<FakeTunnel>(aborted);
      return Result<http::Response>(std::move(response));
    };
    http::Request asked = request("/ws");
    asked.upgrade = "websocket";
    const http::Response response = send(asked);
    EXPECT_EQ(response.status, 502);
    EXPECT_FALSE(response.upgrade);
  }
}

TEST_F(ProxyTest, Cve20262833A101ThatWasNotAskedForIsRefused) {
  bool aborted = false;
  upstream_.answer = [&](http::Request&) {
    http::Response response;
    response.status = 101;
    response.upgrade = std::make_unique<FakeTunnel>(aborted);
    return Result<http::Response>(std::move(response));
  };
  EXPECT_EQ(get("/").status, 502);
}

TEST_F(ProxyTest, Cve202136371ServerNameOfOneHostRequestForAnother) {
  http::Request asked = request("/");
  asked.peer = std::make_shared<http::Peer>(
      http::Peer{.address = "192.0.2.1", .tls = true, .server_name = "other.example"});
  EXPECT_EQ(send(asked).status, 421);
  asked.peer = std::make_shared<http::Peer>(
      http::Peer{.address = "192.0.2.1", .tls = true, .server_name = "front.example"});
  asked.authority = "front.example:8443";
  EXPECT_EQ(send(asked).status, 200);
}

TEST_F(ProxyTest, AHostThatAsksForCertificatesIsNotServedToWhoNamedNone) {
  settings_.hosts = {
      {.hostname = "front.example", .tls = {.certificate = "own.pem", .client_ca = "ca.pem"}}};
  use();
  http::Request asked = request("/");
  asked.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1", .tls = true});
  EXPECT_EQ(send(asked).status, 421);
  asked.authority = "other.example";
  EXPECT_EQ(send(asked).status, 200);
}

TEST_F(ProxyTest, WhereOnePortServesBothTheWayToHttpsKeepsIt) {
  settings_.hosts = {{.hostname = "*", .insecure = "redirect"}};
  settings_.listen = {{.cleartext_too = true}};
  use();
  http::Request asked = request("/a");
  asked.authority = "front.example:8443";
  EXPECT_EQ(send(asked).headers.get("location"), "https://front.example:8443/a");
}

TEST_F(ProxyTest, Cve202423324AVerdictThatCannotBeWrittenDenies) {
  judge_.answer = [](const http::Request&) {
    return http::Verdict(http::Allow{.set = {{"kubeflow-userid", "a\r\nX-Admin: 1"}}});
  };
  EXPECT_EQ(get("/").status, 503);
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(ProxyTest, Cve202673511AmbiguousPathsAreRefusedBeforeAnybodyIsAsked) {
  EXPECT_EQ(get("/dex;x/auth").status, 400);
  EXPECT_EQ(judge_.asked, 0);
}

TEST_F(ProxyTest, Cve202554576TheQueryNeverDecidesWhetherSomebodyIsAsked) {
  get("/secret?/dex/auth");
  EXPECT_EQ(judge_.asked, 1);
}

TEST_F(ProxyTest, Cve202640575ForgedForwardedUriDecidesNothing) {
  http::Request asked = request("/secret");
  asked.headers.add("X-Forwarded-Uri", "/dex/auth");
  asked.headers.add("X-Original-URL", "/dex/auth");
  send(asked);
  EXPECT_EQ(judge_.asked, 1);
  EXPECT_FALSE(upstream_.seen[0].headers.has("x-original-url"));
}

TEST_F(ProxyTest, Cve202634457NoUserAgentPassesUnasked) {
  for (const std::string agent : {"kube-probe/1.29", "GoogleHC/1.0", "ELB-HealthChecker/2.0"}) {
    http::Request asked = request("/");
    asked.headers.add("User-Agent", agent);
    send(asked);
  }
  EXPECT_EQ(judge_.asked, 3);
}

TEST_F(ProxyTest, AShortBodyThatMayBeSentTwiceIsReadWhole) {
  settings_.routes[0].retry.on = {"5xx"};
  use();
  std::string got;
  upstream_.answer = [&got](http::Request& asked) -> Result<http::Response> {
    got = asked.body.stream ? "a stream" : asked.body.bytes;
    return http::make_response(200, "text/plain", "hello");
  };
  const auto sent = [&](std::string_view target, std::optional<std::uint64_t> length) {
    http::Request asked = request(target, "POST");
    std::deque<Result<std::string>> pieces{"he", "llo"};
    asked.body = http::Body(std::make_unique<FakeBody>(std::move(pieces)), length);
    send(asked);
    return got;
  };
  EXPECT_EQ(sent("/", 5), "hello");
  EXPECT_EQ(sent("/", 10'000'000), "a stream");
  EXPECT_EQ(sent("/", std::nullopt), "a stream");  // it may wait for an answer to its beginning
  EXPECT_EQ(sent("/app", 5), "a stream");          // nothing is retried there
}

TEST_F(ProxyTest, ABodyThatMayBeSentTwiceAndIsCutShortIsSentNowhere) {
  settings_.routes[0].retry.on = {"5xx"};
  use();
  http::Request asked = request("/", "POST");
  std::deque<Result<std::string>> pieces{"he", fail(ErrorCode::kCorrupt, "cut")};
  asked.body = http::Body(std::make_unique<FakeBody>(std::move(pieces)), 5);
  EXPECT_EQ(send(asked).status, 400);
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(ProxyTest, OnlyItsRoutesOwnTimeOutsEndAStreamOfGrpc) {
  settings_.routes[2].grpc = true;
  settings_.routes[2].idle_timeout = std::chrono::milliseconds(5678);
  use();
  http::Request asked = request("/app", "POST");
  send(asked);
  EXPECT_TRUE(asked.may_pause);
  EXPECT_EQ(upstream_.seen[0].timeouts.response, std::chrono::milliseconds(1234));
  EXPECT_EQ(upstream_.seen[0].timeouts.idle, std::chrono::milliseconds(5678));
}

TEST_F(ProxyTest, TrailersOfARequestNeverReachAnUpstream) {
  http::Request asked = request("/", "POST");
  asked.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{"x"}));
  send(asked);
  EXPECT_FALSE(upstream_.seen[0].trailers);
}

}  // namespace
}  // namespace gatehouse::gateway
