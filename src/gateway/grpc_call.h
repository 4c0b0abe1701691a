// A unary call of gRPC over an HTTP client that speaks HTTP/2 to its origin (gRPC over HTTP2,
// grpc/doc/PROTOCOL-HTTP2.md). Messages are bytes here; compression is not offered. Used for
// authorizers and for health checks.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "http/headers.h"
#include "http/message.h"
#include "net/http_client.h"

namespace gatehouse::gateway {

struct GrpcCall {
  std::string_view path;  // "/package.Service/Method"
  std::string_view message;
  http::Headers metadata;                // besides what the protocol sets
  std::chrono::milliseconds timeout{0};  // told to the server, and kept here; 0: none
  std::size_t answer_limit = 64 * 1024;  // bytes of the answer's message
  http::Cancellation* cancellation = nullptr;
};

/// The request of a call.
http::Request grpc_request(GrpcCall call);

/// The message of an answer with status 200, read to its end; `limit` is that of its bytes. Errors
/// as of call_grpc().
Task<Result<std::string>> read_grpc_answer(http::Response& answer, std::size_t limit);

/// Asks and reads. The answer's message. Errors: those of the client; kTimeout and kExhausted for
/// the grpc-status that says so, kUnavailable for every other but 0; kCorrupt for what is not gRPC,
/// for no message or several, and for one that is compressed or longer than the limit.
Task<Result<std::string>> call_grpc(net::HttpClient& client, GrpcCall call);

}  // namespace gatehouse::gateway
