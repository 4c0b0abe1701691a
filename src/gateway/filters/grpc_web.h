// Translates gRPC-Web to gRPC and back, for upstreams that speak only the latter.
//
// A browser can read no trailers: they come to it as a last frame of the body. Where it cannot read
// bytes as they come either, it asks for base64 (application/grpc-web-text). Messages themselves
// pass as they are, piece by piece. Whether another origin may call at all is Cors's matter; it has
// to expose grpc-status and grpc-message.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// One call that came as gRPC-Web.
class GrpcWebCall {
 public:
  /// If it is one (POST, Content-Type application/grpc-web…), makes it a gRPC request: the types,
  /// `TE: trailers`, and the body out of base64. Its upstream must be spoken to in HTTP/2. nullopt:
  /// it is none and has not been touched. kCorrupt: a body that is whole is not base64; the client
  /// should get a 400. One that streams fails in its read().
  static Result<std::optional<GrpcWebCall>> start(http::Request& request);

  /// Makes an answer of type application/grpc one of gRPC-Web; others (a denial, an error page)
  /// stay what they are, and tell the client by their status.
  void finish(http::Response& response) const;

 private:
  GrpcWebCall(bool text, std::string message) : text_(text), message_(std::move(message)) {}

  bool text_;            // the answer in base64
  std::string message_;  // "+proto", "+json" or ""
};

/// The last frame of an answer: flag 0x80, four bytes of length, lines "name: value\r\n" with names
/// in lower case.
std::string grpc_web_trailers(const http::Headers& trailers);

}  // namespace gatehouse::gateway
