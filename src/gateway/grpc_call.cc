#include "gateway/grpc_call.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "http/percent.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kContentType = "application/grpc";
constexpr std::size_t kPrefix = 5;  // a flag, and the length in four bytes
constexpr std::size_t kReasonLimit = 200;

// google.rpc.Code
constexpr int kOk = 0;
constexpr int kDeadlineExceeded = 4;
constexpr int kResourceExhausted = 8;

std::unexpected<Error> not_grpc(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "the gRPC answer has " + std::string(what));
}

std::string framed(std::string_view message) {
  std::string out;
  out.reserve(kPrefix + message.size());
  out.push_back('\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(message.size() >> shift & 0xff));
  }
  out.append(message);
  return out;
}

/// At most eight digits.
std::string timeout_text(std::chrono::milliseconds timeout) {
  constexpr std::int64_t kMost = 99'999'999;
  if (timeout.count() <= kMost) return std::to_string(timeout.count()) + "m";
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(timeout).count()) + "S";
}

std::optional<int> status_in(const http::Headers& fields) {
  const std::optional<std::string_view> text = fields.only("grpc-status");
  if (!text) return std::nullopt;
  int status = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), status);
  if (error != std::errc() || end != text->data() + text->size() || status < 0) return std::nullopt;
  return status;
}

ErrorCode code_of(int status) {
  switch (status) {
    case kDeadlineExceeded:
      return ErrorCode::kTimeout;
    case kResourceExhausted:
      return ErrorCode::kExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

/// Trailers, or the head of an answer that consists of trailers only, must say 0.
Result<void> check_status(const http::Headers& fields) {
  const std::optional<int> status = status_in(fields);
  if (!status) return not_grpc("no grpc-status");
  if (*status == kOk) return {};
  const std::string reason =
      http::decode_what_can_be(fields.get("grpc-message").value_or("")).substr(0, kReasonLimit);
  return fail(code_of(*status), "grpc-status " + std::to_string(*status) + ": " + reason);
}

Result<void> check_head(const http::Response& answer) {
  if (answer.status != 200) {
    return fail(ErrorCode::kUnavailable,
                "the gRPC server answered HTTP " + std::to_string(answer.status));
  }
  const std::string_view type = answer.headers.only("content-type").value_or("");
  const std::string_view rest =
      type.starts_with(kContentType) ? type.substr(kContentType.size()) : "?";
  if (!rest.empty() && rest[0] != '+' && rest[0] != ';') return not_grpc("another content-type");
  return {};
}

/// The one message in `bytes`.
Result<std::string> unframed(std::string bytes) {
  if (bytes.size() < kPrefix) return not_grpc("no message");
  if (bytes[0] != '\0') return not_grpc("a compressed message, which was not asked for");
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (length != bytes.size() - kPrefix) return not_grpc("not exactly one message");
  bytes.erase(0, kPrefix);
  return bytes;
}

}  // namespace

http::Request grpc_request(GrpcCall call) {
  http::Request request;
  request.method = "POST";
  request.version = http::Version::kHttp2;
  request.target = http::parse_target(call.path).value();
  request.headers = std::move(call.metadata);
  request.headers.set("te", "trailers");
  request.headers.set("content-type", kContentType);
  if (call.timeout.count() > 0) request.headers.set("grpc-timeout", timeout_text(call.timeout));
  request.body = http::Body(framed(call.message));
  request.cancellation = call.cancellation;
  return request;
}

Task<Result<std::string>> read_grpc_answer(http::Response& answer, std::size_t limit) {
  Result<void> checked = check_head(answer);
  if (!checked) co_return fail(std::move(checked));
  if (status_in(answer.headers).value_or(kOk) != kOk) {
    co_return std::unexpected(check_status(answer.headers).error());
  }
  Result<std::string> bytes = co_await http::read_all(answer.body, kPrefix + limit);
  if (!bytes && bytes.error().code == ErrorCode::kExhausted) {
    co_return not_grpc("too long a message");
  }
  if (!bytes) co_return fail(std::move(bytes));
  checked = check_status(answer.body.stream ? answer.body.stream->trailers() : answer.headers);
  if (!checked) co_return fail(std::move(checked));
  co_return unframed(std::move(*bytes));
}

Task<Result<std::string>> call_grpc(net::HttpClient& client, GrpcCall call) {
  const net::HttpClient::Timeouts timeouts{call.timeout, call.timeout};
  const std::size_t limit = call.answer_limit;
  http::Request request = grpc_request(std::move(call));
  Result<http::Response> answer = co_await client.send(request, timeouts);
  if (!answer) co_return fail(std::move(answer));
  Result<std::string> message = co_await read_grpc_answer(*answer, limit);
  co_return message;
}

}  // namespace gatehouse::gateway
