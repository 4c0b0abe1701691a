#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rand.h>

#include <fstream>

#include "net/socket_stream.h"
#include "net/test_certificates.h"
#include "net/test_loop.h"

namespace gatehouse::net {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Kind = IoResult::Kind;

class TlsTest : public ::testing::Test {
 protected:
  ConnectOptions to(std::string name) {
    return {.tls = certificates_.client(), .server_name = std::move(name)};
  }

  /// Listens with `tls`; connections go to `accepted_`.
  Listener& listen(std::shared_ptr<const ServerTls> tls,
                   milliseconds timeout = milliseconds(10'000), std::size_t limit = 1000) {
    auto listener = Listener::open(loop_,
                                   {.endpoint = {.host = "127.0.0.1"},
                                    .tls = std::move(tls),
                                    .connection_limit = limit,
                                    .handshake_timeout = timeout},
                                   [this](std::unique_ptr<Stream> stream, http::Peer peer) {
                                     accepted_.push_back(std::move(stream));
                                     peers_.push_back(std::move(peer));
                                   });
    listener_ = *std::move(listener);
    return *listener_;
  }

  Result<std::unique_ptr<Stream>> connect_as(ConnectOptions options) {
    return test_loop_.run(
        connect(loop_, "127.0.0.1", listener_->endpoint().port, std::move(options)));
  }

  /// The error of connecting to a server that has a certificate for `wish`.
  Error refused(const TestCertificates::Wish& wish, std::string name) {
    listen(certificates_.server(certificates_.issue("server", wish)));
    auto stream = connect_as(to(std::move(name)));
    EXPECT_FALSE(stream);
    return stream ? Error{} : stream.error();
  }

  StreamPair connected() {
    const auto issued = certificates_.issue("server", {.names = "DNS:a.example"});
    return test_loop_.run(make_pair(loop_, to("a.example"), {.tls = certificates_.server(issued)}));
  }

  TestCertificates certificates_;
  TestLoop test_loop_;
  Loop& loop_ = test_loop_.get();
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<http::Peer> peers_;
  std::unique_ptr<Listener> listener_;
};

std::string contents(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(TlsTest, AClientTakesItsCertificatesAsText) {
  const auto issued = certificates_.issue("client", {.names = "DNS:client.example"});
  const ClientTlsOptions text{.ca_pem = contents(certificates_.ca_file()),
                              .client_certificate_pem = contents(issued.certificate_file),
                              .client_key_pem = Secret(contents(issued.key_file))};
  auto tls = ClientTls::load(text);
  ASSERT_TRUE(tls) << tls.error().message;
  listen(certificates_.server(certificates_.issue("server", {.names = "DNS:a.example"})));
  EXPECT_TRUE(connect_as({.tls = *tls, .server_name = "a.example"}));
  EXPECT_FALSE(connect_as({.tls = *tls, .server_name = "b.example"}));
}

TEST_F(TlsTest, TextThatIsNoCertificateIsSaidWithoutTheText) {
  auto bad = ClientTls::load({.ca_pem = "secret"});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("ca_pem"));
  EXPECT_THAT(bad.error().message, testing::Not(HasSubstr("secret")));
  const auto a = certificates_.issue("a", {.names = "DNS:a"});
  const auto b = certificates_.issue("b", {.names = "DNS:b"});
  bad = ClientTls::load({.client_certificate_pem = contents(a.certificate_file),
                         .client_key_pem = Secret(contents(b.key_file))});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("key_pem"));
}

TEST_F(TlsTest, BytesGoBothWaysUnderTheAgreedProtocol) {
  const StreamPair pair = connected();
  EXPECT_TRUE(pair.client->secure());
  EXPECT_EQ(pair.client->protocol(), "http/1.1");
  EXPECT_EQ(pair.server->protocol(), "http/1.1");
  EXPECT_EQ(pair.server->server_name(), "a.example");
  EXPECT_TRUE(pair.peer.tls);
  EXPECT_EQ(pair.peer.server_name, "a.example");
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "ping")));
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.server, 4)), "ping");
  ASSERT_TRUE(test_loop_.run(write_all(*pair.server, "pong")));
  EXPECT_EQ(test_loop_.run(read_exactly(*pair.client, 4)), "pong");
}

