#include "identity/form.h"

#include "http/headers.h"

namespace gatehouse::identity {
namespace {

bool is_form(const http::Headers& headers) {
  const std::string_view type = headers.get("Content-Type").value_or("");
  std::string_view essence = type.substr(0, type.find(';'));
  while (essence.ends_with(' ') || essence.ends_with('\t')) essence.remove_suffix(1);
  return headers.count("Content-Type") == 1 &&
         http::equal_ignoring_case(essence, "application/x-www-form-urlencoded");
}

}  // namespace

Task<Result<http::Parameters>> read_form(http::Request& request) {
  if (!is_form(request.headers)) {
    co_return fail(ErrorCode::kInvalid,
                   "the body must be of the type application/x-www-form-urlencoded");
  }
  const Result<std::string> body = co_await http::read_all(request.body, kFormLimit);
  if (!body) co_return std::unexpected(body.error());
  co_return http::parse_form(*body);
}

}  // namespace gatehouse::identity
