// Many hosts behind one listener: which rules hold for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "net/tcp.h"
#include "net/test_certificates.h"
#include "net/test_loop.h"
#include "net/test_tls_client.h"

namespace gatehouse::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServerTlsTest : public ::testing::Test {
 protected:
  TlsHost host(std::vector<std::string> names, const std::string& certificate) {
    TlsHost made = certificates_.host_of(certificates_.issue(certificate, {.names = "DNS:x"}));
    made.names = std::move(names);
    return made;
  }
  TlsHost host_with_clients(std::vector<std::string> names, const std::string& certificate) {
    TlsHost made = host(std::move(names), certificate);
    made.client_ca_file = certificates_.ca_file();
    made.client_required = true;
    return made;
  }

  void listen(const std::vector<TlsHost>& hosts, Listener::Options options = {}) {
    auto tls = ServerTls::load({.hosts = hosts});
    ASSERT_TRUE(tls) << tls.error().message;
    options.endpoint = {.host = "127.0.0.1"};
    options.tls = *tls;
    auto listener = Listener::open(loop_, std::move(options),
                                   [this](std::unique_ptr<Stream> stream, http::Peer peer) {
                                     char byte = '!';
                                     const iovec piece{.iov_base = &byte, .iov_len = 1};
                                     // The client may have gone.
                                     static_cast<void>(stream->try_write({&piece, 1}));
                                     accepted_.push_back(std::move(stream));
                                     peers_.push_back(std::move(peer));
                                   });
    ASSERT_TRUE(listener) << listener.error().message;
    listener_ = *std::move(listener);
  }

  TestVisit visit(const TestVisit::Wish& wish) {
    TestVisit outcome;
    std::atomic<bool> done = false;
    {
      std::jthread client([&, port = listener_->endpoint().port] {
        outcome = pay_visit(port, wish);
        done = true;
      });
      test_loop_.run_until([&done] { return done.load(); });
    }
    return outcome;
  }

  TestVisit::Wish with_certificate(const TestCertificates::Issued& issued, std::string name) {
    return {.name = std::move(name),
            .certificate_file = issued.certificate_file,
            .key_file = issued.key_file};
  }

  static std::string load_error(const TlsHost& host) {
    const auto tls = ServerTls::load({.hosts = {host}});
    EXPECT_FALSE(tls);
    return tls ? "" : tls.error().message;
  }
  static std::string content(const std::string& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  TestCertificates certificates_;
  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<http::Peer> peers_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ServerTlsTest, TheMostParticularHostIsChosen) {
  listen({host({"*"}, "all"), host({"*.example.org"}, "pattern"),
          host({"a.example.org", "b.example"}, "exact")});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(visit({.name = "A.example.org", .version = version}).certificate, "/CN=exact");
    EXPECT_EQ(visit({.name = "b.example", .version = version}).certificate, "/CN=exact");
    EXPECT_EQ(visit({.name = "c.example.org", .version = version}).certificate, "/CN=pattern");
    EXPECT_EQ(visit({.name = "example.org", .version = version}).certificate, "/CN=all");
    EXPECT_EQ(visit({.version = version}).certificate, "/CN=all");
  }
  EXPECT_EQ(peers_.front().server_name, "a.example.org");
  EXPECT_EQ(peers_.back().server_name, "");
}

TEST_F(ServerTlsTest, WithoutAHostForAllOthersAStrangerIsRefused) {
  listen({host({"a.example"}, "a")});
  EXPECT_TRUE(visit({.name = "a.example"}).welcome);
  EXPECT_THAT(visit({.name = "b.example"}).error, HasSubstr("unrecognized name"));
  EXPECT_THAT(visit({}).error, HasSubstr("unrecognized name"));
}

TEST_F(ServerTlsTest, HostOfSaysWhichNamesMayShareAConnection) {
  const auto tls = ServerTls::load(
      {.hosts = {host({"a.example", "*.b.example"}, "a"), host({"c.example"}, "c")}});
  ASSERT_TRUE(tls);
  EXPECT_EQ((*tls)->host_of("A.example"), (*tls)->host_of("x.b.example"));
  EXPECT_NE((*tls)->host_of("a.example"), (*tls)->host_of("c.example"));
  EXPECT_EQ((*tls)->host_of(""), std::nullopt);
}

TEST_F(ServerTlsTest, AClientWithoutCertificateIsRefusedWhereOneIsRequired) {
  listen({host({"*"}, "open"), host_with_clients({"strict.example"}, "strict")});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_TRUE(visit({.name = "open.example", .version = version}).welcome);
    EXPECT_FALSE(visit({.name = "strict.example", .version = version}).welcome);
  }
  for (const http::Peer& peer : peers_) EXPECT_EQ(peer.certificate, nullptr);
}

