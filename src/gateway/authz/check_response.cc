#include "gateway/authz/check_response.h"

#include <external_auth.pb.h>

#include <string>
#include <utility>

#include "gateway/authz/allow_edits.h"
#include "gateway/authz/question.h"
#include "gateway/field_names.h"

namespace gatehouse::gateway {
namespace {

namespace v3 = envoy::service::auth::v3;
using Action = http::FieldChange::Action;
using Options = google::protobuf::RepeatedPtrField<v3::HeaderValueOption>;

constexpr int kForbidden = 403;

http::Failure failure(std::string message) {
  return {Error{ErrorCode::kCorrupt, "the authorizer's answer: " + std::move(message)}};
}

const std::string& value_of(const v3::HeaderValue& header) {
  return header.value().empty() ? header.raw_value() : header.value();
}

/// A default of proto3 cannot be told from a value that is not given.
Action action_of(const v3::HeaderValueOption& option, Action by_default) {
  if (option.has_append()) return option.append().value() ? Action::kAppend : Action::kSet;
  switch (option.append_action()) {
    case v3::HeaderValueOption::ADD_IF_ABSENT:
      return Action::kAddIfAbsent;
    case v3::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD:
      return Action::kSet;
    case v3::HeaderValueOption::OVERWRITE_IF_EXISTS:
      return Action::kSetIfPresent;
    default:
      return by_default;
  }
}

Result<void> check(const v3::HeaderValue& header) {
  if (may_be_set(header.key(), value_of(header))) return {};
  return fail(ErrorCode::kCorrupt, "a header that cannot be sent: " + header.key().substr(0, 64));
}

/// One header for the upstream request.
void add_to(http::Allow& allow, const v3::HeaderValueOption& option, const http::Headers& told) {
  const std::string& name = option.header().key();
  const std::string& value = value_of(option.header());
  if (http::equal_ignoring_case(name, kUserField)) allow.user = value;
  if (http::equal_ignoring_case(name, kSessionField)) allow.session = value;
  if (is_internal_field(name)) return;
  if (value.empty() && !option.keep_empty_value()) {
    allow.remove.push_back(name);
    return;
  }
  const bool present = told.has(name);
  switch (action_of(option, Action::kSet)) {
    case Action::kAppend:
      allow.append.emplace_back(name, value);
      return;
    case Action::kAddIfAbsent:
      if (!present) allow.set.emplace_back(name, value);
      return;
    case Action::kSetIfPresent:
      if (present) allow.set.emplace_back(name, value);
      return;
    case Action::kSet:
      std::erase_if(allow.set, [&name](const auto& earlier) {
        return http::equal_ignoring_case(earlier.first, name);
      });
      allow.set.emplace_back(name, value);
      return;
  }
}

/// Headers for an answer.
Result<std::vector<http::FieldChange>> changes_of(const Options& options, Action by_default) {
  std::vector<http::FieldChange> changes;
  for (const v3::HeaderValueOption& option : options) {
    const std::string& value = value_of(option.header());
    if (is_internal_field(option.header().key())) continue;
    if (value.empty() && !option.keep_empty_value()) continue;
    changes.push_back({option.header().key(), value, action_of(option, by_default)});
  }
  Result<void> checked = check_changes(changes);
  if (!checked) return fail(std::move(checked));
  return changes;
}

http::Verdict allow_of(const v3::OkHttpResponse& ok, const http::Headers& told) {
  http::Allow allow;
  for (const v3::HeaderValueOption& option : ok.headers()) {
    const Result<void> checked = check(option.header());
    if (!checked) return failure(checked.error().message);
    add_to(allow, option, told);
  }
  for (const std::string& name : ok.headers_to_remove()) {
    if (http::is_token(name)) allow.remove.push_back(name);
  }
  Result<std::vector<http::FieldChange>> response =
      changes_of(ok.response_headers_to_add(), Action::kAppend);
  if (!response) return failure(response.error().message);
  allow.response = std::move(*response);
  for (const v3::QueryParameter& parameter : ok.query_parameters_to_set()) {
    allow.query_set.emplace_back(parameter.key(), parameter.value());
  }
  for (const std::string& name : ok.query_parameters_to_remove()) {
    allow.query_remove.push_back(name);
  }
  return allow;
}

http::Verdict deny_of(const v3::DeniedHttpResponse& denied) {
  const int code = denied.status().code();
  if (code != 0 && (code < 200 || code > 599)) return failure("a denial with no status of HTTP");
  http::Deny deny;
  deny.response.status = code == 0 ? kForbidden : code;
  Options options = denied.headers();
  // The codec tells the body's length.
  for (auto option = options.begin(); option != options.end();) {
    option = is_framing_field(option->header().key()) ? options.erase(option) : option + 1;
  }
  // Several Set-Cookie fields are the usual case, so a denial's fields stand beside one another.
  const Result<std::vector<http::FieldChange>> changes = changes_of(options, Action::kAppend);
  if (!changes) return failure(changes.error().message);
  edit_fields(deny.response.headers, *changes);
  // A denial kept by a cache would outlive the login that follows it.
  if (!deny.response.headers.has("cache-control")) {
    deny.response.headers.add("Cache-Control", "no-store");
  }
  deny.response.body = http::Body(denied.body());
  return deny;
}

}  // namespace

http::Verdict read_check_response(std::string_view bytes, const http::Headers& told) {
  v3::CheckResponse message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return failure("not a CheckResponse");
  }
  // An empty message is what a confused server sends; it must not read as "OK".
  if (!message.has_status()) return failure("without a status");
  if (message.has_error_response()) return failure("its own error");
  const bool ok = message.status().code() == 0;
  if (ok && message.has_denied_response()) return failure("status OK with a denial");
  if (!ok && message.has_ok_response()) return failure("status not OK with an allowance");
  return ok ? allow_of(message.ok_response(), told) : deny_of(message.denied_response());
}

}  // namespace gatehouse::gateway
