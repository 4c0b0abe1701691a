#include "gateway/upstream/grpc_health.h"

#include <grpc_health.pb.h>

#include <string_view>

#include "gateway/grpc_call.h"

namespace gatehouse::gateway::upstream {
namespace {

using Status = grpc::health::v1::HealthCheckResponse;

constexpr std::string_view kMethod = "/grpc.health.v1.Health/Check";
/// A status takes two bytes; more is no answer to this question.
constexpr std::size_t kAnswerLimit = 4096;

}  // namespace

http::Request grpc_health_question(const std::string& service) {
  grpc::health::v1::HealthCheckRequest question;
  question.set_service(service);
  const std::string message = question.SerializeAsString();
  return grpc_request({.path = kMethod, .message = message});
}

Task<Result<void>> read_grpc_health(http::Response& response) {
  const Result<std::string> message = co_await read_grpc_answer(response, kAnswerLimit);
  if (!message) co_return std::unexpected(message.error());
  Status answer;
  if (!answer.ParseFromString(*message)) {
    co_return fail(ErrorCode::kCorrupt, "gave no HealthCheckResponse");
  }
  if (answer.status() == Status::SERVING) co_return Result<void>();
  co_return fail(ErrorCode::kUnavailable,
                 "is not SERVING but in status " + std::to_string(answer.status()));
}

}  // namespace gatehouse::gateway::upstream