TEST_F(ServerTlsTest, TheRulesOfTheFirstHostDoNotHoldForOthers) {
  listen({host_with_clients({"strict.example"}, "strict"), host({"*"}, "open")});
  EXPECT_TRUE(visit({.name = "open.example"}).welcome);
  EXPECT_FALSE(visit({.name = "strict.example"}).welcome);
}

TEST_F(ServerTlsTest, AClientsCertificateIsTold) {
  listen({host({"*"}, "open"), host_with_clients({"strict.example"}, "strict")});
  const auto issued = certificates_.issue(
      "client, \"x\"", {.names = "URI:spiffe://example.org/a,DNS:c.example,DNS:d.example"});
  ASSERT_TRUE(visit(with_certificate(issued, "strict.example")).welcome);
  ASSERT_TRUE(peers_.back().certificate);
  const http::ClientCertificate& told = *peers_.back().certificate;
  EXPECT_EQ(told.subject, R"(CN=client\, \"x\")");
  EXPECT_EQ(told.sha256.size(), 64U);
  EXPECT_THAT(told.uris, ElementsAre("spiffe://example.org/a"));
  EXPECT_THAT(told.dns_names, ElementsAre("c.example", "d.example"));
  EXPECT_EQ(told.pem, content(issued.certificate_file));
  EXPECT_THAT(told.chain_pem, StartsWith(told.pem));
  EXPECT_TRUE(peers_.back().tls);
}

TEST_F(ServerTlsTest, ACertificateOfAnotherAuthorityIsRefusedEvenWhereNoneIsRequired) {
  TlsHost optional = host_with_clients({"*"}, "optional");
  optional.client_required = false;
  listen({optional});
  TestCertificates others;
  const auto strange = others.issue("stranger", {.names = "DNS:c.example"});
  EXPECT_TRUE(visit({.name = "a.example"}).welcome);
  EXPECT_EQ(peers_.back().certificate, nullptr);
  EXPECT_FALSE(visit(with_certificate(strange, "a.example")).welcome);
  EXPECT_EQ(peers_.size(), 1U);
}

TEST_F(ServerTlsTest, ARevokedCertificateIsRefused) {
  const auto good = certificates_.issue("good", {.names = "DNS:good.example"});
  const auto lost = certificates_.issue("lost", {.names = "DNS:lost.example"});
  TlsHost strict = host_with_clients({"*"}, "strict");
  strict.crl_pem = content(certificates_.revoke(lost));
  listen({strict});
  EXPECT_TRUE(visit(with_certificate(good, "a.example")).welcome);
  EXPECT_THAT(visit(with_certificate(lost, "a.example")).error, HasSubstr("revoked"));
}

TEST_F(ServerTlsTest, ASessionResumesAtItsOwnHostAlone) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    listen({host({"a.example"}, "a"), host({"b.example"}, "b")});
    const TestVisit first = visit({.name = "b.example", .version = version});
    ASSERT_TRUE(first.session);
    const auto again = [&](std::string name) {
      return visit({.name = std::move(name), .version = version, .session = first.session.get()});
    };
    EXPECT_TRUE(again("b.example").resumed);
    const TestVisit elsewhere = again("a.example");
    EXPECT_FALSE(elsewhere.resumed);
    EXPECT_EQ(elsewhere.certificate, "/CN=a");
  }
}

TEST_F(ServerTlsTest, ASessionIsNoWayAroundAClientCertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    listen({host({"*"}, "open"), host_with_clients({"strict.example"}, "strict")});
    const TestVisit first = visit({.name = "open.example", .version = version});
    ASSERT_TRUE(first.session);
    EXPECT_FALSE(
        visit({.name = "strict.example", .version = version, .session = first.session.get()})
            .welcome);
  }
}

