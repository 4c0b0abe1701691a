#include "gateway/authz/grpc_authorizer.h"

#include <utility>

#include "gateway/authz/check_request.h"
#include "gateway/authz/check_response.h"
#include "gateway/authz/question_time.h"
#include "gateway/grpc_call.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kPath = "/envoy.service.auth.v3.Authorization/Check";

}  // namespace

GrpcAuthorizer::GrpcAuthorizer(const config::Gateway& settings, Parts parts)
    : managed_headers_(settings.managed_headers),
      private_cookies_(settings.private_cookies),
      settings_(settings.authorizer),
      loop_(parts.loop),
      client_(std::move(parts.client)),
      fields_(settings, std::move(parts.forwarded)) {}

http::Headers GrpcAuthorizer::metadata() const {
  http::Headers fields;
  for (const config::FieldEdit& edit : settings_.add_headers) {
    if (!edit.append) fields.remove(edit.name);
    fields.add(http::lower_case(edit.name), edit.value);
  }
  return fields;
}

Task<http::Verdict> GrpcAuthorizer::judge(const http::Request& request) {
  http::Headers told = request.headers;
  fields_.finish(request, told);
  const std::string scheme(told.only("x-forwarded-proto").value_or("http"));
  const std::string message =
      make_check_request(request, told, scheme, settings_.body_bytes, loop_.clock().now());
  QuestionTime time(loop_, settings_.timeout, request.cancellation);
  GrpcCall call{.path = kPath,
                .message = message,
                .metadata = metadata(),
                .timeout = settings_.timeout,
                .answer_limit = kAnswerLimit,
                .cancellation = time.cancellation()};
  Result<std::string> answer = co_await call_grpc(*client_, std::move(call));
  if (!answer) co_return http::Failure{time.explain(std::move(answer).error())};
  co_return read_check_response(*answer, told);
}

}  // namespace gatehouse::gateway