TEST_F(TlsTest, BytesThatCameWithTheHandshakeWakeAReaderThatOnlyWaits) {
  const StreamPair pair = connected();
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, std::string(1000, 'a'))));
  // In two bites: the second is in OpenSSL's buffer, where no edge of the socket tells of it.
  EXPECT_TRUE(test_loop_.run(read_exactly(*pair.server, 600)));
  auto wait = [](Stream& stream) -> Task<Result<void>> {
    Result<void> readable = co_await stream.readable();
    co_return readable;
  };
  EXPECT_TRUE(test_loop_.run(wait(*pair.server)));
  EXPECT_TRUE(test_loop_.run(read_exactly(*pair.server, 400)));
}

TEST_F(TlsTest, ManyMegabytesArriveWholeThroughPartialWrites) {
  const StreamPair pair = connected();
  std::string sent(20'000'000, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(sent.data()), static_cast<int>(sent.size()));
  bool written = false;
  loop_.spawn([](Stream& stream, const std::string& bytes, bool& done) -> Task<void> {
    const Result<void> result = co_await write_all(stream, bytes);
    EXPECT_TRUE(result);
    done = true;
  }(*pair.client, sent, written));
  EXPECT_FALSE(written);
  const auto got = test_loop_.run(read_exactly(*pair.server, sent.size()));
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == sent);
  EXPECT_TRUE(written);
}

TEST_F(TlsTest, FinishEndsInOrderAndThePeerCanStillWrite) {
  const StreamPair pair = connected();
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "last words")));
  pair.client->finish();
  EXPECT_EQ(test_loop_.run(read_until_end(*pair.server)), "last words");
  EXPECT_FALSE(pair.server->gone());
  EXPECT_TRUE(test_loop_.run(write_all(*pair.server, "answer")));
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsAFailureNotAnEnd) {
  StreamPair pair = connected();
  ASSERT_TRUE(test_loop_.run(write_all(*pair.client, "cut sh")));
  pair.client.reset();
  const auto got = test_loop_.run(read_until_end(*pair.server));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
}

TEST_F(TlsTest, ACertificateForAnotherNameIsRefused) {
  const Error error = refused({.names = "DNS:a.example"}, "b.example");
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, AllOf(HasSubstr("b.example"), HasSubstr("hostname mismatch")));
  EXPECT_THAT(accepted_, IsEmpty());
}

TEST_F(TlsTest, ACertificateForANameIsRefusedForAnAddress) {
  EXPECT_THAT(refused({.names = "DNS:127.0.0.1"}, "").message, HasSubstr("IP address mismatch"));
}

TEST_F(TlsTest, ACertificateForTheAddressIsTaken) {
  listen(certificates_.server(certificates_.issue("server", {.names = "IP:127.0.0.1"})));
  const auto stream = connect_as(to(""));
  EXPECT_TRUE(stream) << stream.error().message;
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  EXPECT_THAT(refused({.names = "DNS:a.example", .valid_until = -60}, "a.example").message,
              HasSubstr("certificate has expired"));
}

TEST_F(TlsTest, ACertificateThatIsNotYetValidIsRefused) {
  EXPECT_THAT(refused({.names = "DNS:a.example", .valid_from = 600}, "a.example").message,
              HasSubstr("not yet valid"));
}

TEST_F(TlsTest, ASelfSignedCertificateIsRefused) {
  EXPECT_THAT(refused({.names = "DNS:a.example", .self_signed = true}, "a.example").message,
              HasSubstr("self-signed certificate"));
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityIsRefused) {
  TestCertificates others;
  listen(others.server(others.issue("server", {.names = "DNS:a.example"})));
  const auto stream = connect_as(to("a.example"));
  ASSERT_FALSE(stream);
  EXPECT_THAT(stream.error().message, HasSubstr("the certificate is refused: "));
}

