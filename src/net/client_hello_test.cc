#include "net/client_hello.h"

#include <gtest/gtest.h>

#include <string>

#include "net/openssl.h"

namespace gatehouse::net {
namespace {

using State = ClientHello::State;
using namespace std::string_literals;

std::string number(std::size_t value, int width) {
  std::string out;
  for (int i = width - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string vector(int width, const std::string& content) {
  return number(content.size(), width) + content;
}
std::string extension(std::size_t type, const std::string& content) {
  return number(type, 2) + vector(2, content);
}
std::string name_extension(const std::string& name) {
  return extension(0, vector(2, "\0"s + vector(2, name)));
}
const std::string kGrease = extension(0x1a1a, "") + extension(0xfafa, "\0"s);

std::string body(const std::string& extensions) {
  return "\x03\x03"s + std::string(32, 'r') + vector(1, std::string(32, 's')) +
         vector(2, "\x2a\x2a\x13\x01"s) + vector(1, "\0"s) + extensions;
}
std::string message(const std::string& content) {
  return "\x01"s + vector(3, content);
}
std::string record(const std::string& fragment) {
  return "\x16\x03\x01"s + vector(2, fragment);
}
std::string hello_with(const std::string& extensions) {
  return record(message(body(vector(2, extensions))));
}

State state_of(std::string_view bytes) {
  return parse_client_hello(bytes).state;
}

TEST(ClientHelloTest, TheNameIsReadAmongUnknownExtensions) {
  const ClientHello hello =
      parse_client_hello(hello_with(kGrease + name_extension("A.Example.org") + kGrease) + "more");
  EXPECT_EQ(hello.state, State::kComplete);
  EXPECT_EQ(hello.server_name, "a.example.org");
}

TEST(ClientHelloTest, OpenSslsOwnIsRead) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_tlsext_host_name(ssl.get(), "a.example");
  SSL_connect(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
  const ClientHello hello = parse_client_hello({bytes, static_cast<std::size_t>(size)});
  EXPECT_EQ(hello.state, State::kComplete);
  EXPECT_EQ(hello.server_name, "a.example");
}

TEST(ClientHelloTest, ThereMayBeNoNameAndNoExtensions) {
  for (const std::string& bytes :
       {hello_with(kGrease), hello_with(""), record(message(body("")))}) {
    const ClientHello hello = parse_client_hello(bytes);
    EXPECT_EQ(hello.state, State::kComplete);
    EXPECT_EQ(hello.server_name, "");
  }
}

TEST(ClientHelloTest, RecordsMayCutItAnywhere) {
  const std::string whole = message(body(vector(2, name_extension("a.example"))));
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    const std::string bytes = record(whole.substr(0, cut)) + record(whole.substr(cut));
    const ClientHello hello = parse_client_hello(bytes);
    EXPECT_EQ(hello.state, State::kComplete) << cut;
    EXPECT_EQ(hello.server_name, "a.example") << cut;
  }
  std::string single;
  for (const char c : whole) single += record(std::string(1, c));
  EXPECT_EQ(parse_client_hello(single).server_name, "a.example");
}

TEST(ClientHelloTest, EachBeginningWaitsForTheRest) {
  const std::string bytes = hello_with(name_extension("a.example"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(state_of(bytes.substr(0, size)), State::kIncomplete) << size;
  }
}

TEST(ClientHelloTest, OtherProtocolsAreKnownByTheirFirstByte) {
  EXPECT_EQ(state_of("G"), State::kNotTls);
  EXPECT_EQ(state_of("SSH-2.0-x"), State::kNotTls);
  EXPECT_EQ(state_of("\x80\x2e\x01"), State::kNotTls);
}

TEST(ClientHelloTest, OtherTlsIsInvalid) {
  EXPECT_EQ(state_of("\x16\x02"s), State::kInvalid);
  EXPECT_EQ(state_of("\x16\x03\x01\0\0"s), State::kInvalid) << "an empty record";
  EXPECT_EQ(state_of("\x16\x03\x01\x40\x01"s), State::kInvalid) << "too long a record";
  EXPECT_EQ(state_of(record("\x02"s)), State::kInvalid) << "a ServerHello";
  EXPECT_EQ(state_of(record("\x01\0"s) + "\x17\x03\x03"s), State::kInvalid)
      << "another record within";
}

TEST(ClientHelloTest, DamagedMessagesAreInvalid) {
  const std::string name = name_extension("a.example");
  for (const std::string& extensions :
       {name + name, name.substr(0, name.size() - 1), "\0"s, extension(0, ""),
        extension(0, vector(2, "")), extension(0, vector(2, "\1"s + vector(2, "a"))),
        extension(0, vector(2, "\0"s + vector(2, "a") + "\0"s + vector(2, "b"))),
        extension(0, vector(2, "\0"s + vector(2, "a")) + "x"), name_extension(""),
        name_extension("a\0b"s), name_extension("a b"), name_extension(std::string(256, 'a'))}) {
    EXPECT_EQ(state_of(hello_with(extensions)), State::kInvalid);
  }
  EXPECT_EQ(state_of(record(message(body(vector(2, name) + "x")))), State::kInvalid);
  EXPECT_EQ(state_of(record(message(body("").substr(0, 60)))), State::kInvalid);
  EXPECT_EQ(state_of(record(message(""))), State::kInvalid);
}

TEST(ClientHelloTest, WhatIsTooLongIsRefusedAtTheLimitOrBefore) {
  EXPECT_EQ(state_of("\x16\x03\x01\x10\0\x01\0\x40\x01"s), State::kInvalid) << "as it announces";
  const std::string long_one =
      hello_with(extension(21, std::string(16'000, '\0')) + name_extension("a.example"));
  EXPECT_EQ(parse_client_hello(long_one).server_name, "a.example");
  std::string crumbs;
  const std::string whole = message(body(vector(2, extension(21, std::string(4000, '\0')))));
  for (const char c : whole) crumbs += record(std::string(1, c));
  EXPECT_EQ(state_of(crumbs.substr(0, kClientHelloBytes - 1)), State::kIncomplete);
  EXPECT_EQ(state_of(crumbs.substr(0, kClientHelloBytes)), State::kInvalid);
}

}  // namespace
}  // namespace gatehouse::net