TEST_F(ServerTlsTest, WhoShowsACertificateShowsItEachTime) {
  listen({host_with_clients({"*"}, "strict")});
  const auto issued = certificates_.issue("client", {.names = "DNS:c.example"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestVisit::Wish wish = with_certificate(issued, "a.example");
    wish.version = version;
    const TestVisit first = visit(wish);
    ASSERT_TRUE(first.welcome);
    wish.session = first.session.get();
    EXPECT_FALSE(visit(wish).resumed);
    EXPECT_TRUE(peers_.back().certificate);
  }
}

TEST_F(ServerTlsTest, EachHostHasItsVersionsCurvesAndProtocols) {
  TlsHost modern = host({"modern.example"}, "modern");
  modern.min_version = "1.3";
  modern.curves = {"P-384"};
  modern.alpn = {"http/1.1"};
  TlsHost old = host({"old.example"}, "old");
  old.max_version = "1.2";
  old.ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384"};
  for (const bool modern_first : {true, false}) {
    listen(modern_first ? std::vector{modern, old} : std::vector{old, modern});
    EXPECT_FALSE(visit({.name = "modern.example", .version = TLS1_2_VERSION}).welcome);
    EXPECT_FALSE(visit({.name = "old.example", .version = TLS1_3_VERSION}).welcome);
    EXPECT_FALSE(visit({.name = "modern.example", .groups = "X25519"}).welcome);
    EXPECT_TRUE(visit({.name = "modern.example", .groups = "P-384"}).welcome);
    EXPECT_TRUE(visit({.name = "old.example", .version = TLS1_2_VERSION, .groups = "X25519:P-256"})
                    .welcome);
    const std::string both("\x02h2\x08http/1.1", 12);
    EXPECT_EQ(visit({.name = "modern.example", .alpn = both}).alpn, "http/1.1");
    EXPECT_EQ(visit({.name = "old.example", .version = TLS1_2_VERSION, .alpn = both}).alpn, "h2");
  }
}

TEST_F(ServerTlsTest, TlsBeginsBehindAProxysHeader) {
  Listener::Options options;
  options.proxy_protocol = true;
  listen({host({"*"}, "all")}, std::move(options));
  EXPECT_TRUE(
      visit({.name = "a.example", .first_bytes = "PROXY TCP4 192.0.2.7 192.0.2.1 12345 443\r\n"})
          .welcome);
  EXPECT_EQ(peers_.back().address, "192.0.2.7");
  EXPECT_EQ(peers_.back().port, 12345);
  EXPECT_EQ(peers_.back().server_name, "a.example");
  EXPECT_FALSE(visit({.name = "a.example"}).welcome);
}

TEST_F(ServerTlsTest, CertificateAndKeyMayBeGivenAsText) {
  const TlsHost files = host({"*"}, "all");
  TlsHost text;
  text.certificate_pem = content(files.certificate_file);
  text.key_pem = Secret(content(files.key_file));
  listen({text});
  EXPECT_EQ(visit({}).certificate, "/CN=all");
}

TEST_F(ServerTlsTest, SettingsThatCannotBeServedSaySo) {
  const TlsHost good = host({"a.example"}, "a");
  const auto with = [&](auto change) {
    TlsHost bad = good;
    change(bad);
    return load_error(bad);
  };
  EXPECT_THAT(with([](TlsHost& h) { h.min_version = "1.1"; }),
              AllOf(HasSubstr("a.example"), HasSubstr("1.1"), HasSubstr("say 1.2 or 1.3")));
  EXPECT_THAT(with([](TlsHost& h) { h.min_version = "1.3", h.max_version = "1.2"; }),
              HasSubstr("above"));
  for (const char* cipher : {"NONSENSE", "@SECLEVEL=0", "ALL", "AES128-SHA:@SECLEVEL=0", "",
                             "ADH-AES128-SHA", "NULL-SHA256", "TLS_AES_128_GCM_SHA256"}) {
    EXPECT_THAT(with([&](TlsHost& h) { h.ciphers = {cipher}; }), HasSubstr("ciphers")) << cipher;
  }
  EXPECT_THAT(with([](TlsHost& h) { h.curves = {"P-255"}; }), HasSubstr("P-255"));
  EXPECT_THAT(with([](TlsHost& h) { h.client_required = true; }), HasSubstr("client_ca"));
  EXPECT_THAT(with([](TlsHost& h) { h.crl_file = "x"; }), HasSubstr("client_ca"));
  EXPECT_THAT(with([](TlsHost& h) { h.client_ca_pem = "x"; }),
              AllOf(HasSubstr("client_ca_pem"), HasSubstr("no certificate")));
  EXPECT_THAT(with([](TlsHost& h) { h.certificate_pem = "x"; }), HasSubstr("leave out one"));
  EXPECT_THAT(with([](TlsHost& h) { h.key_file = ""; }), HasSubstr("private key"));
  EXPECT_THAT(with([](TlsHost& h) { h.names = {"a b"}; }), HasSubstr("no host name"));
  const auto twice = ServerTls::load({.hosts = {good, good}});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("given twice"));
}

TEST_F(ServerTlsTest, ASelfSignedCertificateServesItsNames) {
  Result<SelfSigned> made = make_self_signed({"localhost", "127.0.0.1", "::1"});
  ASSERT_TRUE(made) << made.error().message;
  TlsHost self;
  self.certificate_pem = made->certificate_pem;
  self.key_pem = made->key_pem;
  listen({self});
  const auto tls = ClientTls::load({.ca_pem = made->certificate_pem});
  ASSERT_TRUE(tls) << tls.error().message;
  for (const char* name : {"localhost", "127.0.0.1"}) {
    const auto stream = test_loop_.run(connect(loop_, "127.0.0.1", listener_->endpoint().port,
                                               {.tls = *tls, .server_name = name, .alpn = {"h2"}}));
    EXPECT_TRUE(stream) << stream.error().message;
  }
  EXPECT_FALSE(make_self_signed({}));
  EXPECT_FALSE(make_self_signed({"a,DNS:b"}));
}

}  // namespace
}  // namespace gatehouse::net