TEST_F(TlsTest, PartialWildcardsDoNotMatch) {
  EXPECT_THAT(refused({.names = "DNS:a*.example.org"}, "ab.example.org").message,
              HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, TheNameChoosesTheCertificate) {
  const auto first = certificates_.issue("first", {.names = "DNS:a.example"});
  const auto second = certificates_.issue("second", {.names = "DNS:*.b.example"});
  const auto tls =
      ServerTls::load({.hosts = {certificates_.host_of(first), certificates_.host_of(second)}});
  ASSERT_TRUE(tls) << tls.error().message;
  listen(*tls);
  EXPECT_TRUE(connect_as(to("a.example")));
  EXPECT_TRUE(connect_as(to("x.b.example")));
  EXPECT_FALSE(connect_as(to("c.example")));
}

TEST_F(TlsTest, TheServersFirstProtocolThatTheClientSpeaksIsChosen) {
  const auto issued = certificates_.issue("server", {.names = "DNS:a.example"});
  listen(certificates_.server(issued, {"h2", "http/1.1"}));
  ConnectOptions options = to("a.example");
  options.alpn = {"http/1.1", "h2"};
  const auto stream = connect_as(std::move(options));
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ((*stream)->protocol(), "h2");
}

TEST_F(TlsTest, AClientThatSpeaksNoneOfTheProtocolsIsRefused) {
  listen(certificates_.server(certificates_.issue("server", {.names = "DNS:a.example"})));
  ConnectOptions options = to("a.example");
  options.alpn = {"foo/1"};
  const auto stream = connect_as(std::move(options));
  ASSERT_FALSE(stream);
  EXPECT_THAT(stream.error().message, HasSubstr("no application protocol"));
}

TEST_F(TlsTest, NewConnectionsGetTheReloadedCertificateAndOldOnesGoOn) {
  Listener& listener =
      listen(certificates_.server(certificates_.issue("old", {.names = "DNS:old.example"})));
  const auto old = connect_as(to("old.example"));
  ASSERT_TRUE(old) << old.error().message;
  test_loop_.run_until([this] { return accepted_.size() == 1; });
  listener.set_tls(certificates_.server(certificates_.issue("new", {.names = "DNS:new.example"})));
  EXPECT_FALSE(connect_as(to("old.example")));
  EXPECT_TRUE(connect_as(to("new.example")));
  ASSERT_TRUE(test_loop_.run(write_all(**old, "still here")));
  EXPECT_EQ(test_loop_.run(read_exactly(*accepted_.front(), 10)), "still here");
}

TEST_F(TlsTest, GarbageInsteadOfAHandshakeEndsTheConnectionAndFreesItsPlace) {
  listen(certificates_.server(certificates_.issue("server", {.names = "DNS:a.example"})),
         milliseconds(10'000), /*limit=*/1);
  const auto garbage = connect_as({});
  ASSERT_TRUE(garbage);
  ASSERT_TRUE(test_loop_.run(write_all(**garbage, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")));
  // An alert, then the end or a reset.
  static_cast<void>(test_loop_.run(read_until_end(**garbage)));
  EXPECT_THAT(accepted_, IsEmpty());
  EXPECT_TRUE(connect_as(to("a.example")));
}

TEST_F(TlsTest, AHandshakeThatTakesTooLongEndsTheConnectionAndFreesItsPlace) {
  listen(certificates_.server(certificates_.issue("server", {.names = "DNS:a.example"})),
         milliseconds(250), /*limit=*/1);  // enough for the good one on a busy machine
  const auto silent = connect_as({});
  ASSERT_TRUE(silent);
  EXPECT_EQ(test_loop_.run(read_until_end(**silent)), "");
  EXPECT_THAT(accepted_, IsEmpty());
  listener_->set_tls(certificates_.server(certificates_.issue("b", {.names = "DNS:b.example"})));
  EXPECT_TRUE(connect_as(to("b.example")));
}

TEST_F(TlsTest, AListenerThatGoesEndsTheHandshakesUnderWay) {
  listen(certificates_.server(certificates_.issue("server", {.names = "DNS:a.example"})));
  const auto silent = connect_as({});
  ASSERT_TRUE(silent);
  // The listener's turn to accept comes with this.
  test_loop_.run(loop_.sleep(milliseconds(20)));
  listener_.reset();
  EXPECT_FALSE(test_loop_.run(read_until_end(**silent)));
  EXPECT_THAT(accepted_, IsEmpty());
}

TEST_F(TlsTest, ConnectingGivesUpOnAServerThatDoesNotShakeHands) {
  auto plain = Listener::open(loop_, {.endpoint = {.host = "127.0.0.1"}},
                              [this](std::unique_ptr<Stream> stream, const http::Peer&) {
                                accepted_.push_back(std::move(stream));
                              });
  listener_ = *std::move(plain);
  ConnectOptions options = to("a.example");
  options.timeout = milliseconds(20);
  const auto stream = connect_as(std::move(options));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::kTimeout);
}

class TlsFilesTest : public ::testing::Test {
 protected:
  Error load_error(const std::string& certificate, const std::string& key) {
    const auto tls = ServerTls::load({.hosts = {certificates_.host_of({certificate, key})}});
    EXPECT_FALSE(tls);
    return tls ? Error{} : tls.error();
  }
  std::string file_with(std::string_view text) {
    std::string file = certificates_.path("other.pem");
    std::ofstream(file) << text;
    return file;
  }

  TestCertificates certificates_;
  TestCertificates::Issued issued_ = certificates_.issue("a", {.names = "DNS:a.example"});
};

TEST_F(TlsFilesTest, AMissingFileIsNamed) {
  const Error error = load_error(certificates_.path("none.pem"), issued_.key_file);
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, AllOf(HasSubstr("none.pem"), HasSubstr("No such file")));
}

TEST_F(TlsFilesTest, AFileWithoutACertificateIsNamed) {
  const Error error = load_error(issued_.key_file, issued_.key_file);
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_THAT(error.message, AllOf(HasSubstr("a.key"), HasSubstr("no certificate")));
}

TEST_F(TlsFilesTest, ADamagedCertificateIsNamed) {
  const std::string file =
      file_with("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(load_error(file, issued_.key_file).message,
              AllOf(HasSubstr("other.pem"), HasSubstr("damaged")));
}

TEST_F(TlsFilesTest, AKeyThatDoesNotBelongIsNamed) {
  const auto other = certificates_.issue("b", {.names = "DNS:b.example"});
  EXPECT_THAT(load_error(issued_.certificate_file, other.key_file).message,
              AllOf(HasSubstr("b.key"), HasSubstr("does not belong"), HasSubstr("a.pem")));
}

TEST_F(TlsFilesTest, AnExpiredCertificateIsAWarning) {
  const auto expired = certificates_.issue("c", {.names = "DNS:c.example", .valid_until = -60});
  const auto tls = certificates_.server(expired);
  ASSERT_EQ(tls->warnings().size(), 1U);
  EXPECT_THAT(tls->warnings().front(), AllOf(HasSubstr("c.pem"), HasSubstr("expired")));
}

TEST_F(TlsFilesTest, NoCertificateAtAllIsAnError) {
  EXPECT_FALSE(ServerTls::load({}));
}

TEST_F(TlsFilesTest, AClientsAuthoritiesThatCannotBeReadAreNamed) {
  const auto tls = ClientTls::load({.ca_file = certificates_.path("none.pem")});
  ASSERT_FALSE(tls);
  EXPECT_THAT(tls.error().message, HasSubstr("none.pem"));
}

}  // namespace
}  // namespace gatehouse::net
