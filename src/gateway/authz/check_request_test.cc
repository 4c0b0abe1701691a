#include "gateway/authz/check_request.h"

#include <external_auth.pb.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gateway/fakes.h"
#include "http/percent.h"

namespace gatehouse::gateway {
namespace {

using Attributes = envoy::service::auth::v3::AttributeContext;

class CheckRequestTest : public testing::Test {
 protected:
  CheckRequestTest() {
    request_.method = "POST";
    request_.target = http::parse_target("/pipeline/?ns=a%20b").value();
    request_.authority = "front.example";
    request_.version = http::Version::kHttp2;
    request_.trace.request_id = "r1";
    request_.peer = std::make_shared<http::Peer>(http::Peer{
        .address = "192.0.2.1", .port = 4711, .tls = true, .server_name = "front.example"});
  }
  Attributes attributes(std::size_t body_limit = 0) const {
    envoy::service::auth::v3::CheckRequest message;
    // Refuses what is not UTF-8, as every receiver does.
    EXPECT_TRUE(message.ParseFromString(
        make_check_request(request_, told_, "https", body_limit,
                           WallTime(std::chrono::microseconds(1'700'000'000'250'000)))));
    return message.attributes();
  }
  Attributes::HttpRequest http(std::size_t body_limit = 0) const {
    return attributes(body_limit).request().http();
  }

  http::Request request_;
  http::Headers told_;
};

TEST_F(CheckRequestTest, TellsTheRequest) {
  const Attributes all = attributes();
  const Attributes::HttpRequest& http = all.request().http();
  EXPECT_EQ(http.id(), "r1");
  EXPECT_EQ(http.method(), "POST");
  EXPECT_EQ(http.path(), "/pipeline/?ns=a%20b");
  EXPECT_EQ(http.host(), "front.example");
  EXPECT_EQ(http.scheme(), "https");
  EXPECT_EQ(http.protocol(), "HTTP/2");
  EXPECT_EQ(http.size(), 0);
  EXPECT_EQ(http.body(), "");
  EXPECT_EQ(all.request().time().seconds(), 1'700'000'000);
  EXPECT_EQ(all.request().time().nanos(), 250'000'000);
  EXPECT_EQ(all.source().address().socket_address().address(), "192.0.2.1");
  EXPECT_EQ(all.source().address().socket_address().port_value(), 4711U);
  EXPECT_EQ(all.tls_session().sni(), "front.example");
}

TEST_F(CheckRequestTest, ACertificateNamesThePrincipal) {
  http::Peer peer = *request_.peer;
  http::ClientCertificate certificate{.subject = "CN=a"};
  peer.local_port = 8443;
  const auto principal = [&] {
    peer.certificate = std::make_shared<http::ClientCertificate>(certificate);
    request_.peer = std::make_shared<http::Peer>(peer);
    return attributes().source().principal();
  };
  EXPECT_EQ(attributes().source().principal(), "");
  EXPECT_EQ(principal(), "CN=a");
  certificate.dns_names = {"a.example"};
  EXPECT_EQ(principal(), "a.example");
  certificate.uris = {"spiffe://example/a"};
  EXPECT_EQ(principal(), "spiffe://example/a");
  EXPECT_EQ(attributes().destination().address().socket_address().port_value(), 8443U);
}

TEST_F(CheckRequestTest, FieldNumbersAreEnvoys) {
  // tag = number << 3 | type: attributes (1), request (4), http (2), method (2) "POST".
  EXPECT_NE(make_check_request(request_, told_, "https", 0, WallTime()).find("\x12\x04POST"),
            std::string::npos);
}

TEST_F(CheckRequestTest, PseudoHeadersStandAmongTheHeaders) {
  const auto headers = http().headers();
  EXPECT_EQ(headers.at(":method"), "POST");
  EXPECT_EQ(headers.at(":path"), "/pipeline/?ns=a%20b");
  EXPECT_EQ(headers.at(":authority"), "front.example");
  EXPECT_EQ(headers.at(":scheme"), "https");
}

TEST_F(CheckRequestTest, Cve202132777AllDuplicatesOfAHeaderAreTold) {
  told_.add("X-Custom", "first");
  told_.add("x-custom", "second");
  told_.add("Cookie", "a=1");
  told_.add("cookie", "b=2");
  const auto headers = http().headers();
  EXPECT_EQ(headers.at("x-custom"), "first,second");
  EXPECT_EQ(headers.at("cookie"), "a=1; b=2");
}

TEST_F(CheckRequestTest, Cve202327488NoByteOfAHeaderBreaksTheMessage) {
  std::string all;
  for (int byte = 0x80; byte <= 0xff; ++byte) all.push_back(static_cast<char>(byte));
  told_.add("X-Odd", "50%" + all);
  told_.add("X-Utf8", "Zo\xc3\xab");
  told_.add("X-Cut", "\xc3");
  told_.add("X-Cut", "\xab");
  const auto headers = http().headers();
  EXPECT_TRUE(headers.at("x-odd").starts_with("50%25%80%81"));
  EXPECT_TRUE(headers.at("x-odd").ends_with("%FE%FF"));
  EXPECT_EQ(headers.at("x-utf8"), "Zo\xc3\xab");
  EXPECT_EQ(headers.at("x-cut"), "%C3,%AB");
}

TEST_F(CheckRequestTest, ContextOfTheRouteIsTold) {
  request_.auth_context =
      std::make_shared<http::AuthContext>(http::AuthContext{{"tier", "gold"}, {"odd", "\xff"}});
  const auto extensions = attributes().context_extensions();
  EXPECT_EQ(extensions.at("tier"), "gold");
  EXPECT_EQ(extensions.at("odd"), "%FF");
}

TEST_F(CheckRequestTest, OfTheBodyNothingUnlessWanted) {
  request_.body = http::Body(std::string("secret"));
  EXPECT_EQ(http().body(), "");
  EXPECT_EQ(http().size(), 6);
  EXPECT_FALSE(http().headers().contains("x-envoy-auth-partial-body"));
}

TEST_F(CheckRequestTest, ABodyIsToldAsFarAsWanted) {
  request_.body = http::Body(std::string("0123456789"));
  EXPECT_EQ(http(10).body(), "0123456789");
  EXPECT_EQ(http(10).headers().at("x-envoy-auth-partial-body"), "false");
  EXPECT_EQ(http(4).body(), "0123");
  EXPECT_EQ(http(4).headers().at("x-envoy-auth-partial-body"), "true");
  EXPECT_EQ(http(4).raw_body(), "");
}

TEST_F(CheckRequestTest, ABodyThatIsNoTextIsToldTwice) {
  request_.body =
      http::Body(std::string("a\xff"
                             "b\xe2\x82"));
  const Attributes::HttpRequest told = http(100);
  EXPECT_EQ(told.raw_body(),
            "a\xff"
            "b\xe2\x82");
  EXPECT_EQ(told.body(),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(CheckRequestTest, TheSizeOfAStreamIsUnknownUnlessSaid) {
  request_.body = http::Body(std::make_unique<FakeBody>(std::deque<Result<std::string>>{}));
  EXPECT_EQ(http().size(), -1);
  request_.body.length = 77;
  EXPECT_EQ(http().size(), 77);
}

}  // namespace
}  // namespace gatehouse::gateway
