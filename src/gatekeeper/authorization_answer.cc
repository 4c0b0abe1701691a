#include "gatekeeper/authorization_answer.h"

#include "http/url.h"

namespace gatehouse::gatekeeper {

Result<AuthorizationAnswer> parse_answer(std::string_view query) {
  const Result<http::Parameters> parameters = http::parse_form(query);
  if (!parameters) return std::unexpected(parameters.error());
  bool repeated = false;
  const auto value = [&](std::string_view name) {
    bool twice = false;
    const auto found = http::single(*parameters, name, &twice);
    repeated = repeated || twice;
    return std::string(found.value_or(""));
  };
  AuthorizationAnswer answer;
  answer.state = value("state");
  answer.code = value("code");
  answer.error = value("error");
  answer.issuer = value("iss");
  if (repeated) return fail(ErrorCode::kInvalid, "a parameter stands twice");
  if (answer.state.size() > kStateLimit || answer.code.size() > kCodeLimit) {
    return fail(ErrorCode::kInvalid, "state or code is too long");
  }
  if (answer.code.empty() == answer.error.empty()) {
    return fail(ErrorCode::kInvalid, "neither a code nor an error, or both");
  }
  return answer;
}

}  // namespace gatehouse::gatekeeper
