#include <gtest/gtest.h>

#include <string>

#include "net/http1/codec.h"

namespace gatehouse::net::http1 {
namespace {

http::Request request_to(std::string_view path) {
  http::Request request;
  request.target = *http::parse_target(path);
  request.authority = "example.org";
  return request;
}

std::string written(const http::Request& request, Framing framing = {}, bool keep_alive = true) {
  std::string out;
  write_request_head(out, request, framing, keep_alive);
  return out;
}
std::string written(const http::Response& response, Framing framing, bool keep_alive = true,
                    http::Version version = http::Version::kHttp11) {
  std::string out;
  write_response_head(out, response, framing, keep_alive, version);
  return out;
}

TEST(Writer, RequestHead) {
  http::Request request = request_to("/a?b");
  request.headers.add("Accept", "*/*");
  EXPECT_EQ(written(request), "GET /a?b HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n");
  request.method = "POST";
  EXPECT_EQ(written(request, {Framing::Kind::kLength, 12}, false),
            "POST /a?b HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nContent-Length: 12\r\n"
            "Connection: close\r\n\r\n");
}

TEST(Writer, RequestHeadAsksForTrailersAndUpgrades) {
  http::Request request = request_to("/");
  request.headers.add("TE", "trailers");
  EXPECT_EQ(written(request),
            "GET / HTTP/1.1\r\nHost: example.org\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  request.headers.clear();
  request.upgrade = "websocket";
  EXPECT_EQ(
      written(request),
      "GET / HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(Writer, AConnectNamesItsHostAndIsAnsweredWithoutAProtocol) {
  http::Request request = request_to("/");
  request.method = "CONNECT";
  request.upgrade = http::kConnect;
  request.authority = "example.org:443";
  EXPECT_EQ(written(request), "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
  http::Response response;
  response.headers.add("X-A", "b");
  response.headers.add("Content-Length", "7");
  std::string out;
  write_upgrade_head(out, response, http::kConnect);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n");
}

TEST(Writer, FramingIsNeverTakenFromTheHeaders) {
  http::Request request = request_to("/");
  request.headers.add("Transfer-Encoding", "chunked");
  request.headers.add("content-length", "9");
  request.headers.add("Host", "other");
  request.headers.add("Connection", "close");
  EXPECT_EQ(written(request, {Framing::Kind::kLength, 1}),
            "GET / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\n");
}

TEST(Writer, NoValueCanSplitAHead) {  // CVE-2023-27493
  http::Response response;
  response.headers.add("Location", std::string_view("/a\r\nSet-Cookie: b\0\x7f", 19));
  const std::string head = written(response, {Framing::Kind::kLength, 0});
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nLocation: /a  Set-Cookie: b  \r\nContent-Length: 0\r\n\r\n");
}

TEST(Writer, WhatIsLeftOutChangedOrCleanedBreaksNoLineBesideIt) {
  http::Response response;
  for (const char* name : {"A", "Gone", "B", "Connection", "C", "D", "Upgrade", "E"}) {
    response.headers.add(name, "1");
  }
  response.headers.remove("Gone");
  response.headers.replace(1, "2");                          // B
  response.headers.replace(4, std::string_view("3\n4", 3));  // D
  response.headers.add("F", "");
  EXPECT_EQ(written(response, {Framing::Kind::kLength, 0}),
            "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 1\r\nD: 3 4\r\nE: 1\r\nF: \r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(Writer, ResponseHeadSaysWhetherTheConnectionStays) {
  http::Response response;
  response.status = 404;
  const Framing none{Framing::Kind::kLength, 0};
  EXPECT_EQ(written(response, none), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written(response, none, false),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written(response, none, true, http::Version::kHttp10),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Writer, ResponseWithoutBodyKeepsItsLength) {
  http::Response response;
  response.status = 304;
  response.headers.add("Content-Length", "5");
  EXPECT_EQ(written(response, {}), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
}

TEST(Writer, UpgradeHead) {
  http::Response response;
  response.headers.add("Sec-WebSocket-Accept", "x");
  std::string out;
  write_upgrade_head(out, response, "websocket");
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
}

TEST(Writer, ChunksReadBackAsTheyWere) {
  std::string out;
  write_chunk_size(out, 31);
  EXPECT_EQ(out, "1f\r\n");
  out.append(31, 'x').append("\r\n");
  http::Headers trailers;
  trailers.add("grpc-status", "0");
  trailers.add("Content-Length", "0");
  write_last_chunk(out, trailers);
  BodyDecoder decoder({Framing::Kind::kChunked, 0});
  const BodyDecoder::Step piece = decoder.next(out);
  EXPECT_EQ(piece.piece, std::string(31, 'x'));
  const BodyDecoder::Step end = decoder.next(std::string_view(out).substr(piece.consumed));
  EXPECT_EQ(end.kind, BodyDecoder::Step::Kind::kEnd);
  EXPECT_EQ(decoder.trailers().size(), 1u);
}

}  // namespace
}  // namespace gatehouse::net::http1
