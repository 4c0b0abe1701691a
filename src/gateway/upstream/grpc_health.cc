#include "gateway/upstream/grpc_health.h"

#include <grpc_health.pb.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace gatehouse::gateway::upstream {
namespace {

using Status = grpc::health::v1::HealthCheckResponse;

constexpr std::string_view kMethod = "/grpc.health.v1.Health/Check";
/// A status takes two bytes; more is no answer to this question.
constexpr std::size_t kAnswerLimit = 4096;
/// One byte that says whether the message is compressed, and its length (gRPC over HTTP/2,
/// Length-Prefixed-Message).
constexpr std::size_t kPrefix = 5;

std::string with_prefix(const std::string& message) {
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(message.size() >> static_cast<unsigned>(shift));
  }
  return out + message;
}

std::optional<std::string_view> without_prefix(std::string_view bytes) {
  if (bytes.size() < kPrefix || bytes[0] != 0) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) {
    length = length << 8U | static_cast<unsigned char>(bytes[i]);
  }
  bytes.remove_prefix(kPrefix);
  if (bytes.size() != length) return std::nullopt;
  return bytes;
}

Result<void> check_status(std::optional<std::string_view> status) {
  if (status == "0") return {};
  return fail(ErrorCode::kUnavailable,
              status ? "answered grpc-status " + std::string(*status) : "gave no grpc-status");
}

Result<void> check_message(std::string_view bytes) {
  const std::optional<std::string_view> message = without_prefix(bytes);
  Status answer;
  if (!message || !answer.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
    return fail(ErrorCode::kCorrupt, "gave no HealthCheckResponse");
  }
  if (answer.status() == Status::SERVING) return {};
  return fail(ErrorCode::kUnavailable,
              "is not SERVING but in status " + std::to_string(answer.status()));
}

}  // namespace

http::Request grpc_health_question(const std::string& service) {
  grpc::health::v1::HealthCheckRequest question;
  question.set_service(service);
  http::Request request;
  request.method = "POST";
  request.version = http::Version::kHttp2;
  request.target = *http::parse_target(kMethod);
  request.headers.add("Content-Type", "application/grpc");
  request.headers.add("TE", "trailers");
  request.body = http::Body(with_prefix(question.SerializeAsString()));
  return request;
}

Task<Result<void>> read_grpc_health(http::Response& response) {
  if (response.status != 200) {
    co_return fail(ErrorCode::kUnavailable, "answered " + std::to_string(response.status));
  }
  // An answer without a message has its status in the head ("Trailers-Only").
  if (const auto early = response.headers.get("grpc-status"); early && early != "0") {
    co_return check_status(early);
  }
  Result<std::string> bytes = co_await http::read_all(response.body, kAnswerLimit);
  if (!bytes) co_return fail(std::move(bytes));
  std::optional<std::string_view> status = response.headers.get("grpc-status");
  if (response.body.stream) status = response.body.stream->trailers().get("grpc-status");
  Result<void> checked = check_status(status);
  if (!checked) co_return checked;
  co_return check_message(*bytes);
}

}  // namespace gatehouse::gateway::upstream
